//! Other implementations of HTTP/2, before and behind a gateway. What is not installed is named and left out.
//!
//! ```text
//! curl, nghttp, h2load, httpx, h2 (Python), node, grpcio, Chromium ──▶ gateway ──▶ node, grpcio, HAProxy, Envoy, Apache
//! HAProxy, Envoy, nginx ──▶ gateway
//! ```
//!
//! A program is looked for where `TIDEGATE_TEST_NAME` says (`TIDEGATE_TEST_ENVOY`, `TIDEGATE_TEST_PYTHON`), else in
//! `PATH`.

mod browser;
mod curl;
mod grpc;
mod nghttp2;
mod node;
mod program;
mod proxies;
mod python;

use tidegate_tests::{Gateway, Setup};

/// A listener with TLS for `localhost`, and where each request leads.
pub(super) const TLS: &str = r#"
[[listen]]
address = "127.0.0.1:0"
tls = { certificate = "cert.pem", key = "cert-key.pem" }
"#;

/// A gateway before one endpoint at `url` that speaks `protocol`; `more` are further lines of its cluster.
pub(super) fn before(url: &str, protocol: &str, more: &str) -> Setup {
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
         [cluster.pool]\nprotocol = \"{protocol}\"\nendpoints = [\"{url}\"]\n{more}\n"
    );
    Gateway::configure(&text)
}
