#!/bin/sh
# Checks the types, and runs the tests in Node, with test/gateway.js in place of the gateway.
set -eu
cd "$(dirname "$0")"
. ./tools.sh

exec node --import ./test/gateway.js --test --test-reporter=spec test/*.test.js
