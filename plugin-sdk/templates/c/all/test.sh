#!/bin/sh
# Tests the plugin on this machine, without wasm.
set -eu
cd "$(dirname "$0")"

CC=${CC:-cc}
if ! command -v "$CC" > /dev/null; then
  CC=clang
fi
if ! command -v "$CC" > /dev/null; then
  echo "there is no C compiler: apt-get install clang lld" >&2
  exit 1
fi
"$CC" -std=c11 -g -Wall -Wextra -o test test.c
./test
