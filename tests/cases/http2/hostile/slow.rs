//! Half of something, and silence; windows that never open.

use tidegate_tests::frames::{Frame, Frames, PREFACE, code, flag, kind, setting};
use tidegate_tests::{Origin, eventually};

use super::{Neighbour, connected, get, goaway, limited, post, response, unended};

#[tokio::test]
async fn what_begins_and_does_not_go_on_is_closed() {
    let origin = Origin::named("a").start().await;
    let limits = "head_timeout = \"200ms\", body_timeout = \"200ms\", idle_timeout = \"1h\"";
    let gateway = limited(limits, &origin).await;
    let whole = get(1, "/").bytes();
    let settings = Frame::settings(&[]).bytes();
    let behind_settings: &[(&str, Vec<u8>)] = &[
        ("half the head of a frame", whole[..5].to_vec()),
        ("half a header block", whole[..20].to_vec()),
        ("a header block without its end", unended(get(1, "/")).bytes()),
        ("half of its CONTINUATION", [&unended(get(1, "/")).bytes()[..], &[0, 0, 9, 9, 0, 0, 0, 0, 1, 0]].concat()),
        ("half a PING", Frame::ping([0; 8]).bytes()[..12].to_vec()),
        ("half an unknown frame", Frame::new(0xee, 0, 0, [0; 50]).bytes()[..40].to_vec()),
    ];
    let mut cases = vec![("half the preface", PREFACE[..20].to_vec()), ("the preface alone", PREFACE.to_vec())];
    cases.push(("half of SETTINGS", [PREFACE, &settings[..7]].concat()));
    cases.extend(behind_settings.iter().map(|(what, bytes)| (*what, [PREFACE, &settings, bytes].concat())));

    for (what, bytes) in cases {
        let mut frames = Frames::new(gateway.connect().await);
        frames.write(&bytes).await;

        let all = frames.rest().await;

        let codes: Vec<_> = all.iter().filter_map(Frame::code).collect();
        assert!(codes.iter().all(|code| *code == code::NO_ERROR), "{what}: {all:?}");
    }
    eventually("no connection is left", || gateway.metric("tidegate_connections_open") == 0.0).await;
}

/// Half the head of the first frame is half of how a connection begins: it has that time, and not that of a frame.
#[tokio::test]
async fn half_of_the_first_frame_is_closed_in_the_time_for_heads() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("head_timeout = \"200ms\", body_timeout = \"1h\", idle_timeout = \"1h\"", &origin).await;
    for count in 1..9 {
        let mut frames = Frames::new(gateway.connect().await);
        frames.write(&[PREFACE, &Frame::settings(&[]).bytes()[..count]].concat()).await;

        assert_eq!(goaway(&mut frames).await, Some(code::NO_ERROR), "{count}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_go_on_has_its_stream_ended_and_no_other() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("body_timeout = \"200ms\"", &origin).await;
    let mut frames = connected(&gateway).await;

    frames.send(&post(1, "/")).await;
    frames.send(&Frame::data(1, "some")).await;

    assert_eq!(response(&mut frames, 1).await, Some(408));
    frames.send(&get(3, "/")).await;
    assert_eq!(response(&mut frames, 3).await, Some(200));
}

#[tokio::test]
async fn streams_whose_windows_never_open_are_reset_and_the_connection_goes_on() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("idle_timeout = \"500ms\"", &origin).await;
    let mut frames = Frames::client(gateway.connect().await, &[(setting::INITIAL_WINDOW_SIZE, 0)]).await;

    let streams: Vec<u32> = (0..50).map(|number| 1 + 2 * number).collect();
    for stream in &streams {
        frames.send(&get(*stream, "/")).await;
    }
    let mut left = streams.clone();
    while !left.is_empty() {
        let reset = frames.next_that(|frame| frame.kind == kind::RST_STREAM).await.expect("a reset of each");
        assert_eq!(reset.code(), Some(code::CANCEL));
        left.retain(|stream| *stream != reset.stream);
    }

    eventually("all leases are given back", || gateway.in_flight(&origin) == 0).await;
    frames.send(&get(1001, "/")).await;
    frames.send(&Frame::window_update(1001, 60_000)).await;
    assert_eq!(response(&mut frames, 1001).await, Some(200));
    let end = frames.next_that(|frame| frame.stream == 1001 && frame.has(flag::END_STREAM)).await;
    assert!(end.is_some());
}

#[tokio::test]
async fn a_stream_that_is_not_read_does_not_stall_its_neighbours() {
    let origin = Origin::raw(|mut raw| async move {
        while let Some(head) = raw.read_head().await {
            let body = if head.starts_with("GET /large") { vec![b'x'; 4 << 20] } else { b"small".to_vec() };
            raw.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).await;
            raw.write(&body).await;
        }
    });
    let origin = origin.start().await;
    let gateway = limited("", &origin).await;
    let mut frames = connected(&gateway).await;
    frames.send(&Frame::window_update(0, 1 << 30)).await;

    frames.send(&get(1, "/large")).await;
    let mut taken = 0;
    while taken < 65_535 {
        let data = frames.next_that(|frame| frame.kind == kind::DATA && frame.stream == 1).await.expect("its begin");
        taken += data.payload.len();
    }

    for stream in [3, 5, 7] {
        frames.send(&get(stream, "/small")).await;
        assert_eq!(response(&mut frames, stream).await, Some(200), "stream {stream}");
        let end = frames.next_that(|frame| frame.stream == stream && frame.has(flag::END_STREAM)).await;
        assert_eq!(end.unwrap().payload, b"small");
    }
    let mut neighbour = Neighbour::of(&gateway).await;
    neighbour.is_served().await;
}

#[tokio::test]
async fn an_upload_that_is_not_read_does_not_stall_its_neighbours_and_a_window_that_is_overrun_is_an_error() {
    let origin = Origin::raw(|mut raw| async move {
        let head = raw.read_head().await.unwrap_or_default();
        if head.starts_with("POST") {
            // Nothing of the body is read.
            return std::future::pending().await;
        }
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    });
    let origin = origin.start().await;
    let gateway = limited("", &origin).await;
    let mut frames = connected(&gateway).await;

    frames.send(&post(1, "/")).await;
    // As much as the windows let: the client never gets so much for the stream that the connection has nothing left.
    let (mut stream_window, piece) = (65_535_i64, 16_000_i64);
    loop {
        while stream_window >= piece {
            frames.send(&Frame::data(1, vec![0; 16_000])).await;
            stream_window -= piece;
        }
        let (frames_before, goes_on) = frames.until_pong().await;
        assert!(goes_on);
        let opened: i64 = frames_before
            .iter()
            .filter(|frame| frame.kind == kind::WINDOW_UPDATE && frame.stream == 1)
            .map(|frame| i64::from(u32::from_be_bytes(frame.payload[..4].try_into().unwrap())))
            .sum();
        stream_window += opened;
        if opened == 0 {
            break;
        }
    }
    frames.send(&get(3, "/")).await;
    assert_eq!(response(&mut frames, 3).await, Some(200));

    // More than the window of a stream (RFC 9113 §6.9.1), again and again: what the endpoint's system takes may have opened
    // it in between.
    let reset = loop {
        for _ in 0..5 {
            frames.send(&Frame::data(1, vec![0; 16_000])).await;
        }
        let (before, goes_on) = frames.until_pong().await;
        assert!(goes_on);
        if let Some(reset) = before.iter().find(|frame| frame.kind == kind::RST_STREAM && frame.stream == 1) {
            break reset.code();
        }
    };
    assert_eq!(reset, Some(code::FLOW_CONTROL_ERROR));
    frames.send(&get(5, "/")).await;
    assert_eq!(response(&mut frames, 5).await, Some(200));
}

#[tokio::test]
async fn a_connection_without_a_stream_is_closed_when_it_is_idle() {
    let origin = Origin::named("a").start().await;
    let gateway = limited("idle_timeout = \"200ms\"", &origin).await;
    let mut frames = connected(&gateway).await;

    assert_eq!(goaway(&mut frames).await, Some(code::NO_ERROR));
}
