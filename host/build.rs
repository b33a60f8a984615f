//! Compiles the shipped plugins, so that a clean clone needs no step by hand and none can be out of step with its
//! source; and lists what `tidegate plugin new` writes.

#[path = "../plugin-sdk/build-support/embed.rs"]
mod embed;
#[path = "../plugin-sdk/build-support/wasm.rs"]
mod wasm;

const WRITTEN: &[embed::List] = &[
    ("TEMPLATES", "../plugin-sdk/templates"),
    ("SDK", "../plugin-sdk/src"),
    ("DERIVE", "../plugin-sdk/derive/src"),
    ("WIT", "../plugin-sdk/wit/v0.1"),
];

const SHIPPED: &[wasm::Plugin] = &[
    wasm::Plugin { folder: "plugins/bybusyness", package: "tidegate-bybusyness", name: "bybusyness" },
    wasm::Plugin { folder: "plugins/byrequests", package: "tidegate-byrequests", name: "byrequests" },
    wasm::Plugin { folder: "plugins/bytraffic", package: "tidegate-bytraffic", name: "bytraffic" },
    wasm::Plugin { folder: "plugins/consistent-hash", package: "tidegate-consistent-hash", name: "consistent-hash" },
    wasm::Plugin { folder: "plugins/heartbeat", package: "tidegate-heartbeat", name: "heartbeat" },
    wasm::Plugin { folder: "plugins/least-busy", package: "tidegate-least-busy", name: "least-busy" },
    wasm::Plugin { folder: "plugins/peak-ewma", package: "tidegate-peak-ewma", name: "peak-ewma" },
    wasm::Plugin { folder: "plugins/prefix", package: "tidegate-prefix", name: "prefix" },
    wasm::Plugin { folder: "plugins/random", package: "tidegate-random", name: "random" },
    wasm::Plugin { folder: "plugins/reverse", package: "tidegate-reverse", name: "reverse" },
];

fn main() {
    // What the balancers share.
    println!("cargo::rerun-if-changed=../plugins/parts");
    let done = wasm::build("..", SHIPPED).and_then(|()| embed::lists("templates.rs", WRITTEN));
    if let Err(message) = done {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}
