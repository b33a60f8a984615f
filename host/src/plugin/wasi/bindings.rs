//! WASI 0.2 as Rust types, generated from `host/wit`.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "tidegate:wasi/offered",
    imports: { default: trappable },
});

pub use self::wasi::{cli, clocks, filesystem, io, random, sockets};
