//! Clients that speak HTTP/2 without having said so in TLS (RFC 9113 §3.3).

/// What they begin with, as far as HTTP/1.1 reads it: a head like any other, with a method that is kept for this and a
/// version that is refused (§3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// Whether `head` is the preface, or begins with it.
pub(super) fn begins(head: &[u8]) -> bool {
    head.starts_with(PREFACE)
}

/// Whether `head` is part of the preface: more of it has to come before it is known what it is.
pub(super) fn may_become(head: &[u8]) -> bool {
    PREFACE.starts_with(head)
}
