//! Frames by their types: RFC 9113 §4 and §6.

use tidegate_tests::frames::{Frame, PREFACE, flag, kind, request, setting};

use super::Expected::{Goaway, GoesOn, Reset, ResetOnly, Response};
use super::{Check, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR, STREAM_CLOSED, get, get_on, post};

const LARGEST: usize = 1 << 14;
const MOST: u32 = (1 << 31) - 1;

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
    // 6.5: SETTINGS
    Check {
        section: "6.5",
        what: "an acknowledgement with a payload",
        frames: || vec![Frame { payload: vec![0], ..Frame::settings_ack() }.bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
    },
    Check {
        section: "6.5",
        what: "SETTINGS on a stream",
        frames: || vec![Frame { stream: 1, ..Frame::settings(&[(setting::MAX_CONCURRENT_STREAMS, 100)]) }.bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.5",
        what: "SETTINGS whose length is no multiple of 6",
        frames: || vec![Frame::new(kind::SETTINGS, 0, 0, [0, 3, 0]).bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
    },
    Check {
        section: "6.5.2",
        what: "ENABLE_PUSH that is neither 0 nor 1",
        frames: || vec![Frame::settings(&[(setting::ENABLE_PUSH, 2)]).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.5.2",
        what: "INITIAL_WINDOW_SIZE above 2^31-1",
        frames: || vec![Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, MOST + 1)]).bytes()],
        expected: Goaway(FLOW_CONTROL_ERROR),
    },
    Check {
        section: "6.5.2",
        what: "MAX_FRAME_SIZE below 2^14",
        frames: || vec![Frame::settings(&[(setting::MAX_FRAME_SIZE, (1 << 14) - 1)]).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.5.2",
        what: "MAX_FRAME_SIZE above 2^24-1",
        frames: || vec![Frame::settings(&[(setting::MAX_FRAME_SIZE, 1 << 24)]).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.5.2",
        what: "a setting that nobody knows is ignored",
        frames: || vec![Frame::settings(&[(0xff, 1)]).bytes(), get()],
        expected: Response(1, 200),
    },
    // 6.6 and 8.4: PUSH_PROMISE
    Check {
        section: "8.4",
        what: "PUSH_PROMISE from a client",
        frames: || {
            vec![
                Frame::new(kind::PUSH_PROMISE, flag::END_HEADERS, 1, [&[0, 0, 0, 3][..], &request("/")].concat())
                    .bytes(),
            ]
        },
        expected: Goaway(PROTOCOL_ERROR),
    },
    // 6.7: PING
    Check {
        section: "6.7",
        what: "an acknowledgement that nobody waits for",
        frames: || vec![Frame::ping(*b"nobody's").with(flag::ACK).bytes()],
        expected: GoesOn,
    },
    Check {
        section: "6.7",
        what: "PING on a stream",
        frames: || vec![Frame { stream: 1, ..Frame::ping([0; 8]) }.bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.7",
        what: "PING of another length",
        frames: || vec![Frame::new(kind::PING, 0, 0, [0; 6]).bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
    },
    // 6.8: GOAWAY
    Check {
        section: "6.8",
        what: "GOAWAY on a stream",
        frames: || vec![Frame { stream: 1, ..Frame::goaway(0, 0) }.bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    // 6.9: WINDOW_UPDATE
    Check {
        section: "6.9",
        what: "WINDOW_UPDATE of the connection and of a stream",
        frames: || {
            vec![
                Frame::window_update(0, 1).bytes(),
                post(&[]),
                Frame::window_update(1, 1).bytes(),
                Frame::data(1, "").ending().bytes(),
            ]
        },
        expected: Response(1, 200),
    },
    Check {
        section: "6.9",
        what: "WINDOW_UPDATE of the connection by 0",
        frames: || vec![Frame::window_update(0, 0).bytes()],
        expected: Goaway(PROTOCOL_ERROR),
    },
    Check {
        section: "6.9",
        what: "WINDOW_UPDATE of a stream by 0",
        frames: || vec![post(&[]), Frame::window_update(1, 0).bytes()],
        expected: Reset(PROTOCOL_ERROR),
    },
    Check {
        section: "6.9",
        what: "WINDOW_UPDATE of another length",
        frames: || vec![Frame::new(kind::WINDOW_UPDATE, 0, 0, [0, 0, 1]).bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
    },
    Check {
        section: "6.9.1",
        what: "a window of the connection above 2^31-1",
        frames: || vec![Frame::window_update(0, MOST).bytes(), Frame::window_update(0, MOST).bytes()],
        expected: Goaway(FLOW_CONTROL_ERROR),
    },
    Check {
        section: "6.9.1",
        what: "a window of a stream above 2^31-1",
        frames: || vec![post(&[]), Frame::window_update(1, MOST).bytes(), Frame::window_update(1, MOST).bytes()],
        expected: ResetOnly(FLOW_CONTROL_ERROR),
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
