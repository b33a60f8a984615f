//! States of streams, their identifiers and dependencies: RFC 9113 §5, RFC 7540 §5.3.

use tidegate_tests::frames::{Frame, code, flag, request};

use super::Expected::{Goaway, GoesOn, Reset};
use super::{Check, PROTOCOL_ERROR, STREAM_CLOSED, get, get_on, post};

pub(super) const CHECKS: &[Check] = &[
    Check {
        section: "5.1",
        what: "idle: PRIORITY is taken",
        frames: || vec![Frame::priority(1, 0).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "5.1",
        what: "idle: DATA",
        frames: || vec![Frame::data(1, "a").ending().bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "5.1",
        what: "idle: RST_STREAM",
        frames: || vec![Frame::reset(1, code::CANCEL).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "5.1",
        what: "idle: WINDOW_UPDATE",
        frames: || vec![Frame::window_update(1, 100).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "5.1",
        what: "idle: CONTINUATION",
        frames: || vec![Frame::continuation(1, request("/")).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "5.1",
        what: "half-closed (remote): DATA",
        frames: || vec![get(), Frame::data(1, "a").ending().bytes()],
        expected: Reset(STREAM_CLOSED),
    },
    Check {
        section: "5.1",
        what: "half-closed (remote): HEADERS",
        frames: || vec![get(), get()],
        expected: Reset(STREAM_CLOSED),
    },
    Check {
        section: "5.1",
        what: "half-closed (remote): CONTINUATION",
        frames: || vec![get(), Frame::continuation(1, request("/")).bytes()],
        expected: Reset(STREAM_CLOSED),
    },
    Check {
        section: "5.1",
        what: "half-closed (remote): RST_STREAM is taken",
        frames: || vec![get(), Frame::reset(1, code::CANCEL).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "5.1",
        what: "closed by RST_STREAM: DATA",
        frames: || vec![post(&[]), Frame::reset(1, code::CANCEL).bytes(), Frame::data(1, "a").ending().bytes()],
        expected: Reset(STREAM_CLOSED),
    },
    Check {
        section: "5.1",
        what: "closed by RST_STREAM: HEADERS",
        frames: || vec![post(&[]), Frame::reset(1, code::CANCEL).bytes(), get()],
        expected: Reset(STREAM_CLOSED),
    },
    Check {
        section: "5.1",
        what: "closed by RST_STREAM: CONTINUATION",
        frames: || vec![post(&[]), Frame::reset(1, code::CANCEL).bytes(), Frame::continuation(1, []).bytes()],
        expected: Reset(STREAM_CLOSED),
    },
    Check {
        section: "5.1.1",
        what: "an even identifier",
        frames: || vec![get_on(2)],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "5.1.1",
        what: "an identifier below one that was used",
        frames: || vec![get_on(5), get_on(3)],
        expected: Goaway(STREAM_CLOSED),
    },
    Check {
        section: "5.3.1 of RFC 7540",
        what: "HEADERS that depend on themselves",
        frames: || {
            let block = [&[0, 0, 0, 1, 255][..], &request("/")].concat();
            vec![Frame::headers(1, block).ending().with(flag::PRIORITY).bytes()]
        },
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "5.3.1 of RFC 7540",
        what: "PRIORITY of a stream that depends on itself",
        frames: || vec![Frame::priority(2, 2).bytes()],
        expected: Reset(PROTOCOL_ERROR),
    },
];
