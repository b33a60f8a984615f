//! Clients that attack: floods, half of something and silence, windows that never open.

mod endpoints;
mod floods;
mod resets;
mod slow;

use tidegate_tests::frames::{Frame, Frames, block, code, flag, kind, request, status};
use tidegate_tests::{Gateway, Origin};

/// A gateway before `origin` with these limits of its listener.
async fn limited(limits: &str, origin: &Origin) -> Gateway {
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = {{ {limits} }}\n\
         [[route]]\npath = \"/\"\nto = \"http://{{origin}}\"\n"
    );
    Gateway::configure(&text).put("origin", origin.address()).start().await
}

/// A connection as frames, SETTINGS exchanged.
async fn connected(gateway: &Gateway) -> Frames {
    Frames::client(gateway.connect().await, &[]).await
}

/// A GET for `path`.
fn get(stream: u32, path: &str) -> Frame {
    Frame::headers(stream, request(path)).ending()
}

/// A POST for `path` whose body is still to come.
fn post(stream: u32, path: &str) -> Frame {
    let fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "gateway.test")];
    Frame::headers(stream, block(&fields))
}

/// The status of the response on `stream`.
async fn response(frames: &mut Frames, stream: u32) -> Option<u16> {
    let head = frames.next_that(|frame| frame.kind == kind::HEADERS && frame.stream == stream).await?;
    status(&head.payload)
}

/// Reads to the end of the connection: the code of the last GOAWAY.
async fn goaway(frames: &mut Frames) -> Option<u32> {
    let all = frames.rest().await;
    all.iter().rfind(|frame| frame.kind == kind::GOAWAY).and_then(Frame::code)
}

/// A connection that is there while another is attacked.
struct Neighbour {
    frames: Frames,
    next: u32,
}

impl Neighbour {
    async fn of(gateway: &Gateway) -> Self {
        Self { frames: connected(gateway).await, next: 1 }
    }

    async fn is_served(&mut self) {
        self.frames.send(&get(self.next, "/neighbour")).await;
        assert_eq!(response(&mut self.frames, self.next).await, Some(200), "the neighbour is not served");
        self.next += 2;
    }
}

/// Frames that are sent over and over, on and on, with the next stream.
type Wave = fn(u32) -> Vec<Frame>;

/// Sends `wave` until the connection ends or `most` waves are out, `at_once` of them in each write: the code of the
/// GOAWAY.
async fn flooded(frames: &mut Frames, most: u32, at_once: u32, wave: Wave) -> Option<u32> {
    for first in (0..most).step_by(at_once as usize) {
        let waves = (first..most.min(first + at_once)).flat_map(|number| wave(1 + 2 * number));
        let bytes: Vec<u8> = waves.flat_map(|frame| frame.bytes()).collect();
        if !frames.try_write(&bytes).await {
            break;
        }
    }
    goaway(frames).await
}

/// Flags of a HEADERS frame that does not end its block.
fn unended(frame: Frame) -> Frame {
    frame.without(flag::END_HEADERS)
}

const CALM: Option<u32> = Some(code::ENHANCE_YOUR_CALM);
