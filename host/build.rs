//! Compiles the shipped plugins, so that a clean clone needs no step by hand and none can be out of step with its
//! source.

#[path = "../plugin-sdk/build-support/wasm.rs"]
mod wasm;

const SHIPPED: &[wasm::Plugin] = &[
    wasm::Plugin { folder: "plugins/bybusyness", package: "tidegate-bybusyness", name: "bybusyness" },
    wasm::Plugin { folder: "plugins/prefix", package: "tidegate-prefix", name: "prefix" },
    wasm::Plugin { folder: "plugins/reverse", package: "tidegate-reverse", name: "reverse" },
];

fn main() {
    if let Err(message) = wasm::build("..", SHIPPED) {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}
