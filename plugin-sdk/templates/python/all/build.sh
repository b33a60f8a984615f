#!/bin/sh
# Builds plugin-name.wasm. Installs componentize-py into .venv of this folder if it is not there.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

. ./tools.sh

"$componentize_py" --wit-path wit --world this-plugin componentize plugin --output plugin-name.wasm
