//! Responses of the gateway's own.

use ::http::{HeaderValue, Response, StatusCode, header};

use super::ResponseBody;

/// An extension of a response: no request of its connection has any prospect, whichever version carries it. HTTP/1.1 says
/// `Connection: close` for this and for more; over HTTP/2 a request that is refused leaves the others alone.
#[derive(Clone, Copy, Debug)]
pub struct LastOfConnection;

/// A response with one sentence for the person who reads it. It never carries names or addresses from inside.
#[must_use]
pub fn sentence(status: StatusCode, text: &str) -> Response<ResponseBody> {
    let reason = status.canonical_reason().unwrap_or("");
    let mut response = Response::new(ResponseBody::whole(format!("{} {reason}: {text}\n", status.as_str())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The same, and the connection ends with it: what follows on it cannot be trusted.
#[must_use]
pub fn last_sentence(status: StatusCode, text: &str) -> Response<ResponseBody> {
    let mut response = sentence(status, text);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
