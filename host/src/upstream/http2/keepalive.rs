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

/// Watches one connection.
#[derive(Debug)]
pub(super) struct Keepalive {
    timer: Pin<Box<Sleep>>,
    /// Frames that had come when the connection was last polled, and when there was one more of them.
    seen: u64,
    heard: Instant,
    /// Asked, and nothing has come since.
    is_asked: bool,
    /// Whether the timer runs. It does not while no stream is open.
    runs: bool,
    pings: Option<PingPong>,
}

impl Keepalive {
    pub(super) fn new(pings: Option<PingPong>) -> Self {
        let timer = Box::pin(tokio::time::sleep(SILENCE));
        Self { timer, seen: 0, heard: Instant::now(), is_asked: false, runs: false, pings }
    }

    /// Ready once the connection is dead, or in the middle of a frame or header block for too long. To be polled whenever
    /// the connection is.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, wire: &Arc<Wire>, streams: &StreamCount) -> Poll<GivenUp> {
        let frames = wire.frames_read();
        if std::mem::replace(&mut self.seen, frames) != frames {
            self.heard = Instant::now();
            self.is_asked = false;
            streams.trust();
        }
        let is_doubted = streams.is_doubted();
        let is_needed = streams.open() > 0 || is_doubted;
        if !self.runs {
            if !is_needed {
                return Poll::Pending;
            }
            self.runs = true;
            self.heard = Instant::now();
            self.timer.as_mut().reset(self.heard + SILENCE);
        }
        if is_doubted && !self.is_asked && wire.unfinished().is_none() {
            self.ask(cx);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if !is_needed && !self.is_asked {
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
            if self.is_asked {
                return Poll::Ready(GivenUp::Unresponsive);
            }
            // Whatever came has moved the time, and not the timer.
            let due = self.heard + SILENCE;
            if due > Instant::now() {
                self.timer.as_mut().reset(due);
            } else {
                self.ask(cx);
            }
        }
        Poll::Pending
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        self.is_asked = true;
        self.timer.as_mut().reset(Instant::now() + PATIENCE);
        let Some(pings) = &mut self.pings else { return };
        // The library keeps the answer to the ping before until it is fetched.
        let _earlier = pings.poll_pong(cx);
        if pings.send_ping(Ping::opaque()).is_ok() {
            // The connection writes it when it is polled next.
            cx.waker().wake_by_ref();
        }
    }
}
