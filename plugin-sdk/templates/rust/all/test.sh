#!/bin/sh
# Tests the plugin on this machine, without wasm.
set -eu
cd "$(dirname "$0")"

if ! command -v cargo > /dev/null; then
  echo "cargo is missing: install Rust by https://rustup.rs" >&2
  exit 1
fi
cargo test "$@"
