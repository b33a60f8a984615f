//! What of gRPC a gateway has to know: its requests, and how it reads a status.
//!
//! A gRPC client reads `grpc-status` and not the status of HTTP. So what the gateway itself says to it is a response of
//! one head, which is all trailers ("Trailers-Only", gRPC over HTTP/2), with the status that gRPC has for such cases.

use std::fmt::Write as _;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::{Response, StatusCode};

use super::ResponseBody;

/// Whether the content of a message is of gRPC: `application/grpc`, with or without a coding behind it
/// (`application/grpc+proto`), and not `application/grpc-web`, which says its status in the body.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(content) = headers.get(header::CONTENT_TYPE) else { return false };
    let rest = content.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest, [] | [b'+' | b';' | b' ', ..]))
}

/// `response` as a gRPC client reads it, with `message` for the person who reads that.
#[must_use]
pub fn trailers_only(mut response: Response<ResponseBody>, message: &str) -> Response<ResponseBody> {
    let status = status_of(response.status());
    *response.body_mut() = ResponseBody::empty();
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from(status));
    if let Ok(message) = HeaderValue::try_from(percent_encoded(message)) {
        headers.insert(HeaderName::from_static("grpc-message"), message);
    }
    response
}

/// The code of gRPC for a status of HTTP (gRPC's own mapping, `http-grpc-status-mapping.md`, which Envoy follows for
/// its replies).
fn status_of(status: StatusCode) -> u16 {
    match status.as_u16() {
        400 | 431 => 13,             // INTERNAL
        401 => 16,                   // UNAUTHENTICATED
        403 => 7,                    // PERMISSION_DENIED
        404 => 12,                   // UNIMPLEMENTED
        429 | 502 | 503 | 504 => 14, // UNAVAILABLE
        _ => 2,                      // UNKNOWN
    }
}

/// A message as grpc-message has it: printable ASCII as it is, but for `%`.
fn percent_encoded(message: &str) -> String {
    message.bytes().fold(String::with_capacity(message.len()), |mut text, byte| {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            text.push(char::from(byte));
        } else {
            // Writing to memory cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::reply;

    #[test]
    fn content_of_grpc_is_known_with_its_coding_and_without() {
        for (content, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("text/plain", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content))]);

            assert_eq!(is_grpc(&headers), expected, "{content}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn a_failure_is_a_head_with_a_status_of_grpc() {
        let failure = reply::sentence(StatusCode::SERVICE_UNAVAILABLE, "none is left");

        let response = trailers_only(failure, "100% of them are gone: é");

        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert_eq!(response.headers()["grpc-status"], "14");
        assert_eq!(response.headers()["grpc-message"], "100%25 of them are gone: %C3%A9");
        assert!(http_body::Body::is_end_stream(response.body()));
    }
}
