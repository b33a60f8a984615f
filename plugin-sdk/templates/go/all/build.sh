#!/bin/sh
# Builds plugin-name.wasm.
set -eu
cd "$(dirname "$0")"
. ./tools.sh

# c-shared: a library that the gateway calls, not a program that runs once.
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -o plugin-name.wasm .
