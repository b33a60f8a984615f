//! Whether an endpoint is still there while requests wait for it: PING (RFC 9113 §6.7), and an end to what has begun.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep};

use super::super::GivenUp;
use super::connection::StreamCount;
use crate::http::Wire;

/// How long nothing may come from an endpoint while streams are open, until it is asked.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// How long it may take to say that it is there.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// What is to be done when the time is over that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeepaliveStep {
    /// Nothing, for so long.
    Wait(Duration),
    /// Ask.
    Ping,
    /// The connection is dead.
    GiveUp,
}

/// Watches one connection.
#[derive(Debug)]
pub(super) struct Keepalive {
    timer: Pin<Box<Sleep>>,
    /// Frames that had come when the timer was last set.
    seen: u64,
    /// Asked, and nothing has come since.
    is_asked: bool,
    /// Whether the timer runs. It does not while no stream is open.
    runs: bool,
    pings: Option<PingPong>,
}

impl Keepalive {
    pub(super) fn new(pings: Option<PingPong>) -> Self {
        Self { timer: Box::pin(tokio::time::sleep(SILENCE)), seen: 0, is_asked: false, runs: false, pings }
    }

    /// Ready once the connection is dead, or in the middle of a frame or header block for too long. To be polled whenever the connection is.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, wire: &Arc<Wire>, streams: &StreamCount) -> Poll<GivenUp> {
        let is_needed = streams.open() > 0;
        if !self.runs {
            if !is_needed {
                return Poll::Pending;
            }
            self.runs = true;
            self.seen = wire.frames_read();
            self.is_asked = false;
            self.timer.as_mut().reset(Instant::now() + SILENCE);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if !is_needed {
                self.runs = false;
                return Poll::Pending;
            }
            // Nothing can be asked before the end of that, and nothing be replied.
            if let Some((_half, since)) = wire.unfinished() {
                let (due, now) = (since + SILENCE, Instant::now());
                if due <= now {
                    return Poll::Ready(GivenUp::Unfinished);
                }
                self.is_asked = false;
                self.timer.as_mut().reset(due);
                continue;
            }
            let frames = wire.frames_read();
            let has_come = std::mem::replace(&mut self.seen, frames) != frames;
            let wait = match decide(has_come, self.is_asked) {
                KeepaliveStep::Wait(wait) => wait,
                KeepaliveStep::Ping => {
                    self.ask(cx);
                    PATIENCE
                }
                KeepaliveStep::GiveUp => return Poll::Ready(GivenUp::Unresponsive),
            };
            self.is_asked = wait == PATIENCE;
            self.timer.as_mut().reset(Instant::now() + wait);
        }
        Poll::Pending
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        let Some(pings) = &mut self.pings else { return };
        // The library keeps the answer to the ping before until it is fetched.
        let _earlier = pings.poll_pong(cx);
        if pings.send_ping(Ping::opaque()).is_ok() {
            // The connection writes it when it is polled next.
            cx.waker().wake_by_ref();
        }
    }
}

fn decide(has_come: bool, is_asked: bool) -> KeepaliveStep {
    match (has_come, is_asked) {
        (true, _) => KeepaliveStep::Wait(SILENCE),
        (false, false) => KeepaliveStep::Ping,
        (false, true) => KeepaliveStep::GiveUp,
    }
}
