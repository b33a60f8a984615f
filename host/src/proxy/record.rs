//! What became of a request or tunnel: counted, logged, and its lease given back, however it ends.

use std::sync::Arc;
use std::time::SystemTime;

use ::http::HeaderValue;
use tokio::time::Instant;

use super::endpoint_fault::EndpointFault;
use super::{Client, Snapshot, retry};
use crate::cluster::{Cluster, Lease};
use crate::http::{BodyEnd, BodyObserver, BrokenBy};
use crate::policy::{RequestFacts, Scheme};
use crate::telemetry::{AccessRecord, Counter, Gauge, GaugeGuard, Kind};
use crate::tunnel::{End, Meter};
use crate::upstream::{ExchangeObserver, Progress, Unreadable};

/// One request from its begin to its end. Dropping it is the end.
pub(super) struct Record {
    client: Arc<Client>,
    began: Instant,
    status: Option<u16>,
    /// What an access line says besides; none when there is no access log.
    line: Option<Box<Line>>,
    /// Where it goes, for lines of the log.
    route: Option<Arc<str>>,
    cluster: Option<Arc<str>>,
    lease: Option<Lease>,
    bytes_out: u64,
    upload: Option<Progress>,
    tunnel: Option<GaugeGuard>,
    ending: Option<&'static str>,
}

/// The parts of an access line that would be gone by the end.
struct Line {
    time: SystemTime,
    /// None if it could not be read.
    method: Option<::http::Method>,
    host: String,
    target: String,
    protocol: String,
    plugins: Option<Arc<str>>,
    attempts: u32,
    generation: u64,
}

impl Record {
    pub(super) fn begin(client: &Arc<Client>, snapshot: &Snapshot) -> Self {
        let line = client.observers.access.is_on().then(|| {
            Box::new(Line {
                time: SystemTime::now(),
                method: None,
                host: String::new(),
                target: String::new(),
                protocol: "http/1.1".to_owned(),
                plugins: None,
                attempts: 0,
                generation: snapshot.generation,
            })
        });
        Self {
            client: client.clone(),
            began: Instant::now(),
            status: None,
            line,
            route: None,
            cluster: None,
            lease: None,
            bytes_out: 0,
            upload: None,
            tunnel: None,
            ending: None,
        }
    }

    pub(super) fn request(&mut self, facts: &RequestFacts) {
        if let Some(line) = &mut self.line {
            line.method = Some(facts.method.clone());
            line.host.clear();
            line.host.push_str(facts.host_and_port());
            line.target.clone_from(&facts.path);
            if let Some(query) = &facts.query {
                line.target.push('?');
                line.target.push_str(query);
            }
        }
    }

    /// It is not served, for what it is itself. What of it could be read.
    pub(super) fn refused(&mut self, method: Option<&::http::Method>, target: &str) {
        self.metrics().increment(Counter::RequestRefused);
        self.ending = Some("refused");
        if let Some(line) = &mut self.line {
            line.method = method.cloned();
            target.clone_into(&mut line.target);
        }
    }

    pub(super) fn routed(&mut self, route: &Arc<str>, cluster: &Arc<str>, balancer: &Arc<str>) {
        self.route = Some(route.clone());
        self.cluster = Some(cluster.clone());
        if let Some(line) = &mut self.line {
            line.plugins = Some(balancer.clone());
        }
    }

    /// One more endpoint is tried.
    pub(super) fn attempt(&mut self, lease: Lease) {
        if let Some(line) = &mut self.line {
            line.attempts += 1;
        }
        self.lease = Some(lease);
    }

    /// Where it goes: route and cluster, once that is known.
    pub(super) fn way(&self) -> (Option<&str>, Option<&str>) {
        (self.route.as_deref(), self.cluster.as_deref())
    }

    /// URL of the endpoint that has it.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.lease.as_ref().map(Lease::url)
    }

    /// The endpoint answered, and nobody can read that.
    pub(super) fn unreadable(&mut self, answer: &Unreadable) {
        self.metrics().increment(Counter::UpstreamUnreadable);
        match &mut self.lease {
            Some(lease) if answer.is_our_limit() => lease.answered_too_much(Instant::now()),
            Some(lease) => lease.broken(),
            None => {}
        }
    }

    /// The endpoint did what it must not, or broke off.
    pub(super) fn endpoint_broke(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.broken();
        }
    }

    pub(super) fn take_lease(&mut self) -> Option<Lease> {
        self.lease.take()
    }

    /// What the client's cookie is to say from now on, if that is something else. Counts what became of stickiness.
    pub(super) fn sticky(&self, cluster: &Cluster, facts: &RequestFacts, scheme: Scheme) -> Option<HeaderValue> {
        let lease = self.lease.as_ref()?;
        retry::count_stickiness(lease, self);
        cluster.set_cookie(facts, lease.endpoint(), scheme == Scheme::Https)
    }

    /// The body that went out is not the one that counts, but the endpoint was sent it.
    pub(super) fn sent_in_vain(&mut self) {
        if let (Some(upload), Some(lease)) = (self.upload.take(), &mut self.lease) {
            lease.add_sent(usize::try_from(upload.bytes()).unwrap_or(usize::MAX));
        }
    }

    /// The endpoint answered.
    pub(super) fn answered(&mut self, status: u16) {
        if let Some(lease) = &mut self.lease {
            lease.answered(status, Instant::now());
        }
    }

    /// The head of the endpoint's answer, in which it may say how it is.
    pub(super) fn reported(&self, cluster: &Cluster, headers: &mut ::http::HeaderMap) {
        let member = self.lease.as_ref().and_then(|lease| lease.endpoint().of(cluster.members()));
        if let Some(member) = member {
            cluster.signals().take_orca(headers, &member.live, Instant::now(), self.metrics());
        }
    }

    /// The response that the client gets.
    pub(super) fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    pub(super) fn ending(&mut self, why: &'static str) {
        self.ending = Some(why);
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(super) fn metrics(&self) -> &Arc<crate::telemetry::Metrics> {
        &self.client.observers.metrics
    }

    /// The request has become a tunnel.
    pub(super) fn switched(&mut self, protocol: &str) {
        self.status = Some(101);
        // Until its end is known: a cut may come before the tunnel has begun.
        self.ending = Some(End::Cut.as_str());
        let metrics = self.metrics();
        metrics.increment(Counter::UpgradeOk);
        metrics.increment(Counter::TunnelOpened);
        // The request ends here: a week-long tunnel is no slow request.
        metrics.request(101, self.began.elapsed());
        self.tunnel = Some(metrics.hold(Gauge::TunnelsOpen));
        if let Some(line) = &mut self.line {
            protocol.clone_into(&mut line.protocol);
        }
    }

    /// The tunnel has ended.
    pub(super) fn ended(&mut self, end: End) {
        self.ending = Some(end.as_str());
        if let Some(lease) = &mut self.lease {
            match end {
                End::EndpointGone => lease.broken(),
                End::ClientGone => {}
                End::Complete | End::Idle | End::Drained | End::Cut => lease.completed(),
            }
        }
    }
}

impl BodyObserver for Record {
    fn body_data(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
        if let Some(lease) = &mut self.lease {
            lease.add_received(bytes);
        }
    }

    fn body_ended(&mut self, how: BodyEnd<'_>) {
        match how {
            BodyEnd::Complete => {
                if let Some(lease) = &mut self.lease {
                    lease.completed();
                }
            }
            // What the client does to its own body is no failure of the endpoint.
            BodyEnd::Broken(error) if error.by == BrokenBy::Client => self.ending = Some("client-gone"),
            BodyEnd::Broken(error) => {
                EndpointFault::of_body(error).tell(self);
                self.ending = Some("endpoint-gone");
                if let Some(lease) = &mut self.lease {
                    lease.broken();
                }
            }
            BodyEnd::ClientStalled => self.ending = Some("client-stalled"),
            // The line has the status, and how much the client got.
            BodyEnd::ClientGone => {}
        }
    }
}

impl ExchangeObserver for Record {
    fn connected(&mut self) {
        self.metrics().increment(Counter::UpstreamConnected);
        if let Some(lease) = &mut self.lease {
            lease.connected();
        }
    }

    fn reused(&mut self) {
        self.metrics().increment(Counter::UpstreamReused);
    }

    fn uploading(&mut self, progress: &Progress) {
        self.upload = Some(progress.clone());
    }

    fn interim(&mut self, _status: ::http::StatusCode, _fields: &::http::HeaderMap) {}
}

impl Meter for Record {
    fn to_endpoint(&mut self, bytes: usize) {
        if let Some(lease) = &mut self.lease {
            lease.add_sent(bytes);
        }
        self.metrics().add(Counter::TunnelBytesToEndpoint, bytes as u64);
    }

    fn to_client(&mut self, bytes: usize) {
        if let Some(lease) = &mut self.lease {
            lease.add_received(bytes);
        }
        self.bytes_out += bytes as u64;
        self.metrics().add(Counter::TunnelBytesToClient, bytes as u64);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let (Some(upload), Some(lease)) = (&self.upload, &mut self.lease) {
            lease.add_sent(usize::try_from(upload.bytes()).unwrap_or(usize::MAX));
        }
        let duration = self.began.elapsed();
        if let Some(status) = self.status.filter(|_| self.tunnel.is_none()) {
            self.metrics().request(status, duration);
        }
        let Some(line) = &self.line else { return };
        let kind = if self.tunnel.is_some() { Kind::Tunnel } else { Kind::Request };
        let mut access = AccessRecord::new(kind, line.time, self.client.peer, self.client.local);
        access.protocol = &line.protocol;
        access.tls = self.client.tls;
        access.sni = self.client.sni.as_deref();
        access.method = line.method.as_ref().map_or("-", ::http::Method::as_str);
        access.host = (!line.host.is_empty()).then_some(line.host.as_str());
        access.path = &line.target;
        access.status = self.status;
        access.duration = duration;
        access.bytes_out = self.bytes_out;
        access.route = self.route.as_deref();
        access.cluster = self.cluster.as_deref();
        access.plugins = line.plugins.as_deref();
        access.attempts = line.attempts;
        access.generation = line.generation;
        // No status and no reason: nobody was left to be told one.
        access.ending = self.ending.or(self.status.is_none().then_some("client-gone"));
        if let Some(lease) = &self.lease {
            access.endpoint = Some(lease.url());
            access.first_byte = lease.first_byte();
            access.bytes_in = lease.sent();
        }
        self.client.observers.access.write(&access);
    }
}
