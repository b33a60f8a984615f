#!/bin/sh
# Runs the tests of plugin.js in Node, with test/gateway.js in place of the gateway.
set -eu
cd "$(dirname "$0")"

if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 18 || (major == 18 && minor >= 19) ? 0 : 1)' 2>/dev/null; then
  echo "Node.js 18.19 or later is missing: install it from https://nodejs.org (Debian 12 or later: apt-get install nodejs npm)" >&2
  exit 1
fi

exec node --import ./test/gateway.js --test --test-reporter=spec test/*.test.js
