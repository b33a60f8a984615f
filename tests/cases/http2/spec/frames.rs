//! Frames that carry messages, by their types: RFC 9113 §4, §6.1 to §6.4, §6.10, and what is of no type.

use tidegate_tests::frames::{Frame, PREFACE, flag, kind, request};

use super::Expected::{Goaway, GoesOn, Reset, Response};
use super::{Check, FRAME_SIZE_ERROR, PROTOCOL_ERROR, STREAM_CLOSED, get, get_on, post};

const LARGEST: usize = 1 << 14;

pub(super) const CHECKS: &[Check] = &[
    // 4: frames
    Check {
        section: "4.1",
        what: "a frame of an unknown type is ignored",
        frames: || vec![Frame::new(0x16, 0, 0, [0; 8]).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "4.1",
        what: "flags that a type does not have are ignored",
        frames: || vec![Frame::ping([0; 8]).with(0x16).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "4.1",
        what: "the reserved bit of a stream is ignored",
        frames: || vec![Frame { stream: 1 << 31, ..Frame::ping([0; 8]) }.bytes()],
        expected: GoesOn,
    },
    Check {
        section: "4.2",
        what: "DATA of 2^14 bytes",
        frames: || vec![post(&[]), Frame::data(1, [b'x'; LARGEST]).ending().bytes()],
        expected: Response(1, 200),
    },
    Check {
        section: "4.2",
        what: "DATA longer than SETTINGS_MAX_FRAME_SIZE",
        frames: || vec![post(&[]), Frame::data(1, vec![0; 1 << 17]).ending().bytes()],
        expected: Reset(FRAME_SIZE_ERROR),
    },
    Check {
        section: "4.2",
        what: "HEADERS longer than SETTINGS_MAX_FRAME_SIZE",
        frames: || vec![Frame::headers(1, vec![0x82; 1 << 17]).ending().bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
    },
    // 6.1: DATA
    Check {
        section: "6.1",
        what: "DATA in several frames",
        frames: || vec![post(&[]), Frame::data(1, "a").bytes(), Frame::data(1, "b").ending().bytes()],
        expected: Response(1, 200),
    },
    Check {
        section: "6.1",
        what: "DATA with padding",
        frames: || vec![post(&[]), Frame::data(1, *b"\x05body\0\0\0\0\0").with(flag::PADDED).ending().bytes()],
        expected: Response(1, 200),
    },
    Check {
        section: "6.1",
        what: "DATA on stream 0",
        frames: || vec![Frame::data(0, "a").ending().bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.1",
        what: "DATA with more padding than there is",
        frames: || vec![post(&[]), Frame::data(1, *b"\x06body").with(flag::PADDED).ending().bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    // 6.2: HEADERS
    Check {
        section: "6.2",
        what: "HEADERS with padding",
        frames: || {
            let padded = [&[5][..], &request("/"), &[0; 5]].concat();
            vec![Frame::headers(1, padded).ending().with(flag::PADDED).bytes()]
        },
        expected: Response(1, 200),
    },
    Check {
        section: "6.2",
        what: "HEADERS with priority",
        frames: || {
            let prior = [&[0, 0, 0, 0, 255][..], &request("/")].concat();
            vec![Frame::headers(1, prior).ending().with(flag::PRIORITY).bytes()]
        },
        expected: Response(1, 200),
    },
    Check { section: "6.2", what: "HEADERS on stream 0", frames: || vec![get_on(0)], expected: Goaway(PROTOCOL_ERROR) },
    Check {
        section: "6.2",
        what: "HEADERS with more padding than there is",
        frames: || vec![Frame::headers(1, [&[200][..], &request("/")].concat()).ending().with(flag::PADDED).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.2",
        what: "PRIORITY in the middle of a header block",
        frames: || {
            vec![Frame::headers(1, request("/")).without(flag::END_HEADERS).bytes(), Frame::priority(1, 0).bytes()]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.2",
        what: "HEADERS of another stream in the middle of a header block",
        frames: || vec![Frame::headers(1, request("/")).without(flag::END_HEADERS).bytes(), get_on(3)],
        expected: Goaway(PROTOCOL_ERROR),
    },
    // 6.3: PRIORITY
    Check {
        section: "6.3",
        what: "PRIORITY of each weight, exclusive and not, of streams that are not there",
        frames: || {
            let lightest = Frame::new(kind::PRIORITY, 0, 3, [0, 0, 0, 0, 0]);
            let exclusive = Frame::new(kind::PRIORITY, 0, 5, [0x80, 0, 0, 3, 7]);
            vec![lightest.bytes(), Frame::priority(1, 0).bytes(), exclusive.bytes(), get()]
        },
        expected: Response(1, 200),
    },
    Check {
        section: "6.3",
        what: "PRIORITY of a later stream does not close an earlier one",
        frames: || vec![Frame::priority(7, 0).bytes(), get()],
        expected: Response(1, 200),
    },
    Check {
        section: "6.3",
        what: "PRIORITY on stream 0",
        frames: || vec![Frame::priority(0, 1).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.3",
        what: "PRIORITY of another length",
        frames: || vec![post(&[]), Frame::new(kind::PRIORITY, 0, 1, [0, 0, 0, 0]).bytes()],
        expected: Reset(FRAME_SIZE_ERROR),
    },
    // 6.4: RST_STREAM
    Check {
        section: "6.4",
        what: "RST_STREAM of an open stream",
        frames: || vec![post(&[]), Frame::reset(1, 8).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "6.4",
        what: "RST_STREAM on stream 0",
        frames: || vec![Frame::reset(0, 8).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.4",
        what: "RST_STREAM of an idle stream",
        frames: || vec![Frame::reset(1, 8).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.4",
        what: "RST_STREAM of another length",
        frames: || vec![post(&[]), Frame::new(kind::RST_STREAM, 0, 1, [0, 0, 8]).bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
    },
    // 6.10: CONTINUATION
    Check {
        section: "6.10",
        what: "a header block in three frames",
        frames: || {
            let block = request("/");
            let (first, rest) = block.split_at(4);
            let (second, third) = rest.split_at(9);
            vec![
                Frame::headers(1, first).ending().without(flag::END_HEADERS).bytes(),
                Frame::continuation(1, second).without(flag::END_HEADERS).bytes(),
                Frame::continuation(1, third).bytes(),
            ]
        },
        expected: Response(1, 200),
    },
    Check {
        section: "6.10",
        what: "DATA after CONTINUATION that does not end the block",
        frames: || {
            vec![
                Frame::headers(1, request("/")).without(flag::END_HEADERS).bytes(),
                Frame::continuation(1, []).without(flag::END_HEADERS).bytes(),
                Frame::data(1, "a").ending().bytes(),
            ]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.10",
        what: "CONTINUATION on stream 0",
        frames: || {
            vec![Frame::headers(1, request("/")).without(flag::END_HEADERS).bytes(), Frame::continuation(0, []).bytes()]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.10",
        what: "CONTINUATION after HEADERS that ended the block",
        frames: || vec![post(&[]), Frame::continuation(1, []).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.10",
        what: "CONTINUATION after CONTINUATION that ended the block",
        frames: || {
            vec![
                Frame::headers(1, request("/")).without(flag::END_HEADERS).bytes(),
                Frame::continuation(1, []).bytes(),
                Frame::continuation(1, []).bytes(),
            ]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.10",
        what: "CONTINUATION after DATA",
        frames: || vec![post(&[]), Frame::data(1, "a").bytes(), Frame::continuation(1, []).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    // 7: error codes
    Check {
        section: "7",
        what: "RST_STREAM with a code that nobody knows",
        frames: || vec![post(&[]), Frame::reset(1, 0xff).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "3.4",
        what: "a second preface",
        frames: || vec![PREFACE.to_vec()],
        expected: Goaway(&[FRAME_SIZE_ERROR[0], PROTOCOL_ERROR[0]]),
    },
    // 5.5: extensions
    Check {
        section: "5.5",
        what: "a frame of an unknown type on a stream that is not there",
        frames: || vec![Frame::new(0xff, 0xff, 99, [0; 100]).bytes(), get()],
        expected: Response(1, 200),
    },
    Check {
        section: "5.5",
        what: "a frame of an unknown type in the middle of a header block",
        frames: || {
            vec![
                Frame::headers(1, request("/")).ending().without(flag::END_HEADERS).bytes(),
                Frame::new(0xff, 0, 0, [0; 8]).bytes(),
            ]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "5.4.1",
        what: "the connection ends after its GOAWAY",
        frames: || vec![Frame { stream: 1, ..Frame::ping([0; 8]) }.bytes(), get()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.1",
        what: "DATA on a stream whose request has ended",
        frames: || vec![get(), Frame::data(1, "a").ending().bytes()],
        expected: Reset(STREAM_CLOSED),
    },
];
