//! When a quiet websocket is pinged, and which side has not answered.

use std::task::Context;
use std::time::Duration;

use tokio::time::Instant;

use super::inspector::Inspector;
use super::pinged::PingPayload;
use super::pipe::Pipe;
use crate::clock::Clock;
use crate::net::Duplex;

/// The clock of a tunnel that is pinged.
#[derive(Debug)]
pub struct PingSchedule {
    /// Quiet time before a Ping, and time for its Pong.
    every: Duration,
    /// When the last Pings went out, and to whom.
    asked: Option<(Instant, Pinged)>,
    to_client: PingPayload,
    to_endpoint: PingPayload,
}

/// Who got a Ping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pinged {
    pub(super) client: bool,
    pub(super) endpoint: bool,
}

/// Both directions of a tunnel, and where they lead.
pub(super) struct PingedSides<'s, I> {
    pub(super) up: &'s mut Pipe<I>,
    pub(super) down: &'s mut Pipe<I>,
    pub(super) client: &'s mut Duplex,
    pub(super) endpoint: &'s mut Duplex,
}

/// What came of looking at a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PingOutcome {
    /// It is to be looked at again, then; these got a Ping now.
    Wait(Instant, Pinged),
    /// The client did not answer.
    ClientSilent,
    /// The endpoint did not.
    EndpointSilent,
}

/// What is to be done about a tunnel now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PingStep {
    /// Nothing before that.
    Wait(Instant),
    /// Both sides are to be pinged.
    Ask,
    /// The same, unless one of these, who got the last, has not been heard from since.
    Judge(Pinged),
}

impl PingSchedule {
    /// One that pings after `every` without a byte, with payloads of its own.
    pub(super) fn new(every: Duration) -> Self {
        let [to_client, to_endpoint] = [(); 2].map(|()| PingPayload::new(Clock::System.random()));
        Self { every, asked: None, to_client, to_endpoint }
    }

    /// Quiet time before a Ping.
    pub(super) fn every(&self) -> Duration {
        self.every
    }

    /// What the client's Pongs carry.
    pub(super) fn to_client(&self) -> PingPayload {
        self.to_client
    }

    /// What the endpoint's carry.
    pub(super) fn to_endpoint(&self) -> PingPayload {
        self.to_endpoint
    }

    /// Looks at `now` at a tunnel through which a byte of the sides' own went at `last_byte` at the latest, and pings them
    /// if it is time. Whoever is in the middle of a frame, has closed, or does not take what there is, gets none.
    pub(super) fn look<I: Inspector>(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        last_byte: Instant,
        sides: PingedSides<'_, I>,
    ) -> PingOutcome {
        let PingedSides { up, down, client, endpoint } = sides;
        let was_asked = match self.step(now, last_byte) {
            PingStep::Wait(due) => return PingOutcome::Wait(due, Pinged::default()),
            PingStep::Ask => Pinged::default(),
            PingStep::Judge(asked) => asked,
        };
        // Who has closed since it was asked owes no Pong (RFC 6455 §5.5.1).
        let has_heard = Pinged { client: up.take_heard(), endpoint: down.take_heard() };
        if was_asked.client && !has_heard.client && up.has_source() {
            return PingOutcome::ClientSilent;
        }
        if was_asked.endpoint && !has_heard.endpoint && down.has_source() {
            return PingOutcome::EndpointSilent;
        }
        let asks = Pinged {
            client: up.has_source() && down.takes_message(),
            endpoint: down.has_source() && up.takes_message(),
        };
        if asks.client {
            down.put_message(cx, &self.to_client.to_client(), client);
        }
        if asks.endpoint {
            let [mask @ .., _, _, _, _] = Clock::System.random().to_be_bytes();
            up.put_message(cx, &self.to_endpoint.to_endpoint(mask), endpoint);
        }
        self.asked = Some((now, asks));
        PingOutcome::Wait(now + self.every, asks)
    }

    /// What to do at `now`. Where a byte went through since the Pings, nobody is judged by these: who is alive answers to
    /// the next, which wait until it is quiet again.
    fn step(&self, now: Instant, last_byte: Instant) -> PingStep {
        let unanswered = self.asked.filter(|(at, _)| *at >= last_byte);
        let due = unanswered.map_or(last_byte, |(at, _)| at) + self.every;
        match unanswered {
            _ if now < due => PingStep::Wait(due),
            Some((_, asked)) => PingStep::Judge(asked),
            None => PingStep::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Pinged = Pinged { client: true, endpoint: true };

    #[tokio::test(start_paused = true)]
    async fn pings_go_out_where_it_is_quiet_and_are_judged_where_it_stays_so() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        for (asked, last_byte, now, expected) in [
            (None, 0, 0, PingStep::Wait(at(30))),
            (None, 0, 29, PingStep::Wait(at(30))),
            (None, 0, 30, PingStep::Ask),
            (None, 20, 30, PingStep::Wait(at(50))),
            (Some(30), 0, 31, PingStep::Wait(at(60))),
            (Some(30), 0, 60, PingStep::Judge(BOTH)),
            (Some(30), 30, 60, PingStep::Judge(BOTH)),
            (Some(30), 31, 60, PingStep::Wait(at(61))),
            (Some(30), 31, 61, PingStep::Ask),
        ] {
            let mut schedule = PingSchedule::new(Duration::from_secs(30));
            schedule.asked = asked.map(|asked| (at(asked), BOTH));

            assert_eq!(schedule.step(at(now), at(last_byte)), expected, "{asked:?} {last_byte} {now}");
        }
    }
}
