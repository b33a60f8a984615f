#!/bin/sh
# Builds plugin-name.wasm.
set -eu
cd "$(dirname "$0")"
. ./tools.sh

# --sync: the gateway does not offer the component model's async functions.
node node_modules/componentize-qjs/cli.mjs --sync --wit wit --world this-plugin --js build/plugin.js --output plugin-name.wasm
