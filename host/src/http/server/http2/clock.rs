//! How long a connection may take, whatever its streams do.

use std::time::Duration;

use tokio::time::Instant;

use super::outflow::OutflowState;
use crate::http::http2::{Unfinished, Wire};
use crate::http::server::limits::ClientLimits;

/// How long a client may take to acknowledge the first GOAWAY of a drain, behind which the second follows (RFC 9113
/// §6.8), where nothing else is under way.
const GOING_AWAY: Duration = Duration::from_secs(1);

/// What a connection is at.
#[derive(Debug)]
pub(super) struct ConnectionClock {
    limits: ClientLimits,
    began: Instant,
    /// No stream is open, since then.
    idle: Option<Instant>,
    /// The client was asked to finish, then.
    asked: Option<Instant>,
    /// A GOAWAY that ends it has been said, then.
    closing: Option<Instant>,
}

/// What a connection must not do any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Be without SETTINGS, or in the middle of a header block.
    Head,
    /// Be in the middle of a frame.
    Frame,
    /// Be without a stream.
    Idle,
    /// Take nothing of what is written to it.
    Reader,
    /// Take its GOAWAY, or linger.
    Closing,
}

impl ConnectionClock {
    pub(super) fn new(limits: ClientLimits, now: Instant) -> Self {
        Self { limits, began: now, idle: Some(now), asked: None, closing: None }
    }

    /// Takes note of whether streams are open.
    pub(super) fn set_streams(&mut self, are_open: bool) {
        match (are_open, self.idle) {
            (true, Some(_)) => self.idle = None,
            (false, None) => self.idle = Some(Instant::now()),
            _ => {}
        }
    }

    /// The client has been asked to finish. When to look at the clock again.
    pub(super) fn ask(&mut self, now: Instant) -> Instant {
        self.asked = Some(now);
        now + GOING_AWAY
    }

    /// Its end has been said. When to look at the clock again.
    pub(super) fn close(&mut self, now: Instant) -> Instant {
        self.closing = Some(now);
        now + self.limits.linger
    }

    /// What it is measured by.
    pub(super) fn limits(&self) -> &ClientLimits {
        &self.limits
    }

    /// Whether its end has been said.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// What is overdue at `now`; else when to look again. That is late for nothing: whatever begins behind `now` has the
    /// shortest of the times at least.
    pub(super) fn look(&self, now: Instant, wire: &Wire, outflow: OutflowState) -> Result<Instant, Late> {
        let limits = &self.limits;
        let mut next = now + limits.head_timeout.min(limits.body_timeout).min(limits.idle_timeout);
        for (due, late) in self.dues(wire, outflow).into_iter().flatten() {
            if due <= now {
                return Err(late);
            }
            next = next.min(due);
        }
        Ok(next)
    }

    fn dues(&self, wire: &Wire, outflow: OutflowState) -> [Option<(Instant, Late)>; 5] {
        let limits = &self.limits;
        if let Some(closing) = outflow.lingering.or(self.closing) {
            return [Some((closing + limits.linger, Late::Closing)), None, None, None, None];
        }
        let reader = outflow.blocked.map(|since| (since + limits.idle_timeout, Late::Reader));
        // The first frame is part of how a connection begins (RFC 9113 §3.4): half of its head is, too.
        let has_begun = wire.has_settings() && wire.frames_read() > 0;
        let begun = (!has_begun).then(|| (self.began + limits.head_timeout, Late::Head));
        let unfinished = wire.unfinished().map(|(what, since)| match what {
            Unfinished::Preface => (self.began + limits.head_timeout, Late::Head),
            Unfinished::HeaderBlock => (since + limits.head_timeout, Late::Head),
            Unfinished::Frame => (since + limits.body_timeout, Late::Frame),
        });
        let idle = self.idle.map(|since| (since + limits.idle_timeout, Late::Idle));
        let asked = self.idle.zip(self.asked).map(|(idle, asked)| (idle.max(asked) + GOING_AWAY, Late::Idle));
        [begun, unfinished, reader, idle, asked]
    }
}
