#!/bin/sh
# Builds plugin-name.wasm with the AssemblyScript compiler of package-lock.json, which is fetched if it is not here yet.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

if ! command -v npm > /dev/null || ! node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2> /dev/null; then
  echo "Node.js 20 or later with npm is missing: install it from https://nodejs.org (Debian 13: apt-get install nodejs npm)" >&2
  exit 1
fi
if ! [ -d node_modules/assemblyscript ]; then
  if [ -L node_modules ]; then
    echo "node_modules is a link, and npm ci would empty what it leads to: remove the link, and build again" >&2
    exit 1
  fi
  npm ci --no-audit --no-fund
fi

# The text of a failure goes to the gateway's log instead of an import; --debug: names of functions in the file.
npx asc assembly/exports.ts -O3 --debug --use abort=assembly/tidegate/abort --exportStart _initialize \
  --outFile plugin-name.wasm
echo "plugin-name.wasm: $(wc -c < plugin-name.wasm) bytes"
