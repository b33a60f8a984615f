//! Compiles the guests that tests load.

#[path = "../plugin-sdk/build-support/wasm.rs"]
mod wasm;

const GUESTS: &[wasm::Plugin] = &[
    wasm::Plugin { folder: "tests/guests/panics", package: "tidegate-guest-panics", name: "panics" },
    wasm::Plugin { folder: "tests/guests/feedback", package: "tidegate-guest-feedback", name: "feedback" },
];

fn main() {
    if let Err(message) = wasm::build("..", GUESTS) {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}
