//! Saying ahead of a body what comes behind it.

use ::http::header::{self, HeaderMap, HeaderValue};

use crate::http::message::grpc::is_grpc;

/// Names in Trailer what a gRPC response ends with, unless it names something itself: HTTP/2, which it comes from,
/// needs no such field, and HTTP/1.1 has no other way to know (RFC 9110 §6.6.2).
pub(super) fn declare(headers: &mut HeaderMap) {
    if is_grpc(headers) && !headers.contains_key(header::TRAILER) {
        headers.insert(header::TRAILER, HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin"));
    }
}
