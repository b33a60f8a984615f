//! Questions to name servers and `/etc/hosts`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{TokioResolver, system_conf};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::name::{FoundAddress, Name, Records};
use super::resolution::{LONGEST_LOOKUP, LookupError, Resolution};

/// One question to one server; it is put twice.
const QUESTION: Duration = Duration::from_secs(2);
/// How long what the system says about name servers and hosts is believed.
const SYSTEM: Duration = Duration::from_secs(30);
/// Most targets of a service whose addresses are asked for.
const TARGETS: usize = 256;
/// Of those, at a time.
const TARGETS_AT_ONCE: usize = 16;

/// The name servers to ask.
pub(super) struct Lookups {
    inner: Mutex<ResolverState>,
}

struct ResolverState {
    servers: Vec<SocketAddr>,
    resolver: Option<(Arc<TokioResolver>, Instant)>,
}

impl Lookups {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { inner: Mutex::new(ResolverState { servers, resolver: None }) }
    }

    /// Returns whether they are others than before.
    pub(super) fn use_servers(&self, servers: &[SocketAddr]) -> bool {
        let mut inner = self.inner.lock();
        if inner.servers == servers {
            return false;
        }
        *inner = ResolverState { servers: servers.to_vec(), resolver: None };
        true
    }

    /// Asks for `name`.
    pub(super) async fn ask(&self, name: &Name) -> Result<Resolution, LookupError> {
        let asked = async {
            let resolver = self.resolver()?;
            match name.records {
                Records::Addresses => addresses(&resolver, &name.host).await,
                Records::Services => services(resolver, &name.host).await,
            }
        };
        tokio::time::timeout(LONGEST_LOOKUP, asked).await.unwrap_or(Err(LookupError::TimedOut))
    }

    /// The resolver; made anew now and then, so that a change of `resolv.conf` or `/etc/hosts` counts.
    fn resolver(&self) -> Result<Arc<TokioResolver>, LookupError> {
        let mut inner = self.inner.lock();
        if let Some((resolver, made)) = &inner.resolver
            && made.elapsed() < SYSTEM
        {
            return Ok(resolver.clone());
        }
        let resolver = Arc::new(make(&inner.servers)?);
        inner.resolver = Some((resolver.clone(), Instant::now()));
        Ok(resolver)
    }
}

impl std::fmt::Debug for Lookups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookups").field("servers", &self.inner.lock().servers).finish_non_exhaustive()
    }
}

fn make(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let (config, mut options) = match system_conf::read_system_conf() {
        Ok(read) => read,
        // Nothing of it is needed but the search list.
        Err(_) if !servers.is_empty() => (ResolverConfig::default(), ResolverOpts::default()),
        Err(error) => return Err(error),
    };
    let config = if servers.is_empty() {
        config
    } else {
        let (domain, search, _system) = config.into_parts();
        ResolverConfig::from_parts(domain, search, servers.iter().map(server).collect())
    };
    options.use_hosts_file = ResolveHosts::Always;
    // The same machine must not count twice: an IPv6 address is an endpoint only where there is no IPv4 address.
    options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
    // The table knows when to ask again.
    options.cache_size = 0;
    options.timeout = QUESTION;
    options.attempts = 1;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build()
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let on_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(on_port);
    NameServerConfig::new(address.ip(), true, connections.into())
}

async fn addresses(resolver: &TokioResolver, host: &str) -> Result<Resolution, LookupError> {
    let answer = resolver.lookup_ip(host).await?;
    let records = answer.as_lookup().answers();
    let found: Vec<_> = records
        .iter()
        .filter_map(|record| record.data.ip_addr())
        .map(|address| FoundAddress { priority: 0, address, port: None, weight: 0 })
        .collect();
    let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
    answer_of(found, ttl)
}

async fn services(resolver: Arc<TokioResolver>, host: &str) -> Result<Resolution, LookupError> {
    let answer = resolver.srv_lookup(host).await?;
    let records = answer.answers();
    let mut ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
    let targets = records.iter().filter_map(|record| match &record.data {
        // A lone root says that there is decidedly no such service (RFC 2782).
        RData::SRV(service) if !service.target.is_root() => Some(service.clone()),
        _ => None,
    });
    let mut waiting = targets.take(TARGETS);
    let (mut asking, mut found) = (JoinSet::new(), Vec::new());
    loop {
        while asking.len() < TARGETS_AT_ONCE
            && let Some(service) = waiting.next()
        {
            let resolver = resolver.clone();
            asking.spawn(async move {
                let target = service.target.to_utf8();
                (addresses(&resolver, &target).await, service)
            });
        }
        let Some(asked) = asking.join_next().await else { break };
        // One target without an address does not spoil the others.
        if let Ok((Ok(answer), service)) = asked {
            ttl = ttl.min(u32::try_from(answer.ttl.as_secs()).unwrap_or(u32::MAX));
            found.extend(answer.found.into_iter().map(|found| FoundAddress {
                priority: service.priority,
                port: Some(service.port),
                weight: service.weight,
                ..found
            }));
        }
    }
    answer_of(found, ttl)
}

fn answer_of(found: Vec<FoundAddress>, ttl: u32) -> Result<Resolution, LookupError> {
    if found.is_empty() {
        return Err(LookupError::Nothing);
    }
    Ok(Resolution { found, ttl: Duration::from_secs(u64::from(ttl)) })
}
