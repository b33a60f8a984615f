//! The tasks that probe, their owner, and when they end.

use std::sync::Arc;

use ::http::HeaderMap;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::report::{OnReports, ReportTask};
use super::{check, schedule};
use crate::cluster::{Cluster, Live, ProbeTicket, Signals, Thresholds};
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
    probing: Concurrency,
    /// How many requests for signals: endpoints that are silent there must not hold up probes.
    asking: Concurrency,
}

/// How much each worker may still begin.
type Concurrency = Vec<Arc<Semaphore>>;

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
        let [probing, asking] =
            [(); 2].map(|()| (0..workers.count().get()).map(|_| Arc::new(Semaphore::new(AT_ONCE))).collect());
        Self { workers, drain, probing, asking }
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
        let health = Arc::new(health.clone());
        self.each(cluster, upstreams, &self.probing, |place, live, upstream, concurrency| {
            let task = ProbeTask {
                ticket: live.begin_probes(live.now()),
                live,
                upstream,
                health: health.clone(),
                on_response: on_response.clone(),
                concurrency,
                place,
            };
            task.watch()
        })
    }

    /// Asks the same members for what `signals` are to be read from beside probes; nothing if that is none.
    pub fn ask(
        &self,
        cluster: &Cluster,
        upstreams: &[Arc<Upstream>],
        signals: &Arc<Signals>,
        on_reports: &OnReports,
    ) -> Vec<Probes> {
        let ask = |request| {
            self.each(cluster, upstreams, &self.asking, |place, live, upstream, concurrency| {
                let (signals, on_reports) = (signals.clone(), on_reports.clone());
                ReportTask { live, upstream, signals, request, on_reports, concurrency, place }.watch()
            })
        };
        (0..signals.requests().len()).map(ask).collect()
    }

    /// Runs the task that `make` makes for each member, spread over the workers.
    fn each<F: Future<Output = ()> + Send + 'static>(
        &self,
        cluster: &Cluster,
        upstreams: &[Arc<Upstream>],
        all: &Concurrency,
        make: impl Fn(usize, Arc<Live>, Arc<Upstream>, Arc<Semaphore>) -> F,
    ) -> Probes {
        let stop = CancellationToken::new();
        let members = cluster.members().iter().zip(upstreams).filter(|(member, _)| member.is_probed());
        // Clusters of one endpoint must not all meet on the first worker.
        let offset = cluster.name().len();
        for (place, (member, upstream)) in members.enumerate() {
            let worker = (offset + place) % all.len().max(1);
            let Some(concurrency) = all.get(worker) else { continue };
            let task = make(place, member.live.clone(), upstream.clone(), concurrency.clone());
            let (stop, drain) = (stop.clone(), self.drain.clone());
            self.workers.run_on(worker, move || {
                lifecycle::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = drain.started() => {}
                        () = task => {}
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
