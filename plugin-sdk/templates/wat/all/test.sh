#!/bin/sh
# Tries the plugin as the gateway would, and more thoroughly. There is nothing to build: the gateway takes the text.
set -eu
cd "$(dirname "$0")"

TIDEGATE=${TIDEGATE:-tidegate}
if ! command -v "$TIDEGATE" > /dev/null; then
  echo "tidegate is not on the PATH: name it by TIDEGATE=…" >&2
  exit 1
fi
"$TIDEGATE" plugin check --conformance plugin-name.wat
