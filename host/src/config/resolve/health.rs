//! `pause`, `slow_start`, `wait`, `outlier` and `health` of a cluster.

use std::ops::RangeInclusive;
use std::time::Duration;

use ::http::{HeaderValue, Method};
use toml::Spanned;

use super::super::model::{
    Check, ClusterProtocol, EndpointConfig, GrpcCheck, HealthConfig, HttpCheck, OutlierConfig, PauseConfig,
    WebsocketCheck,
};
use super::super::schema::{CountField, HealthTable, OutlierTable, PauseTable, Text, Time};
use super::super::units::{Number, show_duration};
use super::{Resolver, defaults};

/// The words of `probe`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Probe {
    Tcp,
    Tls,
    Http,
    Websocket,
    Grpc,
}

const PROBES: [(&str, Probe); 5] = [
    ("tcp", Probe::Tcp),
    ("tls", Probe::Tls),
    ("http", Probe::Http),
    ("websocket", Probe::Websocket),
    ("grpc", Probe::Grpc),
];
/// Methods that are safe (RFC 9110 §9.2.1): a probe changes nothing.
const METHODS: [(&str, &Method); 3] = [("GET", &Method::GET), ("HEAD", &Method::HEAD), ("OPTIONS", &Method::OPTIONS)];
/// Final statuses: 1xx come before one.
const STATUSES: RangeInclusive<u16> = 200..=599;
/// What a body is searched for, or a call of gRPC asks about.
const LONGEST_BODY: usize = 1024;
/// Apache's limit for `hcinterval`.
pub(super) const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// Counts beyond these are typing errors.
const MOST: u64 = 1_000_000;

impl Resolver<'_, '_> {
    pub(super) fn pause(&mut self, written: &PauseTable) -> PauseConfig {
        let first = self.time("first", written.first.as_ref(), defaults::PAUSE_FIRST);
        // One that is longer than the default longest says how long it is to be.
        let longest = self.time("longest", written.longest.as_ref(), defaults::PAUSE_LONGEST.max(first));
        if let Some(written) = written.longest.as_ref().filter(|_| longest < first && !longest.is_zero()) {
            let (longest, first) = (show_duration(longest), show_duration(first));
            self.report.fault(written.span(), format!("`longest` is {longest}, shorter than `first`, {first}"));
        }
        PauseConfig { first, longest }
    }

    /// None, unless it is written.
    pub(super) fn time_if_written(&mut self, key: &str, written: Option<&Time>) -> Option<Duration> {
        let written = written?;
        Some(self.time(key, Some(written), written.get_ref().0))
    }

    pub(super) fn outlier(&mut self, written: &OutlierTable) -> OutlierConfig {
        let ejection = self.time("ejection", written.ejection.as_ref(), defaults::EJECTION);
        let longest = self.time("longest", written.longest.as_ref(), defaults::EJECTION_LONGEST.max(ejection));
        if let Some(written) = written.longest.as_ref().filter(|_| longest < ejection && !longest.is_zero()) {
            let (longest, ejection) = (show_duration(longest), show_duration(ejection));
            self.report.fault(written.span(), format!("`longest` is {longest}, shorter than `ejection`, {ejection}"));
        }
        OutlierConfig {
            consecutive: self.times("consecutive", written.consecutive.as_ref(), defaults::OUTLIER_CONSECUTIVE),
            rate: self.share("rate", written.rate.as_ref(), defaults::OUTLIER_RATE),
            window: self.time("window", written.window.as_ref(), defaults::OUTLIER_WINDOW),
            minimum: self.times("minimum", written.minimum.as_ref(), defaults::OUTLIER_MINIMUM),
            ejection,
            longest,
            share: self.share("share", written.share.as_ref(), defaults::OUTLIER_SHARE),
        }
    }

    /// None if it is too wrong to be anything.
    pub(super) fn health(
        &mut self,
        cluster: &str,
        written: &HealthTable,
        endpoints: &[EndpointConfig],
        protocol: ClusterProtocol,
    ) -> Option<HealthConfig> {
        let interval = self.time("interval", written.interval.as_ref(), defaults::PROBE_INTERVAL);
        if let Some(written) = &written.interval
            && !interval.is_zero()
            && interval < SHORTEST_INTERVAL
        {
            let (is, least) = (show_duration(interval), show_duration(SHORTEST_INTERVAL));
            self.report.fault(written.span(), format!("`interval` is {is}, expected at least {least}"));
        }
        // A default never exceeds what was written beside it.
        let timeout = self.time("timeout", written.timeout.as_ref(), defaults::PROBE_TIMEOUT.min(interval));
        if let Some(written) = written.timeout.as_ref().filter(|_| timeout > interval) {
            let message = format!(
                "cluster `{cluster}` probes with a `timeout` of {} every {}: one that runs into it delays the next",
                show_duration(timeout),
                show_duration(interval)
            );
            self.report.warn(written.span(), message);
        }
        let rise = self.times("rise", written.rise.as_ref(), defaults::PROBE_RISE);
        let fall = self.times("fall", written.fall.as_ref(), defaults::PROBE_FALL);
        let check = self.check(written, endpoints, protocol)?;
        Some(HealthConfig { check, interval, timeout, rise, fall })
    }

    fn check(
        &mut self,
        written: &HealthTable,
        endpoints: &[EndpointConfig],
        protocol: ClusterProtocol,
    ) -> Option<Check> {
        let known = PROBES.iter().any(|(word, _)| word == written.probe.get_ref());
        let probe = self.choice("probe", Some(&written.probe), &PROBES, Probe::Tcp);
        if !known {
            return None;
        }
        let asks_path = matches!(probe, Probe::Http | Probe::Websocket);
        let (is_http, is_grpc) = (probe == Probe::Http, probe == Probe::Grpc);
        let name = written.probe.get_ref();
        for (key, at, fits, fitting) in [
            ("path", written.path.as_ref().map(Spanned::span), asks_path, "`http` and `websocket` do"),
            (
                "host",
                written.host.as_ref().map(Spanned::span),
                asks_path || is_grpc,
                "`http`, `websocket` and `grpc` do",
            ),
            ("service", written.service.as_ref().map(Spanned::span), is_grpc, "`grpc` does"),
            ("method", written.method.as_ref().map(Spanned::span), is_http, "`http` does"),
            ("expect", written.expect.as_ref().map(Spanned::span), is_http, "`http` does"),
            ("body", written.body.as_ref().map(Spanned::span), is_http, "`http` does"),
        ] {
            if let Some(at) = at.filter(|_| !fits) {
                let message = format!("`{key}` is nothing that probe = \"{name}\" looks at, only {fitting}");
                self.report.fault_hint(at, message, "leave it out, or choose another probe");
            }
        }
        if asks_path && written.path.is_none() {
            let message = format!("probe = \"{name}\" has no `path`: what should it ask for?");
            self.report.fault_hint(written.probe.span(), message, "for example path = \"/healthz\"");
            return None;
        }
        let host = self.host(written.host.as_ref());
        match probe {
            Probe::Tcp => Some(Check::Tcp),
            Probe::Tls => {
                if let Some(plain) = endpoints.iter().find(|endpoint| !endpoint.tls) {
                    let message = format!("probe = \"tls\", but endpoint {} is without TLS", plain.url);
                    self.report.fault_hint(written.probe.span(), message, "use `tcp`, or `https` and `wss` endpoints");
                }
                Some(Check::Tls)
            }
            Probe::Http => {
                let method = self.choice("method", written.method.as_ref(), &METHODS, &Method::GET);
                if let Some(body) = written.body.as_ref().filter(|_| method == Method::HEAD) {
                    self.report.fault(body.span(), "`body` is set, but an answer to HEAD has none");
                }
                let (path, method) = (self.probe_path(written.path.as_ref()?), method.clone());
                if let Some(at) =
                    written.path.as_ref().filter(|path| path.get_ref().starts_with("/grpc.health.v1.Health/"))
                {
                    let message =
                        "`path` is that of gRPC's health service, which takes calls alone: use probe = \"grpc\"";
                    self.report.warn(at.span(), message);
                }
                let (statuses, body) = (self.expected(written), self.body(written.body.as_ref()));
                Some(Check::Http(HttpCheck { method, path, host, statuses, body }))
            }
            Probe::Grpc => {
                if protocol == ClusterProtocol::Http1 {
                    let message = "probe = \"grpc\", but the cluster's endpoints are spoken to in HTTP/1.1";
                    self.report.fault_hint(
                        written.probe.span(),
                        message,
                        "set protocol = \"h2\" for the cluster, or \"auto\"",
                    );
                }
                let service = written.service.as_ref().map(|service| self.service(service)).unwrap_or_default();
                Some(Check::Grpc(GrpcCheck { service, host }))
            }
            Probe::Websocket => {
                let path = self.probe_path(written.path.as_ref()?);
                Some(Check::Websocket(WebsocketCheck { path, host }))
            }
        }
    }

    pub(super) fn probe_path(&mut self, written: &Text) -> String {
        let path = written.get_ref();
        let parsed = path.parse::<::http::uri::PathAndQuery>();
        if !path.starts_with('/') || path.contains('#') || !parsed.is_ok_and(|parsed| parsed.as_str() == path) {
            let message = format!("bad `path` \"{path}\", expected a path that starts with `/`");
            self.report.fault_hint(
                written.span(),
                message,
                "for example \"/healthz?deep=1\"; encode what is no URL character",
            );
        }
        path.clone()
    }

    fn service(&mut self, written: &Text) -> String {
        let length = written.get_ref().len();
        if length > LONGEST_BODY {
            let message = format!("`service` has {length} bytes, expected up to {LONGEST_BODY}");
            self.report.fault(written.span(), message);
        }
        written.get_ref().clone()
    }

    fn host(&mut self, written: Option<&Text>) -> Option<HeaderValue> {
        let written = written?;
        let host = written.get_ref();
        let authority = host.parse::<::http::uri::Authority>();
        if host.contains('@') || authority.is_err() {
            self.report
                .fault(written.span(), format!("bad `host` \"{host}\", expected a host name, with or without port"));
        }
        HeaderValue::from_str(host).ok()
    }

    fn expected(&mut self, written: &HealthTable) -> Vec<RangeInclusive<u16>> {
        let Some(expect) = &written.expect else { return vec![defaults::PROBE_EXPECT] };
        if expect.get_ref().is_empty() {
            let message = "`expect` is empty: no answer would be good";
            self.report.fault_hint(expect.span(), message, "leave it out for 200 to 399");
        }
        for entry in expect.get_ref() {
            let range = &entry.get_ref().0;
            if !STATUSES.contains(range.start()) || !STATUSES.contains(range.end()) || range.is_empty() {
                let (low, high) = (range.start(), range.end());
                let found = if low == high { low.to_string() } else { format!("{low}-{high}") };
                self.report.fault(entry.span(), format!("`expect` has {found}, expected statuses from 200 to 599"));
            }
        }
        expect.get_ref().iter().map(|entry| entry.get_ref().0.clone()).collect()
    }

    fn body(&mut self, written: Option<&Text>) -> Option<String> {
        let written = written?;
        let length = written.get_ref().len();
        if !(1..=LONGEST_BODY).contains(&length) {
            self.report.fault(written.span(), format!("`body` has {length} bytes, expected 1 to {LONGEST_BODY}"));
        }
        Some(written.get_ref().clone())
    }

    /// A count from 1.
    fn times(&mut self, key: &str, written: Option<&CountField>, default: u32) -> u32 {
        let number = self.whole(key, written, (1, MOST), default as usize);
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// More than nothing, and at most all.
    fn share(&mut self, key: &str, written: Option<&Spanned<Number>>, default: f64) -> f64 {
        let Some(written) = written else { return default };
        let share = written.get_ref().0;
        if !(share > 0.0 && share <= 1.0) {
            let message = format!("`{key}` is {share}, expected more than 0 and at most 1");
            self.report.fault_hint(written.span(), message, "leave it out for the default");
        }
        share
    }
}
