//! Frames about the connection: SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE (RFC 9113 §6.5 to §6.9).

use tidegate_tests::frames::{Frame, flag, kind, request, setting};

use super::Expected::{Goaway, GoesOn, Reset, ResetOnly, Response};
use super::{Check, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR, get, post};

const MOST: u32 = (1 << 31) - 1;

pub(super) const CHECKS: &[Check] = &[
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
    Check {
        section: "6.8",
        what: "GOAWAY that is too short",
        frames: || vec![Frame::new(kind::GOAWAY, 0, 0, [0; 7]).bytes()],
        expected: Goaway(FRAME_SIZE_ERROR),
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
];
