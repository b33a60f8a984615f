//! The tasks that probe, their owner, and when they end.

use std::sync::Arc;

use ::http::HeaderMap;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{check, schedule};
use crate::cluster::{Cluster, Live, ProbeTicket, Thresholds};
use crate::config::HealthConfig;
use crate::lifecycle::{self, Drain, Workers};
use crate::upstream::Upstream;

/// Probes under way at once on one worker. With a timeout of 2 s and every endpoint silent, 64 probes a second.
const AT_ONCE: usize = 128;

/// Receives the response to an HTTP or websocket probe that passed: its fields, and the first 64 KiB of its body.
pub type OnResponse = Arc<dyn Fn(&Live, &HeaderMap, &[u8]) + Send + Sync>;

/// Starts probes. One for the gateway: it outlives every generation.
#[derive(Debug)]
pub struct Prober {
    workers: Workers,
    drain: Drain,
    /// How many probes each worker may still begin.
    concurrency: Vec<Arc<Semaphore>>,
}

/// The probes of one cluster. Dropping it ends them; what they have found out stays.
#[derive(Debug)]
#[must_use = "endpoints are probed only while this is held"]
pub struct Probes {
    _stop: DropGuard,
}

/// The probes of one endpoint.
struct ProbeTask {
    live: Arc<Live>,
    upstream: Arc<Upstream>,
    health: Arc<HealthConfig>,
    ticket: ProbeTicket,
    on_response: OnResponse,
    concurrency: Arc<Semaphore>,
    place: usize,
}

impl Prober {
    /// No endpoint is probed yet.
    #[must_use]
    pub fn new(workers: Workers, drain: Drain) -> Self {
        let concurrency = (0..workers.count().get()).map(|_| Arc::new(Semaphore::new(AT_ONCE))).collect();
        Self { workers, drain, concurrency }
    }

    /// Probes the members of `cluster` from now on, those in maint left out. `upstreams` are theirs, by id. Results of
    /// earlier probes that are still under way no longer count.
    pub fn start(
        &self,
        cluster: &Cluster,
        upstreams: &[Arc<Upstream>],
        health: &HealthConfig,
        on_response: &OnResponse,
    ) -> Probes {
        let stop = CancellationToken::new();
        let health = Arc::new(health.clone());
        let members = cluster.members().iter().zip(upstreams).filter(|(member, _)| member.is_probed());
        // Clusters of one endpoint must not all meet on the first worker.
        let offset = cluster.name().len();
        for (place, (member, upstream)) in members.enumerate() {
            let worker = (offset + place) % self.concurrency.len().max(1);
            let Some(concurrency) = self.concurrency.get(worker) else { continue };
            let task = ProbeTask {
                ticket: member.live.begin_probes(member.live.now()),
                live: member.live.clone(),
                upstream: upstream.clone(),
                health: health.clone(),
                on_response: on_response.clone(),
                concurrency: concurrency.clone(),
                place,
            };
            let (stop, drain) = (stop.clone(), self.drain.clone());
            self.workers.run_on(worker, move || {
                lifecycle::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = drain.started() => {}
                        () = task.watch() => {}
                    }
                });
            });
        }
        Probes { _stop: stop.drop_guard() }
    }
}

impl ProbeTask {
    /// Probes again and again, until it is dropped.
    async fn watch(self) {
        let HealthConfig { interval, timeout, rise, fall, .. } = *self.health;
        let thresholds = Thresholds { rise, fall };
        let mut next = Instant::now() + schedule::first(self.place, interval);
        for round in 1.. {
            tokio::time::sleep_until(next).await;
            let Ok(_permit) = self.concurrency.acquire().await else { return };
            next = Instant::now() + schedule::wait(self.live.url(), round, interval);
            let result = check::check(&self.health.check, &self.upstream, timeout).await;
            let now = self.live.now();
            match result {
                Ok(response) => {
                    self.live.probed(self.ticket, Ok(()), thresholds, now);
                    if let Some(response) = response {
                        (self.on_response)(&self.live, &response.headers, &response.body);
                    }
                }
                Err(failure) => {
                    let reason = failure.to_string();
                    tracing::debug!(endpoint = self.live.url(), reason, "probe failed");
                    self.live.probed(self.ticket, Err(&reason), thresholds, now);
                }
            }
        }
    }
}
