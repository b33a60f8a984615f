#!/bin/sh
# Tests the plugin on this machine, without wasm.
set -eu
cd "$(dirname "$0")"

CXX=${CXX:-c++}
if ! command -v "$CXX" > /dev/null; then
  CXX=clang++
fi
if ! command -v "$CXX" > /dev/null; then
  echo "there is no C++ compiler: apt-get install clang lld" >&2
  exit 1
fi
"$CXX" -std=c++17 -g -Wall -Wextra -o test test.cpp
./test
