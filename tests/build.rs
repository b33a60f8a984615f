//! Compiles the guests that tests load.

#[path = "../plugin-sdk/build-support/wasm.rs"]
mod wasm;

const GUESTS: &[wasm::Plugin] = &[
    wasm::Plugin { folder: "tests/guests/acts", package: "tidegate-guest-acts", name: "acts" },
    wasm::Plugin { folder: "tests/guests/panics", package: "tidegate-guest-panics", name: "panics" },
    wasm::Plugin { folder: "tests/guests/chooser", package: "tidegate-guest-chooser", name: "chooser" },
    wasm::Plugin { folder: "tests/guests/feedback", package: "tidegate-guest-feedback", name: "feedback" },
    wasm::Plugin { folder: "tests/guests/body-router", package: "tidegate-guest-body-router", name: "body-router" },
    wasm::Plugin { folder: "tests/guests/previews", package: "tidegate-guest-previews", name: "previews" },
    wasm::Plugin {
        folder: "tests/guests/template-balancer",
        package: "tidegate-guest-template-balancer",
        name: "template-balancer",
    },
    wasm::Plugin {
        folder: "tests/guests/template-router",
        package: "tidegate-guest-template-router",
        name: "template-router",
    },
    wasm::Plugin {
        folder: "tests/guests/template-rewriter",
        package: "tidegate-guest-template-rewriter",
        name: "template-rewriter",
    },
];

/// Alone, because features of the SDK that one guest of a build has, all of them have.
const SILENT: &[wasm::Plugin] =
    &[wasm::Plugin { folder: "tests/guests/silent", package: "tidegate-guest-silent", name: "silent" }];

/// Worked examples, for authors and for tests.
const EXAMPLES: &[wasm::Plugin] = &[
    wasm::Plugin { folder: "plugin-sdk/examples/canary", package: "tidegate-example-canary", name: "example-canary" },
    wasm::Plugin {
        folder: "plugin-sdk/examples/inference",
        package: "tidegate-example-inference",
        name: "example-inference",
    },
    wasm::Plugin {
        folder: "plugin-sdk/examples/rate-limit",
        package: "tidegate-example-rate-limit",
        name: "example-rate-limit",
    },
    wasm::Plugin { folder: "plugin-sdk/examples/sticky", package: "tidegate-example-sticky", name: "example-sticky" },
    wasm::Plugin { folder: "plugin-sdk/examples/tenant", package: "tidegate-example-tenant", name: "example-tenant" },
    // By name; a test says what else an example needs.
];

/// Those that are workspaces of their own.
const LONE_EXAMPLES: &[wasm::Plugin] =
    &[wasm::Plugin { folder: "plugin-sdk/examples/jwt", package: "tidegate-example-jwt", name: "example-jwt" }];

fn main() {
    // The sources of the guests that are templates.
    println!("cargo::rerun-if-changed=../plugin-sdk/templates/rust");
    if let Err(message) = build() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    wasm::build("..", GUESTS)?;
    wasm::build("..", SILENT)?;
    wasm::build("..", EXAMPLES)?;
    LONE_EXAMPLES.iter().try_for_each(|example| wasm::build_alone("..", example))
}
