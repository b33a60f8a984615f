#!/bin/sh
# Builds plugin-name.wasm with clang++ 14 or later. Neither a C nor a C++ library is needed.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

CLANG=${CLANG:-clang++}
if ! command -v "$CLANG" > /dev/null; then
  echo "clang++ is missing: apt-get install clang lld" >&2
  exit 1
fi
if ! "$CLANG" --print-targets 2> /dev/null | grep -q wasm32; then
  echo "this clang cannot make WebAssembly: apt-get install clang, or name another one by CLANG=…" >&2
  exit 1
fi
if ! command -v "$("$CLANG" -print-prog-name=wasm-ld)" > /dev/null; then
  echo "the linker wasm-ld is missing: apt-get install lld" >&2
  exit 1
fi

# -g: faults are reported with file and line; leave it out for the smallest file. The stack comes first in memory, so
# that one which overflows traps instead of writing over variables.
"$CLANG" --target=wasm32 -std=c++17 -ffreestanding -fno-exceptions -fno-rtti -nostdlib -O2 -g -fdebug-compilation-dir=. -mbulk-memory \
  -Wall -Wextra -fno-threadsafe-statics -fno-c++-static-destructors -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=65536 \
  -o plugin-name.wasm balancer.cpp
echo "plugin-name.wasm: $(wc -c < plugin-name.wasm) bytes"
