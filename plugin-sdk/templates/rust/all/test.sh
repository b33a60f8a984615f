#!/bin/sh
# Tests the plugin on this machine, without wasm.
set -eu
cd "$(dirname "$0")"

cargo test
