//! Requests: RFC 9113 §8.

use tidegate_tests::frames::{Frame, block, code, flag, kind};

use super::Expected::{Goaway, Reset, ResetOnly, Response};
use super::{Check, PROTOCOL_ERROR, fields, get, get_with, post};

/// A POST, a part of its body, and trailers of these fields.
fn with_trailers(trailers: &[(&str, &str)]) -> Vec<Vec<u8>> {
    vec![post(&[]), Frame::data(1, "a").bytes(), Frame::headers(1, block(trailers)).ending().bytes()]
}

const HEAD: &[(&str, &str)] =
    &[(":method", "HEAD"), (":scheme", "http"), (":path", "/"), (":authority", "gateway.test")];

/// `Reset` is where the h2 library makes a connection error of it, since its decoder of header blocks refuses the field:
/// then the whole connection is closed, which RFC 9113 §5.4.1 allows. Everything else costs its stream alone.
pub(super) const CHECKS: &[Check] = &[
    Check { section: "8.1", what: "GET", frames: || vec![get()], expected: Response(1, 200) },
    Check { section: "8.1", what: "HEAD", frames: || vec![fields(HEAD)], expected: Response(1, 200) },
    Check {
        section: "8.1",
        what: "POST with trailers",
        frames: || with_trailers(&[("x-trailer", "a")]),
        expected: Response(1, 200),
    },
    Check {
        section: "8.1",
        what: "POST without DATA whose trailers end it",
        frames: || vec![post(&[]), Frame::headers(1, block(&[("x-trailer", "a")])).ending().bytes()],
        expected: Response(1, 200),
    },
    Check {
        section: "8.1",
        what: "trailers that do not end the stream",
        frames: || {
            vec![post(&[]), Frame::data(1, "a").bytes(), Frame::headers(1, block(&[("x-trailer", "a")])).bytes()]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.1",
        what: "a second head that does not end the stream",
        frames: || vec![post(&[]), post(&[])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a name in upper case",
        frames: || vec![get_with(&[("X-TEST", "a")])],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a name with a blank",
        frames: || vec![get_with(&[("x test", "a")])],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a name with a colon",
        frames: || vec![get_with(&[("x:test", "a")])],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "an empty name",
        frames: || vec![get_with(&[("", "a")])],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a value with CR LF",
        frames: || vec![get_with(&[("x-test", "a\r\nx-other: b")])],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a value with NUL",
        frames: || vec![get_with(&[("x-test", "a\0b")])],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a value that begins with a blank",
        frames: || vec![get_with(&[("x-test", " a")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.1",
        what: "a value that ends with a tab",
        frames: || vec![get_with(&[("x-test", "a\t")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "Connection",
        frames: || vec![get_with(&[("connection", "keep-alive")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "Transfer-Encoding",
        frames: || vec![post(&[("transfer-encoding", "chunked")]), Frame::data(1, "0\r\n\r\n").ending().bytes()],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "Keep-Alive",
        frames: || vec![get_with(&[("keep-alive", "5")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "Proxy-Connection",
        frames: || vec![get_with(&[("proxy-connection", "close")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "Upgrade",
        frames: || vec![get_with(&[("upgrade", "websocket")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "TE with another value than trailers",
        frames: || vec![get_with(&[("te", "trailers, deflate;q=0.5")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.2.2",
        what: "te: trailers",
        frames: || vec![get_with(&[("te", "trailers")])],
        expected: Response(1, 200),
    },
    Check {
        section: "8.3",
        what: "a pseudo-header field that nobody knows",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":path", "/"),
                (":authority", "gateway.test"),
                (":test", "a"),
            ])]
        },
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3",
        what: "a pseudo-header field of responses",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":path", "/"),
                (":authority", "gateway.test"),
                (":status", "200"),
            ])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3",
        what: "a pseudo-header field in trailers",
        frames: || with_trailers(&[(":method", "GET")]),
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3",
        what: "a pseudo-header field after others",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "gateway.test"),
                ("x-test", "a"),
                (":path", "/"),
            ])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: "an empty :path",
        frames: || {
            vec![fields(&[(":method", "GET"), (":scheme", "http"), (":authority", "gateway.test"), (":path", "")])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: "no :method",
        frames: || vec![fields(&[(":scheme", "http"), (":authority", "gateway.test"), (":path", "/")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: "no :scheme",
        frames: || vec![fields(&[(":method", "GET"), (":authority", "gateway.test"), (":path", "/")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: "no :path",
        frames: || vec![fields(&[(":method", "GET"), (":scheme", "http"), (":authority", "gateway.test")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: ":method twice",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "gateway.test"),
                (":path", "/"),
                (":method", "POST"),
            ])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: ":scheme twice",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "gateway.test"),
                (":path", "/"),
                (":scheme", "http"),
            ])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: ":path twice",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "gateway.test"),
                (":path", "/"),
                (":path", "/b"),
            ])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: ":authority twice",
        frames: || {
            vec![fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "gateway.test"),
                (":path", "/"),
                (":authority", "b"),
            ])]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.3.1",
        what: ":authority with userinfo",
        frames: || {
            vec![fields(&[(":method", "GET"), (":scheme", "http"), (":authority", "u@gateway.test"), (":path", "/")])]
        },
        expected: Response(1, 400),
    },
    Check {
        section: "8.1.1",
        what: "Content-Length that is not the length of DATA",
        frames: || vec![post(&[("content-length", "1")]), Frame::data(1, "test").ending().bytes()],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.1.1",
        what: "Content-Length that is not the sum of all DATA",
        frames: || {
            vec![post(&[("content-length", "1")]), Frame::data(1, "te").bytes(), Frame::data(1, "st").ending().bytes()]
        },
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.1.1",
        what: "Content-Length of a request without DATA",
        frames: || vec![get_with(&[("content-length", "1")])],
        expected: ResetOnly(PROTOCOL_ERROR),
    },
    Check {
        section: "8.4",
        what: "PUSH_PROMISE on an open stream",
        frames: || {
            let promise = [&[0, 0, 0, 3][..], &tidegate_tests::frames::request("/")].concat();
            vec![post(&[]), Frame::new(kind::PUSH_PROMISE, flag::END_HEADERS, 1, promise).bytes()]
        },
        expected: Goaway(&[code::PROTOCOL_ERROR]),
    },
];
