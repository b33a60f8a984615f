//! Names that stand for several endpoints: asked for, kept, and laid out as members.
//!
//! ```text
//! names of a configuration ─▶ Table: what is due ─▶ Lookups (DNS, /etc/hosts) ─▶ Table: what is known
//!                                                                                ╰─▶ expand ─▶ configuration as used
//! ```
//!
//! Nothing here changes what runs: the gateway makes a generation of what is known, as of any other change.

mod expand;
mod lookup;
mod name;
mod resolution;
mod table;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::config::{Config, Discover, EndpointAddress};
use crate::telemetry::{Counter, Metrics, limited};

pub use expand::expand;
use lookup::Lookups;
pub use name::{FoundAddress, KnownNames, Name, Records};
use resolution::{LookupError, Resolution};
use table::{AddressChange, NameTable};

/// Most lookups at a time.
const AT_ONCE: usize = 16;

/// The names that `config` wants to be asked for.
#[must_use]
pub fn names(config: &Config) -> BTreeSet<Name> {
    let endpoints = config.clusters.iter().flat_map(|cluster| &cluster.endpoints);
    endpoints.filter_map(|endpoint| name_of(endpoint.discover, &endpoint.address)).collect()
}

fn name_of(discover: Discover, address: &EndpointAddress) -> Option<Name> {
    let EndpointAddress::Tcp(host, _) = address else { return None };
    let records = match discover {
        Discover::Off => return None,
        Discover::Addresses => Records::Addresses,
        Discover::Srv => Records::Services,
    };
    Some(Name { host: host.clone(), records })
}

/// The names that are asked for, and what is known of them.
#[derive(Debug)]
pub struct Discovery {
    table: Mutex<NameTable>,
    lookups: Arc<Lookups>,
    /// There is something new to ask for.
    wanted: Notify,
    metrics: Arc<Metrics>,
}

impl Discovery {
    /// Asks `servers`; none asks those of the system.
    #[must_use]
    pub fn new(servers: Vec<SocketAddr>, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            lookups: Arc::new(Lookups::new(servers)),
            wanted: Notify::new(),
            metrics,
        })
    }

    /// Asks other servers from now on, if they are others.
    pub fn use_servers(&self, servers: &[SocketAddr]) {
        if self.lookups.use_servers(servers) {
            self.table.lock().all_due(Instant::now());
            self.wanted.notify_one();
        }
    }

    /// Asks for `names`, and forgets all others. A name that is new begins with what `before` knew of it.
    pub fn want(&self, names: &BTreeSet<Name>, before: &KnownNames) {
        self.table.lock().want(names, before, Instant::now());
        self.wanted.notify_one();
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> KnownNames {
        self.table.lock().known()
    }

    /// Asks for those of `names` that were not asked for yet, and waits for the responses, but not longer than
    /// `patience`. What comes later is a change like any other.
    pub async fn resolve_missing(&self, names: &BTreeSet<Name>, patience: Duration) {
        let until = Instant::now() + patience;
        let unknown = self.table.lock().resolve_missing(names);
        let mut waiting = unknown.into_iter();
        let mut asking = JoinSet::new();
        loop {
            while asking.len() < AT_ONCE
                && let Some(name) = waiting.next()
            {
                self.ask(&mut asking, name);
            }
            match tokio::time::timeout_at(until, asking.join_next()).await {
                Ok(Some(answered)) => self.answered(answered.ok()),
                Ok(None) => return,
                Err(_elapsed) => {
                    self.table.lock().give_back(Instant::now());
                    return self.wanted.notify_one();
                }
            }
        }
    }

    /// Begins to ask, and to go on asking.
    #[must_use]
    pub fn follow(self: &Arc<Self>) -> Follower {
        Follower { discovery: self.clone(), asking: JoinSet::new() }
    }

    fn ask(&self, asking: &mut JoinSet<LookupDone>, name: Name) {
        let lookups = self.lookups.clone();
        asking.spawn(async move {
            let answer = lookups.ask(&name).await;
            (name, answer)
        });
    }

    fn answered(&self, answered: Option<LookupDone>) {
        // None is a task that panicked: its name is asked for again when others are given back.
        let Some((name, answer)) = answered else { return };
        let good = answer.is_ok();
        self.metrics.increment(if good { Counter::NameFound } else { Counter::NameNotFound });
        let change = self.table.lock().answered(&name, answer, Instant::now());
        tell(&name, &change);
    }
}

type LookupDone = (Name, Result<Resolution, LookupError>);

/// Asks whenever a name is due. Dropping it ends what is under way.
#[derive(Debug)]
pub struct Follower {
    discovery: Arc<Discovery>,
    asking: JoinSet<LookupDone>,
}

impl Follower {
    /// Resolves when something else is known than the last time. Cancel safe.
    pub async fn changed(&mut self) {
        let discovery = self.discovery.clone();
        loop {
            if discovery.table.lock().take_news() {
                return;
            }
            let room = AT_ONCE.saturating_sub(self.asking.len());
            let (due, next) = discovery.table.lock().due(room, Instant::now());
            for name in due {
                discovery.ask(&mut self.asking, name);
            }
            // With no room left, a response makes some.
            let next = next.filter(|_| self.asking.len() < AT_ONCE);
            let timer = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(answered) = self.asking.join_next(), if !self.asking.is_empty() => {
                    discovery.answered(answered.ok());
                }
                () = timer => {}
                () = discovery.wanted.notified() => {}
            }
        }
    }
}

fn tell(name: &Name, change: &AddressChange) {
    let host = &name.host;
    match change {
        AddressChange::Same => {}
        AddressChange::Other { came, went, cut } => {
            let show = |found: &[String]| found.join(" ");
            limited!(info, of: host, name = %host, came = show(came), went = show(went), "addresses of a name changed");
            if *cut > 0 {
                limited!(
                    warn, of: host, name = %host, cut,
                    "a name has too many addresses, the last ones are left out"
                );
            }
        }
        AddressChange::Failed { error, first: true, known } => {
            limited!(warn, of: host, name = %host, %error, known, "a name was not resolved; what is known of it stays");
        }
        AddressChange::Failed { error, known, .. } => {
            tracing::debug!(name = %host, %error, known, "a name was not resolved")
        }
    }
}
