//! One endpoint as something to connect to, and the connections to it that wait for work.
//!
//! The pool is per worker: a connection lives on the runtime it was opened on, and no lock is shared.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::http::HeaderValue;
use tokio::sync::watch;
use tokio::time::Instant;

use super::context::ConnectionContext;
use super::http1::{self, ReturnTo};
use super::session::{Claim, ConnectionPurpose, EndpointProtocol, Session, SpokenProtocol};
use super::turns::{OpeningTurn, OpeningTurns};
use super::{Address, HeadLimits, Tls};
use crate::lifecycle::{self, PerWorker};
use crate::telemetry::Metrics;

/// How many connections wait for work, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Per worker. 0 keeps none.
    pub size: usize,
    /// Keep it below the endpoint's own keep-alive time, or requests race its close (RFC 9112 §9.5).
    pub idle: Duration,
}

/// What an [`Upstream`] is made from.
#[derive(Clone, Debug)]
pub struct UpstreamSettings {
    /// As configured; an address of a name has that address here.
    pub url: Arc<str>,
    /// URL that the endpoint knows itself by: with the name.
    pub known_as: Arc<str>,
    /// Where to connect.
    pub address: Address,
    /// TLS, for `https` and `wss`.
    pub tls: Option<Tls>,
    /// Value of Host.
    pub authority: HeaderValue,
    /// Path in front of every request; empty, or starts with `/` and does not end with one.
    pub base_path: String,
    /// The pool.
    pub pool: PoolLimits,
    /// How large the head of a response may be.
    pub head: HeadLimits,
    /// What it speaks.
    pub protocol: EndpointProtocol,
    /// Where its connections are counted.
    pub metrics: Arc<Metrics>,
}

/// An endpoint to connect to.
#[derive(Debug)]
pub struct Upstream {
    settings: UpstreamSettings,
    /// The same TLS for connections that are to speak HTTP/1.1, where the endpoint chooses.
    http1_tls: Option<Tls>,
    idle: PerWorker<IdleSessions>,
    pub(super) memory: EndpointMemory,
}

/// What was seen of an endpoint when a connection was last opened that may take many requests.
#[derive(Debug, Default)]
pub(super) struct EndpointMemory {
    /// It has chosen a protocol.
    pub(super) has_chosen: AtomicBool,
    /// It chose HTTP/1.1.
    pub(super) chose_http1: AtomicBool,
    /// It chose HTTP/2, and takes no tunnels over it.
    pub(super) lacks_tunnels: AtomicBool,
}

/// How often the connections that wait are looked over: how long one stays open at most that its endpoint has closed.
const SWEEP: Duration = Duration::from_secs(5);

/// The connections of one worker, the longest waiting first.
#[derive(Debug, Default)]
struct IdleSessions {
    waiting: Vec<IdleSession>,
    /// Whether a task looks after them.
    swept: bool,
    turns: OpeningTurns,
}

#[derive(Debug)]
struct IdleSession {
    session: Session,
    since: Instant,
}

impl Drop for IdleSessions {
    fn drop(&mut self) {
        for waiting in &mut self.waiting {
            waiting.session.close_notify();
        }
    }
}

impl Upstream {
    /// An endpoint without connections.
    #[must_use]
    pub fn new(settings: UpstreamSettings, workers: NonZeroUsize) -> Arc<Self> {
        let is_choosing = settings.protocol == EndpointProtocol::Negotiated;
        let http1_tls = settings.tls.as_ref().filter(|_| is_choosing).map(Tls::without_http2);
        let idle = PerWorker::new(workers, IdleSessions::default);
        Arc::new(Self { settings, http1_tls, idle, memory: EndpointMemory::default() })
    }

    /// URL that the endpoint knows itself by.
    #[must_use]
    pub fn known_as(&self) -> &Arc<str> {
        &self.settings.known_as
    }

    /// TLS, for `https` and `wss`.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.settings.tls.as_ref()
    }

    /// TLS for a connection that is to speak HTTP/1.1.
    pub(super) fn http1_tls(&self) -> Option<&Tls> {
        self.http1_tls.as_ref().or(self.tls())
    }

    /// Where to connect.
    pub(super) fn address(&self) -> &Address {
        &self.settings.address
    }

    /// How large the head of a response may be.
    #[must_use]
    pub fn head_limits(&self) -> HeadLimits {
        self.settings.head
    }

    /// URL as configured.
    #[must_use]
    pub fn url(&self) -> &Arc<str> {
        &self.settings.url
    }

    /// Value of Host.
    #[must_use]
    pub fn authority(&self) -> &HeaderValue {
        &self.settings.authority
    }

    /// Path in front of every request.
    #[must_use]
    pub fn base_path(&self) -> &str {
        &self.settings.base_path
    }

    /// What it is spoken to in; none if it has the choice, and no connection was opened yet.
    #[must_use]
    pub fn spoken(&self) -> Option<SpokenProtocol> {
        let chose_http1 = self.memory.chose_http1.load(Relaxed);
        match self.protocol() {
            EndpointProtocol::Http1 => Some(SpokenProtocol::Http1),
            EndpointProtocol::Http2 => Some(SpokenProtocol::Http2),
            EndpointProtocol::Negotiated if !self.memory.has_chosen.load(Relaxed) => None,
            EndpointProtocol::Negotiated if chose_http1 => Some(SpokenProtocol::Http1),
            EndpointProtocol::Negotiated => Some(SpokenProtocol::Http2),
            #[cfg(test)]
            EndpointProtocol::Throwaway | EndpointProtocol::Multiplexed => None,
        }
    }

    /// For a new connection.
    pub(super) fn context(&self) -> ConnectionContext<'_> {
        ConnectionContext { url: self.url(), limits: self.head_limits(), metrics: self.metrics() }
    }

    /// Where its connections are counted.
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.settings.metrics
    }

    /// What it speaks.
    pub(super) fn protocol(&self) -> EndpointProtocol {
        self.settings.protocol
    }

    /// A connection that waits for work on this worker, the one that waited least and is for `purpose`; one that takes
    /// many requests at a time stays there. What turns out to be dead is closed.
    pub(super) fn take_idle(&self, purpose: ConnectionPurpose) -> Option<Session> {
        let mut idle = self.idle.mine();
        let mut place = idle.waiting.len();
        while place > 0 {
            place -= 1;
            let waiting = idle.waiting.get_mut(place)?;
            if !self.may_be_used(waiting) {
                idle.waiting.remove(place);
                continue;
            }
            match waiting.session.claim(purpose) {
                Claim::Whole => return Some(idle.waiting.remove(place).session),
                Claim::Part(session) => {
                    waiting.since = Instant::now();
                    return Some(session);
                }
                Claim::Nothing => {}
            }
        }
        None
    }

    /// Whether a connection that waits on this worker says that the endpoint permits no requests now.
    pub(super) fn takes_no_streams(&self) -> bool {
        let mut idle = self.idle.mine();
        idle.waiting.iter_mut().any(|waiting| !waiting.session.takes_streams() && self.may_be_used(waiting))
    }

    /// The turn to open a connection on this worker that others wait for, or who has it.
    pub(super) fn turn(&self) -> Result<OpeningTurn, watch::Receiver<()>> {
        self.idle.mine().turns.take()
    }

    /// Whether connections wait for work at all.
    pub(super) fn keeps_idle(&self) -> bool {
        self.settings.pool.size > 0
    }

    /// Closes what has waited too long on this worker, or was closed by the endpoint. Returns whether any is left.
    fn prune(&self) -> bool {
        let mut idle = self.idle.mine();
        idle.waiting.retain_mut(|waiting| self.may_be_used(waiting));
        idle.swept = !idle.waiting.is_empty();
        idle.swept
    }

    /// Whether it may take a request. If not, the endpoint has been notified that it closes.
    fn may_be_used(&self, waiting: &mut IdleSession) -> bool {
        if waiting.session.is_busy() {
            waiting.since = Instant::now();
        }
        let usable = waiting.since.elapsed() < self.settings.pool.idle && waiting.session.is_reusable();
        if !usable {
            waiting.session.close_notify();
        }
        usable
    }

    /// Keeps a connection whose response is through, if there is room.
    pub(super) fn keep_idle(self: Arc<Self>, mut session: Session) {
        let mut idle = self.idle.mine();
        if idle.waiting.len() >= self.settings.pool.size {
            session.close_notify();
            return;
        }
        if !idle.swept {
            idle.swept = true;
            let every = self.settings.pool.idle.min(SWEEP);
            lifecycle::spawn(sweep(Arc::downgrade(&self), every));
        }
        idle.waiting.push(IdleSession { session, since: Instant::now() });
    }
}

impl ReturnTo for Upstream {
    fn put_back(self: Arc<Self>, connection: http1::Connection) {
        self.keep_idle(Session::Http1(connection));
    }
}

/// Looks after one worker's pool until it is empty. It runs on that worker, and ends with the endpoint.
async fn sweep(upstream: Weak<Upstream>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(upstream) = upstream.upgrade() else { return };
        if !upstream.prune() {
            return;
        }
    }
}
