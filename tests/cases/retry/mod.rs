//! Requests that are sent again, and those that must not be.

mod bodies;
mod budget;
mod leaving;
mod statuses;
mod unanswered;

use http_body_util::Full;
use hyper::{Request, Response};
use tidegate_tests::{Gateway, Origin, OriginSetup, Setup};

/// A cluster of these two, with these lines in its section.
fn pool(first: &Origin, second: &Origin, lines: &str) -> Setup {
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n{lines}\n\
         endpoints = [\"http://{}\", \"http://{}\"]\n",
        first.address(),
        second.address()
    );
    Gateway::configure(&text)
}

/// An origin that answers every request with this status.
fn failing(name: &str, status: u16) -> OriginSetup {
    Origin::named(name)
        .answering(move |_| Some(Response::builder().status(status).body(Full::from("it failed")).unwrap()))
}

/// An origin that reads a head and as much of a body as is there at once, and closes.
fn breaking() -> OriginSetup {
    Origin::raw(|mut raw| async move {
        raw.read_head().await;
    })
}

fn request(method: &str, body: impl Into<bytes::Bytes>) -> Request<Full<bytes::Bytes>> {
    Request::builder().method(method).uri("/").header("host", "h").body(Full::from(body.into())).unwrap()
}
