#!/bin/sh
# Builds plugin-name.wasm.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

. ./tools.sh

# --sync: the gateway does not offer the component model's async functions.
node node_modules/componentize-qjs/cli.mjs --sync --wit wit --world this-plugin --js build/plugin.js --output plugin-name.wasm
