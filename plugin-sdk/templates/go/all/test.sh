#!/bin/sh
# Runs the tests natively, with stand-ins for what the plugin imports (tidegate/imports_native.go).
set -eu
cd "$(dirname "$0")"
. ./tools.sh

go vet ./...
go test ./...
