//! The head of a request as it is written.

use std::io::Write as _;

use ::http::{HeaderName, HeaderValue, Method};
use http_body::Body as _;

use super::super::{RequestHead, ResendableBody};
use super::handshake::WebsocketKey;
use crate::http::Offer;

/// Bytes of a head besides its target and its fields: method, version, names and punctuation, and what frames the body.
const USUAL: usize = 128;

/// How a request's body is framed (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestFraming {
    /// No body.
    Empty,
    /// So many bytes are to come.
    Length(u64),
    /// Chunks.
    Chunked,
}

impl RequestFraming {
    /// How `body` is sent.
    pub(super) fn of(body: &ResendableBody) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        body.size_hint().exact().map_or(Self::Chunked, Self::Length)
    }
}

/// The bytes of `head`, in front of a body in this framing; with `key` where the handshake is the gateway's own.
pub(super) fn encode(head: &RequestHead<'_>, framing: RequestFraming, key: Option<&WebsocketKey>) -> Vec<u8> {
    let offered = head.offer.into_iter().flat_map(Offer::spellings).map(|spelling| spelling.len() + ", ".len());
    let fields = head.fields.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    let length = head.target.len() + head.authority.len() + offered.sum::<usize>();
    let mut bytes = Vec::with_capacity(USUAL + length + fields.sum::<usize>());
    push(&mut bytes, &[head.method.as_str().as_bytes(), b" ", head.target.as_bytes(), b" HTTP/1.1\r\nhost: "]);
    push(&mut bytes, &[head.authority.as_bytes(), b"\r\n"]);
    // Where a body is expected, its absence is said (RFC 9110 §8.6).
    let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(head.method);
    match framing {
        RequestFraming::Empty if expects_body => bytes.extend_from_slice(b"content-length: 0\r\n"),
        RequestFraming::Empty => {}
        RequestFraming::Length(length) => {
            // Writing to memory cannot fail.
            let _ = write!(bytes, "content-length: {length}\r\n");
        }
        RequestFraming::Chunked => bytes.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    for (name, value) in head.fields.iter() {
        push_field(&mut bytes, name, value);
    }
    if let Some(key) = key {
        push(&mut bytes, &[b"sec-websocket-key: ", key.as_str().as_bytes(), b"\r\n"]);
    }
    if let Some(offer) = head.offer {
        bytes.extend_from_slice(b"connection: Upgrade\r\nupgrade: ");
        for (index, spelling) in offer.spellings().enumerate() {
            push(&mut bytes, &[if index == 0 { b"" } else { b", " }, spelling.as_bytes()]);
        }
        bytes.extend_from_slice(b"\r\n");
    } else if head.fields.accepts_trailers() {
        // TE is for this hop, and has to be named as such (RFC 9110 §10.1.4).
        bytes.extend_from_slice(b"connection: TE\r\nte: trailers\r\n");
    }
    if head.expects_continue {
        bytes.extend_from_slice(b"expect: 100-continue\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// One line of fields.
pub(super) fn push_field(bytes: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    push(bytes, &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
}

fn push(bytes: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        bytes.extend_from_slice(part);
    }
}
