//! What RFC 9113 and RFC 7541 say of each frame, state and field: sent to a gateway as frames, one connection for each.
//!
//! ```text
//! Check { section, what, frames, expected }         SETTINGS are exchanged, frames go out, this comes back
//! frames, control, streams, messages, compression   tables of them, by section
//! dialogues                                         where the second frame depends on what came back after the first
//! ```

mod compression;
mod control;
mod dialogues;
mod frames;
mod messages;
mod streams;

use tidegate_tests::frames::{Frame, Frames, block, code, flag, kind, request, status};
use tidegate_tests::{Gateway, Origin};

/// What the gateway does about the frames of a check.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// The request on this stream has a response with this status, and the connection goes on.
    Response(u32, u16),
    /// The connection goes on: a PING has its acknowledgement, and the next request its response.
    GoesOn,
    /// A stream error with one of these codes (RFC 9113 §5.4.2). It may be made a connection error with the same code.
    Reset(&'static [u32]),
    /// A stream error and nothing more: the connection goes on.
    ResetOnly(&'static [u32]),
    /// A connection error (RFC 9113 §5.4.1): GOAWAY with one of these codes, then the end.
    Goaway(&'static [u32]),
}

/// One sentence of a section.
struct Check {
    section: &'static str,
    what: &'static str,
    frames: fn() -> Vec<Vec<u8>>,
    expected: Expected,
}

/// A stream that checks leave free.
const AFTERWARDS: u32 = 1001;

const PROTOCOL_ERROR: &[u32] = &[code::PROTOCOL_ERROR];
const FRAME_SIZE_ERROR: &[u32] = &[code::FRAME_SIZE_ERROR];
const FLOW_CONTROL_ERROR: &[u32] = &[code::FLOW_CONTROL_ERROR];

// Where the h2 library closes a connection as it has to, with a code that says less than the one of the RFC: all of its
// header blocks that cannot be decoded, and all frames that come too late, are a PROTOCOL_ERROR.
const COMPRESSION_ERROR: &[u32] = &[code::COMPRESSION_ERROR, code::PROTOCOL_ERROR];
const STREAM_CLOSED: &[u32] = &[code::STREAM_CLOSED, code::PROTOCOL_ERROR];

/// A GET without a body on stream 1.
fn get() -> Vec<u8> {
    get_on(1)
}

fn get_on(stream: u32) -> Vec<u8> {
    Frame::headers(stream, request("/")).ending().bytes()
}

/// A POST on stream 1 whose body is still to come, with fields beside the pseudo-header fields.
fn post(more: &[(&str, &str)]) -> Vec<u8> {
    let fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "gateway.test")];
    Frame::headers(1, block(&[&fields[..], more].concat())).bytes()
}

/// A request on stream 1 with exactly these fields.
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    Frame::headers(1, block(fields)).ending().bytes()
}

/// A GET on stream 1 with fields after the pseudo-header fields.
fn get_with(more: &[(&str, &str)]) -> Vec<u8> {
    Frame::headers(1, [request("/"), block(more)].concat()).ending().bytes()
}

/// A GET with these bytes at the end of its header block.
fn get_and(bytes: &[u8]) -> Vec<u8> {
    Frame::headers(1, [&request("/"), bytes].concat()).ending().bytes()
}

impl Check {
    async fn made(&self, gateway: &Gateway) -> Result<(), String> {
        let mut frames = Frames::client(gateway.connect().await, &[]).await;
        frames.write(&(self.frames)().concat()).await;
        self.expected.comes(&mut frames).await
    }
}

impl Expected {
    async fn comes(self, frames: &mut Frames) -> Result<(), String> {
        match self {
            Self::Response(stream, expected) => {
                responds(frames, stream, expected).await?;
                goes_on(frames).await
            }
            Self::GoesOn => {
                let (before, is_pong) = frames.until_pong().await;
                let fault = before.iter().find(|frame| matches!(frame.kind, kind::GOAWAY | kind::RST_STREAM));
                match fault {
                    None if is_pong => goes_on(frames).await,
                    _ => Err(format!("the connection does not go on: {before:?}")),
                }
            }
            Self::Reset(codes) | Self::ResetOnly(codes) => match error(frames).await {
                Some(frame) if frame.code().is_some_and(|code| codes.contains(&code)) => match (frame.kind, self) {
                    (kind::RST_STREAM, _) => goes_on(frames).await,
                    (_, Self::Reset(_)) => Ok(()),
                    _ => Err(format!("a stream error became one of the connection: {frame:?}")),
                },
                other => Err(format!("expected an error with one of {codes:?}, found {other:?}")),
            },
            Self::Goaway(codes) => {
                let all = frames.rest().await;
                let last = all.iter().rfind(|frame| frame.kind == kind::GOAWAY);
                match last.and_then(Frame::code) {
                    Some(code) if codes.contains(&code) => Ok(()),
                    _ => Err(format!("expected GOAWAY with one of {codes:?}, found {all:?}")),
                }
            }
        }
    }
}

/// The next RST_STREAM or GOAWAY. A response on stream 1 may come before, but then nothing else may be under way.
async fn error(frames: &mut Frames) -> Option<Frame> {
    const OPAQUE: [u8; 8] = *b"no error";
    loop {
        let frame = frames.next().await?;
        let is_error = matches!(frame.kind, kind::GOAWAY | kind::RST_STREAM);
        let is_pong = frame.kind == kind::PING && frame.payload == OPAQUE;
        if is_error || is_pong {
            return Some(frame);
        }
        if frame.stream == 1 && matches!(frame.kind, kind::HEADERS | kind::DATA) && frame.has(flag::END_STREAM) {
            frames.send(&Frame::ping(OPAQUE)).await;
        }
    }
}

/// A response with this status comes on `stream`, to its end.
async fn responds(frames: &mut Frames, stream: u32, expected: u16) -> Result<(), String> {
    let mut found = None;
    loop {
        let frame = frames.next().await.ok_or("the connection ended instead of a response")?;
        if frame.kind == kind::GOAWAY || frame.kind == kind::RST_STREAM && frame.stream == stream {
            return Err(format!("expected a response with {expected}, found {frame:?}"));
        }
        if frame.stream == stream && frame.kind == kind::HEADERS {
            found = found.or(status(&frame.payload));
        }
        if frame.stream == stream && matches!(frame.kind, kind::HEADERS | kind::DATA) && frame.has(flag::END_STREAM) {
            return if found == Some(expected) { Ok(()) } else { Err(format!("expected {expected}, found {found:?}")) };
        }
    }
}

async fn goes_on(frames: &mut Frames) -> Result<(), String> {
    frames.write(&get_on(AFTERWARDS)).await;
    responds(frames, AFTERWARDS, 200).await.map_err(|why| format!("the connection does not go on: {why}"))
}

/// Makes all checks of a table at once; says which failed.
async fn check(table: &'static [Check]) {
    let origin = Origin::named("a").start().await;
    let gateway = std::sync::Arc::new(Gateway::before(&origin).await);
    let mut tasks = Vec::new();
    for check in table {
        let gateway = gateway.clone();
        tasks.push((check, tokio::spawn(async move { check.made(&gateway).await })));
    }
    let mut failed = Vec::new();
    for (check, task) in tasks {
        let why = match task.await {
            Ok(Ok(())) => continue,
            Ok(Err(why)) => why,
            Err(panicked) => panicked.to_string(),
        };
        failed.push(format!("§{} {}: {why:.400}", check.section, check.what));
    }
    assert!(failed.is_empty(), "{} of {} checks failed:\n{}", failed.len(), table.len(), failed.join("\n"));
}

#[tokio::test]
async fn frames_are_what_their_sections_say() {
    check(frames::CHECKS).await;
    check(control::CHECKS).await;
}

#[tokio::test]
async fn streams_go_through_their_states() {
    check(streams::CHECKS).await;
}

#[tokio::test]
async fn messages_are_taken_or_refused_as_their_sections_say() {
    check(messages::CHECKS).await;
}

#[tokio::test]
async fn header_blocks_are_decoded_or_refused() {
    check(compression::CHECKS).await;
}
