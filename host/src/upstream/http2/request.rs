//! The head of a request as HTTP/2 has it (RFC 9113 §8.3.1).

use ::http::header::{self, HeaderMap, HeaderValue};
use ::http::uri::{Authority, InvalidUri, PathAndQuery, Scheme, Uri};
use ::http::{Method, Request, Version};
use h2::ext::Protocol;
use http_body::Body as _;

use super::super::{RequestHead, ResendableBody, Unsendable};
use crate::http::grpc::is_grpc;
use crate::http::strip_for_http2;

/// `head` in front of `body`; asking for `protocol` if that is what it is for (RFC 8441 §4).
///
/// # Errors
/// What of it HTTP/2 has no place for.
pub(super) fn encode(
    head: &RequestHead<'_>,
    body: &ResendableBody,
    scheme: &Scheme,
    protocol: Option<Protocol>,
) -> Result<Request<()>, Unsendable> {
    const TARGET: Unsendable = Unsendable::Head("the request's target is none that HTTP/2 has a place for");
    const HOST: Unsendable = Unsendable::Head("the request's host is none that HTTP/2 has a place for");
    let authority = Authority::try_from(head.authority.as_bytes()).map_err(|_| HOST)?;
    let path = PathAndQuery::try_from(head.target).or_else(|_| escaped(head.target)).map_err(|_| TARGET)?;
    let uri = Uri::builder().scheme(scheme.clone()).authority(authority).path_and_query(path).build();
    let mut request = Request::new(());
    *request.uri_mut() = uri.map_err(|_| TARGET)?;
    *request.version_mut() = Version::HTTP_2;
    *request.method_mut() = if protocol.is_some() { Method::CONNECT } else { head.method.clone() };
    let fields = request.headers_mut();
    for (name, value) in head.fields.iter() {
        fields.append(name, value.clone());
    }
    strip_for_http2(fields);
    // What was said of trailers is said anew for each hop (RFC 9110 §10.1.4). Servers of gRPC reset calls that come without,
    // for they take it for a proxy that loses them. This one does not.
    if head.fields.accepts_trailers() || is_grpc(fields) {
        fields.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if head.expects_continue {
        fields.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
    }
    match protocol {
        Some(protocol) => {
            // The handshake of HTTP/1.1 is not that of HTTP/2 (RFC 8441 §5).
            fields.remove(header::SEC_WEBSOCKET_KEY);
            request.extensions_mut().insert(protocol);
        }
        None => say_length(fields, head.method, body),
    }
    Ok(request)
}

/// A target whose query has what the library lets stand in none, escaped as it is in paths (RFC 3986 §2.1).
fn escaped(target: &str) -> Result<PathAndQuery, InvalidUri> {
    PathAndQuery::try_from(target.replace('"', "%22").replace('<', "%3C").replace('>', "%3E"))
}

fn say_length(fields: &mut HeaderMap, method: &Method, body: &ResendableBody) {
    // Where a body is expected, its absence is said (RFC 9110 §8.6).
    let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    let length = match body.size_hint().exact() {
        _ if body.is_end_stream() => expects_body.then_some(0),
        length => length,
    };
    if let Some(length) = length {
        fields.insert(header::CONTENT_LENGTH, length.into());
    }
}
