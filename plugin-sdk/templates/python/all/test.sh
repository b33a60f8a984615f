#!/bin/sh
# Runs the tests of plugin.py in Python, with the modules that the plugin imports from the gateway in build/bindings.
set -eu
cd "$(dirname "$0")"
. ./tools.sh

rm -rf build/bindings
"$componentize_py" --wit-path wit --world this-plugin bindings build/bindings
PYTHONPATH=build/bindings exec python3 -m unittest
