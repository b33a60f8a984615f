#!/bin/sh
# Builds plugin-name.wasm. Installs componentize-py into .venv of this folder if it is not there.
set -eu
cd "$(dirname "$0")"
. ./tools.sh

"$componentize_py" --wit-path wit --world this-plugin componentize plugin --output plugin-name.wasm
