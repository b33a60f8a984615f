#!/bin/sh
# Builds plugin-name.wasm. What package-lock.json pins is installed into node_modules of this folder, and nothing else.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

if ! command -v npm >/dev/null; then
  echo "npm is missing: install Node.js 18.19 or later, with npm (from https://nodejs.org, or Debian 12 or later: apt-get install nodejs npm)" >&2
  exit 1
fi
if ! cmp -s package-lock.json node_modules/.installed; then
  if [ -L node_modules ]; then
    echo "node_modules is a link, and npm ci would empty what it leads to: remove the link, and build again" >&2
    exit 1
  fi
  npm ci --no-audit --no-fund
  cp package-lock.json node_modules/.installed
fi

# --sync: the gateway does not offer the component model's async functions.
node node_modules/componentize-qjs/cli.mjs --sync --wit wit --world this-plugin --js plugin.js --output plugin-name.wasm
