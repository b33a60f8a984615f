//! One endpoint as something to connect to, and the connections to it that wait for work.
//!
//! The pool is per worker: a connection lives on the runtime it was opened on, and no lock is shared.

use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ::http::HeaderValue;
use tokio::time::Instant;

use super::dial::dial;
use super::{Address, ConnectError, ConnectFault, Connection, Tls};
use crate::lifecycle::{self, PerWorker};

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
}

/// An endpoint to connect to.
#[derive(Debug)]
pub struct Upstream {
    settings: UpstreamSettings,
    idle: PerWorker<Idle>,
}

/// The connections of one worker, the longest waiting first.
#[derive(Debug, Default)]
struct Idle {
    waiting: Vec<Waiting>,
    /// Whether somebody looks after them.
    swept: bool,
}

#[derive(Debug)]
struct Waiting {
    connection: Connection,
    since: Instant,
}

impl Upstream {
    /// An endpoint nobody has connected to yet.
    #[must_use]
    pub fn new(settings: UpstreamSettings, workers: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self { settings, idle: PerWorker::new(workers, Idle::default) })
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

    /// Opens a new connection.
    ///
    /// # Errors
    /// [`ConnectError`]: nothing was sent, another endpoint may be tried.
    pub async fn connect(&self, within: Duration) -> Result<Connection, ConnectError> {
        let failed = |fault| ConnectError { url: self.settings.url.clone(), fault };
        let stream = dial(&self.settings.address, self.settings.tls.as_ref(), within).await.map_err(failed)?;
        Connection::open(stream).await.map_err(|error| failed(ConnectFault::Closed(error)))
    }

    /// A connection that waits for work on this worker, the one that waited least.
    #[must_use]
    pub fn waiting(&self) -> Option<Connection> {
        let mut idle = self.idle.mine();
        let mut at = idle.waiting.len();
        while at > 0 {
            at -= 1;
            let Some(waiting) = idle.waiting.get(at) else { break };
            if !self.may_be_used(waiting) {
                idle.waiting.remove(at);
            } else if waiting.connection.is_ready() {
                let mut connection = idle.waiting.remove(at).connection;
                connection.mark_reused();
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose response is through, if there is room.
    pub fn keep(self: &Arc<Self>, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.idle.mine();
        if idle.waiting.len() >= self.settings.pool.size {
            return;
        }
        if !idle.swept {
            idle.swept = true;
            lifecycle::spawn(sweep(Arc::downgrade(self), self.settings.pool.idle));
        }
        idle.waiting.push(Waiting { connection, since: Instant::now() });
    }

    /// Closes what has waited too long on this worker. Returns whether any is left.
    fn prune(&self) -> bool {
        let mut idle = self.idle.mine();
        idle.waiting.retain(|waiting| self.may_be_used(waiting));
        idle.swept = !idle.waiting.is_empty();
        idle.swept
    }

    fn may_be_used(&self, waiting: &Waiting) -> bool {
        !waiting.connection.is_closed() && waiting.since.elapsed() < self.settings.pool.idle
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
