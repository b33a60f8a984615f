//! `[cluster.NAME]`

use std::collections::BTreeMap;

use toml::Spanned;

use super::super::model::{
    ClusterConfig, ConfigPlace, EndpointConfig, EndpointState, PauseConfig, PluginUse, RetryConfig, TimeoutsConfig,
};
use super::super::schema::{AnswerLimitsTable, ClusterSection, EndpointEntry, EndpointTable, PoolTable, Text};
use super::client_tls::PLAIN_TLS;
use super::endpoint::endpoint_at;
use super::plugins::{Plugins, RoleToFill};
use super::url::{self, EndpointUrl};
use super::{Resolver, defaults};
use crate::diagnose::Span;

/// A cluster, and where it is written; one made for a direct route is not.
pub(super) struct Resolved {
    pub(super) used: ClusterConfig,
    pub(super) span: Option<Span>,
}

pub(crate) const STATES: [(&str, EndpointState); 5] = [
    ("ready", EndpointState::Ready),
    ("drain", EndpointState::Drain),
    ("maint", EndpointState::Maint),
    ("spare", EndpointState::Spare),
    ("standby", EndpointState::Standby),
];
/// Apache's limit for `route=`.
pub(crate) const LONGEST_ROUTE: usize = 63;

impl Resolver<'_, '_> {
    pub(super) fn clusters(
        &mut self,
        written: &[(Text, ClusterSection)],
        start: &TimeoutsConfig,
        plugins: &Plugins,
    ) -> Vec<Resolved> {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        let mut clusters = Vec::new();
        for (name, section) in written {
            let lower = self.cluster_name(name);
            let line = self.report.line(&name.span());
            if let Some(first) = lines.insert(lower.clone(), line) {
                let message = format!("cluster `{lower}` is on line {first} already; names do not differ by case");
                self.report.fault(name.span(), message);
            }
            let endpoints = self.endpoints(&lower, &section.endpoints);
            if let Some(tls) = section.tls.as_ref().filter(|_| !endpoints.iter().any(|endpoint| endpoint.tls)) {
                let message =
                    format!("cluster `{lower}` has `tls`, but no endpoint with `https` or `wss`: it is not used");
                self.report.warn(tls.span(), message);
            }
            let sticky = section.sticky.as_ref().and_then(|sticky| self.sticky(&lower, sticky));
            self.sticky_routes(&lower, sticky.as_ref(), section.endpoints.get_ref(), &endpoints);
            let role = RoleToFill {
                kind: "balancer",
                section: format!("cluster.{}", name.get_ref()),
                written: section.balancer.as_ref(),
                default: defaults::BALANCER,
                config: section.config.as_ref(),
            };
            let protocol = self.cluster_protocol(&lower, section.protocol.as_ref(), &endpoints);
            let health = section.health.as_ref().and_then(|health| self.health(&lower, health, &endpoints, protocol));
            let signal_expiry = self.time("signal_expiry", section.signal_expiry.as_ref(), defaults::SIGNAL_EXPIRY);
            let used = ClusterConfig {
                balancer: self.plugin_use(role, plugins, || serde_json::Value::Null),
                endpoints,
                timeouts: self.timeouts(&section.timeouts, start),
                protocol,
                tls: self.client_tls(&lower, section.tls.as_ref().map(Spanned::get_ref)),
                pool_size: self.pool_size(&section.pool),
                pool_idle: self.time("idle", section.pool.idle.as_ref(), defaults::POOL_IDLE),
                head_bytes: self.size(
                    "head",
                    section.limits.head.as_ref(),
                    defaults::LEAST_ANSWER_HEAD,
                    defaults::ANSWER_HEAD,
                ),
                head_fields: self.head_fields(&section.limits),
                pause: self.pause(&section.pause),
                force_recovery: section.force_recovery.unwrap_or(true),
                slow_start: self.time_if_written("slow_start", section.slow_start.as_ref()),
                wait: self.time_if_written("wait", section.wait.as_ref()),
                outlier: section.outlier.as_ref().map(|outlier| self.outlier(outlier)),
                health,
                sticky,
                affinity: section.affinity.as_ref().and_then(|affinity| self.affinity(affinity)),
                retry: self.retry(&section.retry),
                fail_on: self.statuses("fail_on", &section.fail_on),
                signals: section
                    .signals
                    .as_ref()
                    .map_or_else(Vec::new, |signals| self.signals(&lower, signals, signal_expiry)),
                signal_expiry,
                count: self.counting(section.count.as_ref()),
                name: lower,
            };
            clusters.push(Resolved { used, span: Some(name.span()) });
        }
        clusters
    }

    fn pool_size(&mut self, written: &PoolTable) -> usize {
        self.whole("size", written.size.as_ref(), (0, 65_536), defaults::POOL_SIZE)
    }

    fn head_fields(&mut self, written: &AnswerLimitsTable) -> usize {
        let range = (1, defaults::MOST_ANSWER_FIELDS as u64);
        self.whole("head_fields", written.head_fields.as_ref(), range, defaults::ANSWER_FIELDS)
    }

    fn cluster_name(&mut self, written: &Text) -> String {
        let name = written.get_ref();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(fits) {
            let message = format!("bad cluster name \"{name}\", expected letters, digits, `-`, `_` and `.`");
            self.report.fault(written.span(), message);
        }
        name.to_ascii_lowercase()
    }

    fn endpoints(&mut self, cluster: &str, written: &Spanned<Vec<Spanned<EndpointEntry>>>) -> Vec<EndpointConfig> {
        if written.get_ref().is_empty() {
            let message = format!("cluster `{cluster}` has no endpoints, expected at least one");
            self.report.fault_hint(written.span(), message, "for example endpoints = [\"ws://10.0.0.1:8080\"]");
        }
        let mut lines = BTreeMap::new();
        let mut endpoints = Vec::new();
        for entry in written.get_ref() {
            let endpoint = match entry.get_ref() {
                EndpointEntry::Url(url) => self.endpoint_url(url, entry.span()),
                EndpointEntry::Table(table) => self.endpoint(table),
            };
            let Some(endpoint) = endpoint else { continue };
            if let Some(line) = lines.get(&endpoint.url) {
                let message = format!("endpoint {} is in cluster `{cluster}` already, on line {line}", endpoint.url);
                self.report.fault_hint(entry.span(), message, "give one of them a `weight` instead");
            }
            lines.entry(endpoint.url.clone()).or_insert_with(|| self.report.line(&entry.span()));
            endpoints.push(endpoint);
        }
        if !endpoints.is_empty() && !endpoints.iter().any(|endpoint| endpoint.state.takes_work()) {
            let message = format!("cluster `{cluster}` has no endpoint that takes work: all are `drain` or `maint`");
            self.report.warn(written.span(), message);
        }
        endpoints
    }

    fn endpoint_url(&mut self, text: &str, at: Span) -> Option<EndpointConfig> {
        if text.to_ascii_lowercase().starts_with("balancer:") {
            let message = format!("endpoint `{text}` is a cluster, expected the URL of a server");
            self.report.fault_hint(at, message, "list that cluster's endpoints here");
            return None;
        }
        match url::parse(text, &self.base) {
            Ok(url) => Some(endpoint_at(&url, true)),
            Err(fault) => {
                let message = format!("bad endpoint: {}", fault.message);
                match fault.hint {
                    Some(hint) => self.report.fault_hint(at, message, hint),
                    None => self.report.fault(at, message),
                }
                None
            }
        }
    }

    fn endpoint(&mut self, written: &EndpointTable) -> Option<EndpointConfig> {
        let weight = written.weight.as_ref().map_or(defaults::WEIGHT, |weight| {
            let number = weight.get_ref().0;
            if !(0.01..=100.0).contains(&number) {
                self.report.fault(weight.span(), format!("`weight` is {number}, expected 0.01 to 100"));
            }
            hundredths(number)
        });
        for (key, route) in [("route", &written.route), ("redirect", &written.redirect)] {
            let Some(route) = route else { continue };
            let length = route.get_ref().len();
            if !(1..=LONGEST_ROUTE).contains(&length) {
                let message = format!("`{key}` has {length} bytes, expected 1 to {LONGEST_ROUTE}");
                self.report.fault(route.span(), message);
            }
        }
        let group = self.whole("group", written.group.as_ref(), (0, 99), 0);
        let most = (1, u64::from(u32::MAX));
        let connections = self.whole("max_connections", written.max_connections.as_ref(), most, 0);
        let state = self.choice("state", written.state.as_ref(), &STATES, EndpointState::Ready);
        let plain = self.endpoint_url(written.url.get_ref(), written.url.span())?;
        let plain = self.discover(written.discover.as_ref(), plain);
        Some(EndpointConfig {
            weight,
            group: u32::try_from(group).unwrap_or_default(),
            route: written.route.as_ref().map(|route| route.get_ref().clone()),
            redirect: written.redirect.as_ref().map(|route| route.get_ref().clone()),
            state,
            labels: written.labels.clone().into_iter().collect(),
            max_connections: u32::try_from(connections).ok().filter(|connections| *connections > 0),
            ignore_errors: written.ignore_errors,
            ..plain
        })
    }
}

/// The cluster of a route that names its server directly.
pub(super) fn direct(url: &EndpointUrl, timeouts: TimeoutsConfig) -> Resolved {
    let used = ClusterConfig {
        name: url.origin.clone(),
        balancer: PluginUse {
            plugin: defaults::BALANCER.to_owned(),
            config: serde_json::Value::Null,
            place: ConfigPlace::default(),
        },
        endpoints: vec![endpoint_at(url, false)],
        timeouts,
        protocol: defaults::CLUSTER_PROTOCOL,
        tls: PLAIN_TLS,
        pool_size: defaults::POOL_SIZE,
        pool_idle: defaults::POOL_IDLE,
        head_bytes: usize::try_from(defaults::ANSWER_HEAD).unwrap_or(usize::MAX),
        head_fields: defaults::ANSWER_FIELDS,
        pause: PauseConfig::default(),
        force_recovery: true,
        slow_start: None,
        wait: None,
        outlier: None,
        health: None,
        sticky: None,
        affinity: None,
        retry: RetryConfig::default(),
        fail_on: Vec::new(),
        signals: Vec::new(),
        signal_expiry: defaults::SIGNAL_EXPIRY,
        count: defaults::COUNT,
    };
    Resolved { used, span: None }
}

/// 1.0 → 100. The caller has refused what is out of range.
pub(crate) fn hundredths(weight: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=10,000 and rounded")]
    let hundredths = (weight * 100.0).round().clamp(1.0, 10_000.0) as u32;
    hundredths
}
