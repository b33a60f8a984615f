#!/bin/sh
# Runs the tests of plugin.js in Node, with test/gateway.js in place of the gateway.
set -eu
cd "$(dirname "$0")"

if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 6) ? 0 : 1)' 2>/dev/null; then
  echo "Node.js 20.6 or later is missing: install it from https://nodejs.org (Debian 13: apt-get install nodejs npm)" >&2
  exit 1
fi

exec node --import ./test/gateway.js --test --test-reporter=spec test/*.test.js
