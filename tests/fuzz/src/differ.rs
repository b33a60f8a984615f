//! hyper's server beside the gateway's own look at framing: whatever a client sends, hyper sees the requests that were
//! judged, in their order, and never another.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tidegate::http::Framing;
use tokio::io::{join, sink};

use crate::pieces::{pass, with_cuts};

/// What a client sends, and four bytes that say where it is cut.
pub fn run(bytes: &[u8]) {
    let (bytes, cuts) = with_cuts(bytes);
    differ(&mut Framing::new(16 * 1024), bytes, cuts);
}

/// Feeds `bytes`, cut after so many bytes as `cuts` say in turn, and asserts it. What framing lets through.
pub(crate) fn differ(framing: &mut Framing, bytes: &[u8], cuts: &[u8]) -> Vec<u8> {
    let (passed, judged) = pass(framing, bytes, cuts);
    let seen = served(&passed);
    assert!(seen.len() <= judged.len(), "hyper saw {seen:?}, judged were {judged:?}");
    for (seen, judged) in seen.iter().zip(&judged) {
        assert!(judged.starts_with(seen), "hyper saw {seen}, judged was {judged}");
    }
    passed
}

/// Method and target of every request that hyper makes of `bytes`, bodies read to their end.
fn served(bytes: &[u8]) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let line = format!("{} {} ", request.method(), request.uri());
            if let Ok(mut seen) = seen.lock() {
                seen.push(line);
            }
            let _broken = request.into_body().collect().await;
            Ok::<_, Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
        }
    });
    let io = TokioIo::new(join(bytes, sink()));
    let connection = http1::Builder::new().half_close(true).header_read_timeout(None).serve_connection(io, service);
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() {
        let _refused = runtime.block_on(connection);
    }
    seen.lock().map(|seen| seen.clone()).unwrap_or_default()
}
