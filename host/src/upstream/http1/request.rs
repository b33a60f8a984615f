//! The head of a request as it is written.

use ::http::{HeaderValue, Method};
use http_body::Body as _;

use super::super::RequestBody;

/// The head of a request, but for what says where its body ends.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// Method.
    pub method: &'a Method,
    /// Origin form (RFC 9112 §3.2.1): a path, and a query.
    pub target: &'a str,
    /// Value of Host.
    pub host: &'a HeaderValue,
    /// Other fields, as [`Fields::to_bytes`](crate::http::Fields::to_bytes) has them; nothing about framing.
    pub fields: &'a [u8],
    /// Whether these hold an `Expect: 100-continue`: then the body waits until the endpoint asks for it.
    pub expects: bool,
}

/// How a body is marked out (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// No body.
    Empty,
    /// So many bytes are to come.
    Length(u64),
    /// Chunks.
    Chunked,
}

impl Framing {
    /// How `body` is sent.
    pub(super) fn of(body: &RequestBody) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        body.size_hint().exact().map_or(Self::Chunked, Self::Length)
    }
}

impl RequestHead<'_> {
    /// The bytes of it.
    pub(super) fn to_bytes(self, framing: Framing) -> Vec<u8> {
        // Where a body is expected, its absence is said (RFC 9110 §8.6).
        let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(self.method);
        let digits;
        let framing: &[&[u8]] = match framing {
            Framing::Empty if expects_body => &[b"content-length: 0\r\n"],
            Framing::Empty => &[],
            Framing::Length(length) => {
                digits = length.to_string();
                &[b"content-length: ", digits.as_bytes(), b"\r\n"]
            }
            Framing::Chunked => &[b"transfer-encoding: chunked\r\n"],
        };
        let start: [&[u8]; 6] = [
            self.method.as_str().as_bytes(),
            b" ",
            self.target.as_bytes(),
            b" HTTP/1.1\r\nhost: ",
            self.host.as_bytes(),
            b"\r\n",
        ];
        let end: [&[u8]; 2] = [self.fields, b"\r\n"];
        let parts = || start.iter().chain(framing).chain(&end);
        let mut bytes = Vec::with_capacity(parts().map(|part| part.len()).sum());
        for part in parts() {
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
