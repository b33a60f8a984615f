#!/bin/sh
# Builds plugin-name.wasm with Zig 0.15.
set -eu
cd "$(dirname "$0")"

if python3 -m ziglang version > /dev/null 2>&1; then
  ZIG="python3 -m ziglang"
elif command -v zig > /dev/null; then
  ZIG=zig
else
  echo "Zig is missing: python3 -m pip install ziglang==0.15.2" >&2
  exit 1
fi
case "$($ZIG version)" in
  0.15.*) ;;
  *) echo "warning: written for Zig 0.15, found $($ZIG version): python3 -m pip install ziglang==0.15.2" >&2 ;;
esac

# ReleaseSafe keeps checks of bounds and overflow: a mistake is a line in the log, not a wrong choice.
$ZIG build-exe balancer.zig -target wasm32-freestanding -fno-entry -rdynamic -O ReleaseSafe -fstrip --stack 65536 \
  -femit-bin=plugin-name.wasm
echo "plugin-name.wasm: $(wc -c < plugin-name.wasm) bytes"
