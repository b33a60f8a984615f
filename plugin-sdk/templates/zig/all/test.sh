#!/bin/sh
# Tests the plugin on this machine, without wasm.
set -eu
cd "$(dirname "$0")"

if python3 -m ziglang version > /dev/null 2>&1; then
  exec python3 -m ziglang test balancer.zig
elif command -v zig > /dev/null; then
  exec zig test balancer.zig
fi
echo "Zig is missing: python3 -m pip install ziglang==0.15.2" >&2
exit 1
