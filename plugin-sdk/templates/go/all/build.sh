#!/bin/sh
# Builds plugin-name.wasm.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

. ./tools.sh

# c-shared: a library that the gateway calls, not a program that runs once.
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -o plugin-name.wasm .
