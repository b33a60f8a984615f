//! What became of a request or tunnel: counted, and written to the access log.

use std::sync::Arc;
use std::time::SystemTime;

use ::http::{HeaderMap, HeaderName, Method, Response, StatusCode, Version};
use http_body::Body as _;
use tokio::time::Instant;

use super::access::UserName;
use super::request_id::RequestId;
use super::{Client, RouteRules};
use crate::cluster::Lease;
use crate::http::ResponseBody;
use crate::net::UpgradeProtocol;
use crate::policy::{ExchangeEffects, RequestFacts};
use crate::telemetry::{AccessEnding, AccessKind, AccessRecord, Counter, Gauge, GaugeGuard, Metrics, RequestProtocol};

/// Where a response of gRPC says how its call ended.
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// What is counted and logged of one request. It looks on, and does nothing to it.
pub(super) struct RequestRecord {
    client: Arc<Client>,
    began: Instant,
    status: Option<u16>,
    /// What an access line says besides; none when there is no access log.
    line: Option<Box<LineParts>>,
    /// Where it goes, for lines of the log.
    route: Option<Arc<str>>,
    cluster: Option<Arc<str>>,
    bytes_out: u64,
    protocol: RequestProtocol,
    /// It is one of many on its connection.
    stream: Option<GaugeGuard>,
    tunnel: Option<GaugeGuard>,
    ending: Option<AccessEnding>,
    /// Names of it and its client, if it has some. Boxed once more: they are rare, and this is in the future of every request.
    names: Option<Box<RequestNames>>,
}

/// What a request is called, and whoever makes it.
#[derive(Default)]
struct RequestNames {
    /// If somebody asked.
    request_id: Option<RequestId>,
    /// If its route asks for users.
    user: Option<UserName>,
}

/// The parts of an access line that would be gone by the end.
struct LineParts {
    time: SystemTime,
    /// None if it could not be read.
    method: Option<Method>,
    host: String,
    target: String,
    protocol: ServedProtocol,
    plugins: Option<Arc<str>>,
    /// With what the deciders note.
    effects: ExchangeEffects,
    attempts: u32,
    generation: u64,
    /// What a response of gRPC says.
    grpc_status: Option<u16>,
}

/// What the gateway speaks with the client.
enum ServedProtocol {
    Http(Version),
    Upgrade(UpgradeProtocol),
}

impl ServedProtocol {
    fn as_str(&self) -> &str {
        match self {
            Self::Http(Version::HTTP_3) => "http/3",
            Self::Http(Version::HTTP_2) => "http/2",
            // What is older is served as this (RFC 9110 §2.5).
            Self::Http(_) => "http/1.1",
            Self::Upgrade(protocol) => protocol.as_str(),
        }
    }
}

impl RequestRecord {
    /// A request of `client` begins under this generation.
    pub(super) fn begin(client: &Arc<Client>, generation: u64) -> Self {
        let line = client.observers.access.is_on().then(|| {
            Box::new(LineParts {
                time: SystemTime::now(),
                method: None,
                host: String::new(),
                target: String::new(),
                protocol: ServedProtocol::Http(Version::HTTP_11),
                plugins: None,
                effects: ExchangeEffects::default(),
                attempts: 0,
                generation,
                grpc_status: None,
            })
        });
        Self {
            client: client.clone(),
            began: Instant::now(),
            status: None,
            line,
            route: None,
            cluster: None,
            bytes_out: 0,
            protocol: RequestProtocol::Http1,
            stream: None,
            tunnel: None,
            ending: None,
            names: None,
        }
    }

    /// The version of HTTP that the client's connection speaks.
    pub(super) fn set_version(&mut self, version: Version) {
        if version == Version::HTTP_2 {
            self.protocol = RequestProtocol::Http2;
            self.stream = Some(self.metrics().hold(Gauge::Http2StreamsOpen));
        }
        if let Some(line) = &mut self.line {
            line.protocol = ServedProtocol::Http(version);
        }
    }

    /// What could be read of the request.
    pub(super) fn set_request(&mut self, facts: &RequestFacts) {
        if let Some(line) = &mut self.line {
            line.method = Some(facts.method.clone());
            line.host.clear();
            line.host.push_str(facts.host_and_port());
            line.target.clone_from(&facts.path);
            line.effects = facts.effects.share();
            if let Some(query) = &facts.query {
                line.target.push('?');
                line.target.push_str(query);
            }
        }
    }

    /// It is none that is served: as much of it as could be read.
    pub(super) fn set_refused(&mut self, method: Option<&Method>, target: &str) {
        self.metrics().increment(Counter::RequestRefused);
        if let Some(line) = &mut self.line {
            line.method = method.cloned();
            target.clone_into(&mut line.target);
        }
    }

    /// The plugins of a route decide on it, wherever it goes then.
    pub(super) fn add_plugins(&mut self, rules: &RouteRules) {
        self.route = Some(rules.name.clone());
        if let Some(line) = &mut self.line {
            let names = line.plugins.as_deref().into_iter().chain(rules.plugins.iter().map(|plugin| &*plugin.name));
            line.plugins = Some(names.collect::<Vec<_>>().join(",").into());
        }
    }

    /// This route does not let it in.
    pub(super) fn set_denied(&mut self, route: &Arc<str>) {
        self.route = Some(route.clone());
    }

    /// Where the request goes.
    pub(super) fn set_route(&mut self, route: &Arc<str>, cluster: &Arc<str>, balancer: &Arc<str>) {
        self.route = Some(route.clone());
        self.cluster = Some(cluster.clone());
        if let Some(line) = &mut self.line {
            line.plugins = Some(match &line.plugins {
                Some(of_route) => format!("{of_route},{balancer}").into(),
                None => balancer.clone(),
            });
        }
    }

    /// One more endpoint is tried.
    pub(super) fn count_attempt(&mut self) {
        if let Some(line) = &mut self.line {
            line.attempts += 1;
        }
    }

    /// Where it goes: route and cluster, once that is known.
    pub(super) fn route_and_cluster(&self) -> (Option<&str>, Option<&str>) {
        (self.route.as_deref(), self.cluster.as_deref())
    }

    /// The status of the response that the client gets.
    pub(super) fn set_status(&mut self, status: StatusCode) {
        self.status = Some(status.as_u16());
    }

    /// The response that the client gets is one of the gateway's own.
    pub(super) fn set_reply(&mut self, reply: &Response<ResponseBody>) {
        self.set_status(reply.status());
        let is_head = self.line.as_ref().is_some_and(|line| line.method == Some(Method::HEAD));
        if !is_head {
            self.bytes_out += reply.body().size_hint().exact().unwrap_or_default();
        }
    }

    /// Takes note of the status of a call of gRPC, which is in the head of a response, or behind its body.
    pub(super) fn note_grpc_status(&mut self, fields: &HeaderMap) {
        // gRPC is of HTTP/2 (and HTTP/1.1 pays nothing for it).
        if self.protocol == RequestProtocol::Http2
            && let Some(line) = &mut self.line
            && let Some(status) = fields.get(GRPC_STATUS)
        {
            line.grpc_status = status.to_str().ok().and_then(|status| status.parse().ok());
        }
    }

    /// Why it ends, where that is not with a response of its own.
    pub(super) fn set_ending(&mut self, ending: AccessEnding) {
        self.ending = Some(ending);
    }

    /// The server has given a response up before the end of its body: the client has left, or it was cut off.
    pub(super) fn note_left(&mut self) {
        // What has no body by its method or status is not waited for (RFC 9110 §6.4.1).
        let is_head = self.line.as_ref().is_some_and(|line| line.method == Some(Method::HEAD));
        if !is_head && !matches!(self.status, Some(204 | 304)) {
            self.ending = Some(self.left());
        }
    }

    /// How it ends for a client that did not get all.
    fn left(&self) -> AccessEnding {
        if self.client.drain.has_cut() { AccessEnding::Cut } else { AccessEnding::ClientGone }
    }

    /// Bytes of a body or tunnel went to the client.
    pub(super) fn add_bytes_out(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    /// The request has become a tunnel.
    pub(super) fn begin_tunnel(&mut self, protocol: &UpgradeProtocol) {
        self.status = Some(StatusCode::SWITCHING_PROTOCOLS.as_u16());
        // Until its end is known: a cut may come before the tunnel has begun.
        self.ending = Some(AccessEnding::Cut);
        let metrics = self.metrics();
        metrics.increment(Counter::UpgradeOk);
        metrics.increment(Counter::TunnelOpened);
        // The request ends here: a week-long tunnel is no slow request.
        metrics.request(StatusCode::SWITCHING_PROTOCOLS.as_u16(), self.protocol, self.began.elapsed());
        self.tunnel = Some(metrics.hold(Gauge::TunnelsOpen));
        if let Some(line) = &mut self.line {
            line.protocol = ServedProtocol::Upgrade(protocol.clone());
        }
    }

    /// Gives the request a name, unless it has one: what `believed` fields call it, or chance.
    pub(super) fn name_request(&mut self, believed: Option<&HeaderMap>) {
        self.names.get_or_insert_default().request_id.get_or_insert_with(|| RequestId::new(believed));
    }

    /// What the request is called, if it has a name.
    pub(super) fn request_id(&self) -> Option<&str> {
        self.names.as_ref()?.request_id.as_ref().map(RequestId::as_str)
    }

    /// A route has let this user in. Says whether that was not known.
    pub(super) fn set_user(&mut self, user: UserName) -> bool {
        let before = self.names.get_or_insert_default().user.replace(user);
        before.as_ref() != self.user()
    }

    /// Who makes the request, if a route has asked.
    pub(super) fn user(&self) -> Option<&UserName> {
        self.names.as_ref()?.user.as_ref()
    }

    /// Whose request it is.
    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Counts of the gateway.
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.client.observers.metrics
    }

    /// Counts it, and writes its line, with what `lease` knows of the endpoint that had it last.
    pub(super) fn write(&self, lease: Option<&Lease>) {
        let duration = self.began.elapsed();
        if let Some(status) = self.status.filter(|_| self.tunnel.is_none()) {
            self.metrics().request(status, self.protocol, duration);
        }
        let Some(line) = &self.line else { return };
        let kind = if self.tunnel.is_some() { AccessKind::Tunnel } else { AccessKind::Request };
        let user = self.user().map(UserName::shown);
        let notes = line.effects.notes();
        let notes: Vec<_> = notes.iter().map(|note| (&*note.key, &*note.value)).collect();
        let mut access = AccessRecord::new(kind, line.time, self.client.peer, self.client.local);
        access.request_id = self.request_id();
        access.protocol = line.protocol.as_str();
        access.client_protocol = self.tunnel.is_some().then_some(self.protocol.as_str());
        access.grpc_status = line.grpc_status;
        access.tls = self.client.tls;
        access.sni = self.client.sni.as_deref();
        access.method = line.method.as_ref().map_or("-", Method::as_str);
        access.host = (!line.host.is_empty()).then_some(line.host.as_str());
        access.path = &line.target;
        access.status = self.status;
        access.duration = duration;
        access.bytes_out = self.bytes_out;
        access.route = self.route.as_deref();
        access.cluster = self.cluster.as_deref();
        access.plugins = line.plugins.as_deref();
        access.user = user.as_deref();
        access.notes = &notes;
        access.attempts = line.attempts;
        access.generation = line.generation;
        // No status and no reason: there was nobody to respond to.
        access.ending = self.ending.or_else(|| self.status.is_none().then(|| self.left()));
        if let Some(lease) = lease {
            access.endpoint = Some(lease.url());
            access.first_byte = lease.first_byte();
            access.bytes_in = lease.sent();
        }
        self.client.observers.access.write(&access);
    }
}
