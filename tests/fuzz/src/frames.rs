//! HTTP/2 below its library: frames are followed through any cut as a plain reader sees them in one piece, and no fields
//! are left over that HTTP/2 must not carry.

use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate::http::{
    FrameBudget, FrameHead, FrameScanner, FrameType, WireSide, check_fields, join_cookies, strip_for_http2,
};
use tokio::time::Instant;

use crate::pieces::{cut, with_cuts};

/// One byte whose lowest bit says who sends, what is sent, and four bytes that say where it is cut. The same bytes are
/// lines of fields.
pub fn run(bytes: &[u8]) {
    let Some((side, rest)) = bytes.split_first() else { return };
    let side = if side & 1 == 0 { WireSide::Client } else { WireSide::Endpoint };
    let (sent, cuts) = with_cuts(rest);
    follow(side, sent, cuts);
    carry(rest);
}

fn follow(side: WireSide, bytes: &[u8], cuts: &[u8]) {
    let mut scanner = FrameScanner::new(side);
    let mut frames = Vec::new();
    for piece in cut(bytes, cuts) {
        scanner.scan(piece, |frame| frames.push(frame));
    }
    let preface = if side == WireSide::Client { 24 } else { 0 };
    assert_eq!(usize::from(scanner.preface_left()), preface - bytes.len().min(preface));
    let (expected, is_whole) = read(bytes.get(preface..).unwrap_or_default());
    assert_eq!(frames, expected);
    assert_eq!(scanner.is_in_frame(), !is_whole);

    let now = Instant::now();
    let mut budget = FrameBudget::new(now);
    let through = frames.iter().take_while(|frame| budget.received(frame, || now).is_ok()).count();
    assert!(through == frames.len() || frames.len() > 100, "{frames:?}");
}

/// The frames in `bytes`, and whether the last is complete.
fn read(mut bytes: &[u8]) -> (Vec<FrameHead>, bool) {
    const KINDS: [FrameType; 10] = [
        FrameType::Data,
        FrameType::Headers,
        FrameType::Priority,
        FrameType::Reset,
        FrameType::Settings,
        FrameType::PushPromise,
        FrameType::Ping,
        FrameType::GoAway,
        FrameType::WindowUpdate,
        FrameType::Continuation,
    ];
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let Some((head, rest)) = bytes.split_at_checked(9) else { return (frames, false) };
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let kind = KINDS.get(usize::from(head[3])).copied().unwrap_or(FrameType::Unknown);
        let flags = head[4];
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        let is_padded = kind == FrameType::Data && flags & 8 != 0 && length > 0;
        let content = match rest.first() {
            _ if !is_padded => length,
            Some(padding) => length.saturating_sub(1 + u32::from(*padding)),
            // Not known, so that nothing has been seen.
            None => return (frames, false),
        };
        frames.push(FrameHead { kind, flags, stream, length, content });
        let Some(next) = rest.get(length as usize..) else { return (frames, false) };
        bytes = next;
    }
    (frames, true)
}

fn carry(bytes: &[u8]) {
    let mut fields = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            fields.append(name, value);
        }
    }
    fields.values_mut().for_each(|value| *value = HeaderValue::from_bytes(value.as_bytes().trim_ascii()).unwrap());

    strip_for_http2(&mut fields);
    assert_eq!(check_fields(&fields), Ok(()), "{fields:?}");
    let stripped = fields.clone();
    strip_for_http2(&mut fields);
    assert_eq!(fields, stripped);

    let cookies = |fields: &HeaderMap| fields.get_all("cookie").iter().map(|value| value.len()).collect::<Vec<_>>();
    let before = cookies(&fields);
    join_cookies(&mut fields);
    assert!(cookies(&fields).len() <= 1);
    assert!(before.iter().sum::<usize>() <= cookies(&fields).iter().sum(), "no piece is lost");
    assert_eq!(check_fields(&fields), Ok(()), "{fields:?}");
}
