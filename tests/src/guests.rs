//! Plugins for tests, compiled from `tests/guests` by the build script.

/// A balancer that panics in `lose_the_tide_table`: with configuration `"always"` in every pick, else once the first
/// endpoint holds something.
pub const PANICS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/panics.wasm"));

/// Path of [`PANICS`].
pub const PANICS_FILE: &str = concat!(env!("OUT_DIR"), "/panics.wasm");

/// A balancer that takes turns, with feedback, handover and description; counts in `picks`, `opened`, `open ID` and
/// `closed ENDING`.
pub const FEEDBACK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/feedback.wasm"));

/// Path of [`FEEDBACK`].
pub const FEEDBACK_FILE: &str = concat!(env!("OUT_DIR"), "/feedback.wasm");

/// A chooser that does what the request's header `x-choose` says (`take ID UNITS`, `least UNITS`, `refuse STATUS AFTER`,
/// `count`), with feedback and handover; counts in `open`.
pub const CHOOSER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/chooser.wasm"));

/// Path of [`CHOOSER`].
pub const CHOOSER_FILE: &str = concat!(env!("OUT_DIR"), "/chooser.wasm");

/// Path of a router, balancer and rewriter that does what headers of a request say.
pub const ACTS_FILE: &str = concat!(env!("OUT_DIR"), "/acts.wasm");

/// Path of a chooser that takes the endpoint whose id the JSON field `to` of the body names, and refuses with what `ask`
/// asks for as seconds: `bytes`, `blocks` or `hash` of the beginning, of which it sees 4,096 bytes in blocks of 64.
pub const PREVIEWS_FILE: &str = concat!(env!("OUT_DIR"), "/previews.wasm");

/// Path of a router whose decisions are in the JSON of the body: `cluster`, `status`. It sees 256 bytes, or `bytes` of its
/// configuration, and tells how many there were in `x-seen` of the response.
pub const BODY_ROUTER_FILE: &str = concat!(env!("OUT_DIR"), "/body-router.wasm");

/// A balancer that takes the first, made without the SDK's feature `last-words`; panics where there is none.
pub const SILENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/silent.wasm"));

/// What `tidegate plugin new` begins with, by role, built as its `build.sh` does.
pub const TEMPLATES: [(&str, &[u8]); 3] = [
    ("balancer", include_bytes!(concat!(env!("OUT_DIR"), "/template-balancer.wasm"))),
    ("router", include_bytes!(concat!(env!("OUT_DIR"), "/template-router.wasm"))),
    ("rewriter", include_bytes!(concat!(env!("OUT_DIR"), "/template-rewriter.wasm"))),
];

/// Path of `tests/guests/NAME.wat`.
#[must_use]
pub fn wat(name: &str) -> String {
    format!("{}/guests/{name}.wat", env!("CARGO_MANIFEST_DIR"))
}

/// Path of what `plugin-sdk/examples/NAME` is built to.
#[must_use]
pub fn example(name: &str) -> String {
    format!("{}/example-{name}.wasm", env!("OUT_DIR"))
}
