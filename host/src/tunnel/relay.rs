//! Both directions of a tunnel, its clock, and its polite end.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::end::End;
use super::inspector::Inspector;
use super::meter::Meter;
use super::pinged::PingedFrames;
use super::pings::{PingOutcome, PingSchedule, PingedSides};
use super::pipe::{Direction, Moved, Pipe, PipeError};
use crate::clock::Clock;
use crate::lifecycle::Drain;
use crate::net::{Duplex, PeerGone, ResetReason, with_scratch};

/// How long both sides may take to respond to our Close frame before the sockets are closed.
const LINGER: Duration = Duration::from_secs(2);

/// One side of a tunnel and the bytes that were read from it too early.
#[derive(Debug)]
pub struct Side {
    /// The connection.
    pub stream: Duplex,
    /// Read already, not yet passed on.
    pub early: bytes::Bytes,
}

/// Limits in time of one tunnel.
#[derive(Clone, Copy, Debug)]
pub struct TunnelLimits {
    /// Time without a byte either way after which it is ended.
    pub idle: Duration,
}

/// A tunnel: two streams, and what goes between them.
#[derive(Debug)]
pub struct Relay<I> {
    client: Duplex,
    endpoint: Duplex,
    up: Pipe<I>,
    down: Pipe<I>,
    idle: Duration,
    last_byte: Instant,
    ending: Option<End>,
    lingering: bool,
    /// A side has gone; what it said before is passed on as long as the other side takes some of it.
    gone: Option<End>,
    /// Boxed: few are pinged.
    pings: Option<Box<PingSchedule>>,
}

/// A tunnel that has been taken apart.
#[derive(Debug)]
pub struct RelayParts<I> {
    /// The client's stream.
    pub client: Duplex,
    /// The endpoint's stream.
    pub endpoint: Duplex,
    /// From the client to the endpoint.
    pub up: Direction<I>,
    /// From the endpoint to the client.
    pub down: Direction<I>,
    /// Its limits.
    pub limits: TunnelLimits,
    /// When a byte went through it last.
    pub last_byte: Instant,
    /// When it is pinged, if it is.
    pub pings: Option<Box<PingSchedule>>,
}

impl Relay<PingedFrames> {
    /// A websocket between `client` and `endpoint` of which both are pinged whenever `every` has passed without a byte
    /// either way, and which ends if one has not answered by the next time.
    #[must_use]
    pub fn pinging(client: Side, endpoint: Side, limits: TunnelLimits, every: Duration) -> Self {
        let mut relay = Self::new(client, endpoint, limits);
        let pings = PingSchedule::new(every);
        relay.up.inspector_mut().expect_from_client(pings.to_client());
        relay.down.inspector_mut().expect_from_endpoint(pings.to_endpoint());
        relay.pings = Some(Box::new(pings));
        relay
    }
}

impl<I: Inspector> Relay<I> {
    /// A tunnel between `client` and `endpoint`.
    #[must_use]
    pub fn new(client: Side, endpoint: Side, limits: TunnelLimits) -> Self {
        Self {
            up: Pipe::new(&client.early),
            down: Pipe::new(&endpoint.early),
            client: client.stream,
            endpoint: endpoint.stream,
            idle: limits.idle,
            last_byte: Instant::now(),
            ending: None,
            lingering: false,
            gone: None,
            pings: None,
        }
    }

    /// A tunnel that goes on where another was taken apart.
    #[must_use]
    pub fn from_parts(parts: RelayParts<I>) -> Self {
        Self {
            up: Pipe::from_direction(parts.up),
            down: Pipe::from_direction(parts.down),
            client: parts.client,
            endpoint: parts.endpoint,
            idle: parts.limits.idle,
            last_byte: parts.last_byte,
            ending: None,
            lingering: false,
            gone: None,
            pings: parts.pings,
        }
    }

    /// Takes it apart, between two polls of [`Self::run`]: everything that [`Self::from_parts`] needs to lose no byte.
    ///
    /// # Errors
    /// The tunnel itself, if the gateway is ending it.
    pub fn into_parts(self) -> Result<RelayParts<I>, Box<Self>> {
        if self.ending.is_some() {
            return Err(Box::new(self));
        }
        Ok(RelayParts {
            client: self.client,
            endpoint: self.endpoint,
            up: self.up.into_direction(),
            down: self.down.into_direction(),
            limits: TunnelLimits { idle: self.idle },
            last_byte: self.last_byte,
            pings: self.pings,
        })
    }

    /// Relays until both sides are through, or one is and the other has said that it will be, one breaks off, the idle
    /// limit passes or the gateway stops, at a moment of that drain which is drawn for it alone. A side whose peer broke
    /// off is reset.
    pub async fn run(&mut self, drain: &Drain, meter: &mut impl Meter) -> End {
        let mut timer = pin!(tokio::time::sleep(self.first_look()));
        let mut draining = pin!(drain.started());
        let mut cut = pin!(drain.deadline());
        let mut drains = false;
        // Boxed: of all the tunnels only those that are there at the drain have one.
        let mut moment: Option<Pin<Box<Sleep>>> = None;
        let end = poll_fn(|cx| {
            if !drains && draining.as_mut().poll(cx).is_ready() {
                drains = true;
                moment = self.await_moment(drain);
            }
            if drains {
                if cut.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(End::Cut);
                }
                if moment.as_mut().is_some_and(|moment| moment.as_mut().poll(cx).is_ready()) {
                    moment = None;
                    self.begin_end(End::Drained);
                }
            }
            self.poll(cx, timer.as_mut(), meter)
        })
        .await;
        let other = match end {
            End::ClientGone => &mut self.endpoint,
            End::EndpointGone => &mut self.client,
            _ => return end,
        };
        // A reset overtakes what was written and is not out.
        timer.as_mut().reset(Instant::now() + LINGER);
        poll_fn(|cx| if timer.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { other.poll_sent(cx) }).await;
        other.reset(ResetReason::PeerBroke);
        end
    }

    /// The client's side, once it has ended.
    #[must_use]
    pub fn into_client(self) -> Duplex {
        self.client
    }

    /// The gateway drains: begins the end, unless there is a moment to wait for.
    #[cold]
    fn await_moment(&mut self, drain: &Drain) -> Option<Pin<Box<Sleep>>> {
        let moment = drain.moment(Clock::System.chance());
        if moment.is_none() {
            self.begin_end(End::Drained);
        }
        moment.map(|moment| Box::pin(tokio::time::sleep_until(moment)))
    }

    fn begin_end(&mut self, end: End) {
        // Bytes of an unknown protocol have no boundary to end at: a drain leaves them until its deadline.
        if I::CLOSE.is_some() && self.ending.is_none() {
            self.ending = Some(end);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>, meter: &mut impl Meter) -> Poll<End> {
        loop {
            let has_gone = self.gone.is_some();
            if let Poll::Ready(end) = self.poll_pipes(cx, meter) {
                return Poll::Ready(self.ending.unwrap_or(end));
            }
            if self.gone.is_some() && !has_gone && !self.lingering {
                let due = timer.deadline().min(Instant::now() + LINGER);
                timer.as_mut().reset(due);
            }
            if self.ending.is_some() {
                if self.put_close_messages() {
                    continue; // The pipes must send what was just put in.
                }
                if !self.lingering && self.up.has_closed() && self.down.has_closed() {
                    self.lingering = true;
                    timer.as_mut().reset(Instant::now() + LINGER);
                }
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(end) = self.ring(cx, timer.as_mut(), meter) {
                return Poll::Ready(end);
            }
        }
    }

    /// How long until the timer rings first.
    fn first_look(&self) -> Duration {
        self.pings.as_ref().map_or(self.idle, |pings| pings.every().min(self.idle))
    }

    /// The timer has rung: bytes may have flowed since it was set, so it is only then that the clock is read.
    fn ring(&mut self, cx: &mut Context<'_>, mut timer: Pin<&mut Sleep>, meter: &mut impl Meter) -> Option<End> {
        if let Some(end) = self.ending
            && (self.lingering || end != End::Drained)
        {
            return Some(end);
        }
        let idle = if self.gone.is_some() { self.idle.min(LINGER) } else { self.idle };
        let (now, due) = (Instant::now(), self.last_byte + idle);
        if now < due {
            timer.as_mut().reset(due);
            if self.pings.is_some() && self.ending.is_none() && self.gone.is_none() {
                self.look_at_pings(cx, now, timer, meter);
            }
            return None;
        }
        if self.gone.is_some() {
            return self.ending.or(self.gone);
        }
        if I::CLOSE.is_none() || self.ending.is_some() {
            return Some(self.ending.unwrap_or(End::Idle));
        }
        self.ending = Some(End::Idle);
        timer.reset(Instant::now() + LINGER);
        None
    }

    /// Pings both sides if it is time, and begins the end if one has not answered.
    #[cold]
    fn look_at_pings(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        mut timer: Pin<&mut Sleep>,
        meter: &mut impl Meter,
    ) {
        let Some(pings) = &mut self.pings else { return };
        let (client, endpoint) = (&mut self.client, &mut self.endpoint);
        let sides = PingedSides { up: &mut self.up, down: &mut self.down, client, endpoint };
        let (end, due) = match pings.look(cx, now, self.last_byte, sides) {
            PingOutcome::Wait(due, pinged) => {
                if pinged.client {
                    meter.pinged_client();
                }
                if pinged.endpoint {
                    meter.pinged_endpoint();
                }
                (None, due)
            }
            PingOutcome::ClientSilent => (Some(End::ClientSilent), now + LINGER),
            PingOutcome::EndpointSilent => (Some(End::EndpointSilent), now + LINGER),
        };
        self.ending = end;
        let due = timer.deadline().min(due);
        timer.as_mut().reset(due);
    }

    /// Ends each direction that stands at a boundary. True if anything was put in.
    fn put_close_messages(&mut self) -> bool {
        let Some(close) = I::CLOSE else { return false };
        let to_endpoint = self.up.put_close(close.to_endpoint);
        let to_client = self.down.put_close(close.to_client);
        to_endpoint || to_client
    }

    /// One side has ended, and the other one too or has said that it will: neither has to be waited for.
    fn is_over(&self) -> bool {
        (self.up.is_done() && self.down.is_over()) || (self.down.is_done() && self.up.is_over())
    }

    /// Both sides have ended or said that they will. A reset takes nothing away then, and is how many end a stream of a
    /// multiplexed protocol, browsers among them.
    fn has_said_all(&self) -> bool {
        self.up.is_over() && self.down.is_over()
    }

    fn poll_pipes(&mut self, cx: &mut Context<'_>, meter: &mut impl Meter) -> Poll<End> {
        let mut moved = false;
        let (up, down) = with_scratch(|scratch| {
            let last = self.down.is_over();
            let up = self.up.poll(cx, &mut self.client, &mut self.endpoint, last, scratch, |bytes| {
                moved = true;
                meter.to_endpoint(bytes);
            });
            let last = self.up.is_over();
            let down = self.down.poll(cx, &mut self.endpoint, &mut self.client, last, scratch, |bytes| {
                moved = true;
                meter.to_client(bytes);
            });
            (up, down)
        });
        if moved {
            self.last_byte = Instant::now();
        }
        let is_unread = self.up.leaves_source_unread() || self.down.leaves_source_unread();
        // By value, for what a call has the address of is kept in memory for every message.
        let (up, down) = if (up.is_pending() || down.is_pending()) && (is_unread || matches!(down, Poll::Ready(Err(_))))
        {
            self.look_for_gone(cx, up, down)
        } else {
            (up, down)
        };
        let broke = |gone: End, error: &std::io::Error| {
            tracing::debug!(%error, end = gone.as_str(), "tunnel broke");
            Poll::Ready(gone)
        };
        let has_broken = matches!(up, Poll::Ready(Err(_))) || matches!(down, Poll::Ready(Err(_)));
        match (&up, &down) {
            _ if has_broken && self.has_said_all() => self.complete(),
            (Poll::Ready(Err(PipeError::Source(error))), _) | (_, Poll::Ready(Err(PipeError::Destination(error)))) => {
                broke(End::ClientGone, error)
            }
            (_, Poll::Ready(Err(PipeError::Source(error)))) | (Poll::Ready(Err(PipeError::Destination(error))), _) => {
                broke(End::EndpointGone, error)
            }
            _ if self.is_over() => self.complete(),
            _ => Poll::Pending,
        }
    }

    /// Looks whether a side has gone that is not read, and whose reset would not be seen: it has ended its direction, or
    /// the other side does not take what it sent.
    #[cold]
    fn look_for_gone(&mut self, cx: &mut Context<'_>, mut up: Moved, mut down: Moved) -> (Moved, Moved) {
        let takes_nothing = matches!(down, Poll::Ready(Err(PipeError::Destination(_))));
        if !matches!(up, Poll::Ready(Err(_)))
            && (self.up.leaves_source_unread() || takes_nothing)
            && let Poll::Ready(gone) = self.client.poll_gone(cx)
        {
            match gone {
                PeerGone::Reset(error) => up = Poll::Ready(Err(PipeError::Source(error))),
                // All that it sent is out.
                PeerGone::Lost(error) | PeerGone::Ended(error) if self.up.is_done() => {
                    up = Poll::Ready(Err(PipeError::Source(error)));
                }
                // Its last words are not, and it is not held against them that it takes no more.
                PeerGone::Lost(_) | PeerGone::Ended(_) => {
                    self.gone = Some(End::ClientGone);
                    if takes_nothing {
                        down = Poll::Pending;
                    }
                }
            }
        }
        // What an endpoint sent is of worth to its client however it ended. A reset behind its end says no more than that
        // (RFC 9113 §8.1), and the client has yet to respond.
        if !matches!(down, Poll::Ready(Err(_)))
            && self.down.leaves_source_unread()
            && !self.down.is_done()
            && let Poll::Ready(PeerGone::Reset(_) | PeerGone::Lost(_)) = self.endpoint.poll_gone(cx)
        {
            self.gone.get_or_insert(End::EndpointGone);
        }
        (up, down)
    }

    fn complete(&mut self) -> Poll<End> {
        self.client.close_notify();
        self.endpoint.close_notify();
        Poll::Ready(End::Complete)
    }
}
