#!/bin/sh
# Builds plugin-name.wasm.
set -eu
cd "$(dirname "$0")"

if ! command -v cargo > /dev/null; then
  echo "cargo is missing: install Rust by https://rustup.rs" >&2
  exit 1
fi
cargo build --release --target wasm32-unknown-unknown
cp target/wasm32-unknown-unknown/release/plugin_name.wasm plugin-name.wasm
