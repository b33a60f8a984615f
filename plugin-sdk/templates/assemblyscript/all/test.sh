#!/bin/sh
# Builds the plugin and tries it under Node.js.
set -eu
cd "$(dirname "$0")"

sh build.sh
node test.mjs
