#!/bin/sh
# Builds plugin-name.wasm with Zig 0.15.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

. ./tools.sh

# ReleaseSafe keeps checks of bounds and overflow: a mistake is a line in the log, not a wrong choice.
$ZIG build-exe balancer.zig -target wasm32-freestanding -fno-entry -rdynamic -O ReleaseSafe -fstrip --stack 65536 \
  -femit-bin=plugin-name.wasm
echo "plugin-name.wasm: $(wc -c < plugin-name.wasm) bytes"
