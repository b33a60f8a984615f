#!/bin/sh
# Tests the plugin on this machine, without wasm.
set -eu
cd "$(dirname "$0")"
. ./tools.sh

exec $ZIG test test.zig
