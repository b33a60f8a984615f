#!/bin/sh
# Builds plugin-name.wasm.
set -eu
cd "$(dirname "$0")"

# A build that fails leaves no older plugin-name.wasm behind, which would be checked in its place.
trap 'test $? = 0 || rm -f plugin-name.wasm' EXIT

target=wasm32-unknown-unknown
if ! command -v cargo > /dev/null; then
  echo "cargo is missing: install Rust by https://rustup.rs" >&2
  exit 1
fi
if ! test -d "$(rustc --print sysroot)/lib/rustlib/$target"; then
  echo "Rust's target $target is missing: rustup target add $target" >&2
  exit 1
fi
cargo build --release --target "$target" "$@"
cp "${CARGO_TARGET_DIR:-target}/$target/release/plugin_name.wasm" plugin-name.wasm
