//! `signals` of a cluster, and `[heartbeat]`.

use std::time::Duration;

use toml::Spanned;

use super::super::schema::{ClusterSection, ConfigFile, HeartbeatSection, SignalTable, SignalsTable, Text};
use super::super::series::Series;
use super::super::signals::{
    HeartbeatConfig, HeartbeatField, MOST_SIGNALS, OrcaField, SignalConfig, SignalRequest, SignalSource, is_pointer,
};
use super::super::units::show_duration;
use super::health::SHORTEST_INTERVAL;
use super::{Resolver, cluster::Resolved, defaults};
use crate::diagnose::{closest, list};

/// Longest name of a signal, in bytes.
const LONGEST_NAME: usize = 64;
/// Bytes of a response that is asked for alone, at the least and at the most.
const LEAST_LIMIT: u64 = 1 << 10;
const MOST_LIMIT: u64 = 64 << 20;
/// Where a signal may come from.
const SOURCES: [&str; 5] = ["json", "metric", "orca", "heartbeat", "push"];
/// What a heartbeat counts.
const HEARTBEAT: [(&str, HeartbeatField); 2] = [("ready", HeartbeatField::Ready), ("busy", HeartbeatField::Busy)];
/// The balancer that asks for a signal, and which.
const ASKS: (&str, &str) = ("heartbeat", "ready");

impl Resolver<'_, '_> {
    pub(super) fn signals(&mut self, cluster: &str, written: &SignalsTable, expiry: Duration) -> Vec<SignalConfig> {
        if let Some((name, _)) =
            written.iter().max_by_key(|(name, _)| name.span().start).filter(|_| written.len() > MOST_SIGNALS)
        {
            let message = format!("cluster `{cluster}` has {} signals, expected at most {MOST_SIGNALS}", written.len());
            self.report.fault(name.span(), message);
        }
        let read = written.iter().filter_map(|(name, table)| {
            self.signal_name(name);
            let source = self.source(name, table)?;
            let request = self.request(name.get_ref(), table.get_ref(), &source, expiry);
            Some(SignalConfig { name: name.get_ref().clone(), source, request })
        });
        read.collect()
    }

    fn signal_name(&mut self, written: &Text) {
        let name = written.get_ref();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=LONGEST_NAME).contains(&name.len()) || !name.chars().all(fits) {
            let message =
                format!("bad signal name \"{name}\", expected up to {LONGEST_NAME} letters, digits, `-`, `_` and `.`");
            self.report.fault(written.span(), message);
        }
    }

    /// The one source of a signal.
    fn source(&mut self, name: &Text, written: &Spanned<SignalTable>) -> Option<SignalSource> {
        let table = written.get_ref();
        let is_set = [
            table.json.is_some(),
            table.metric.is_some(),
            table.orca.is_some(),
            table.heartbeat.is_some(),
            table.push.is_some(),
        ];
        let set: Vec<_> = SOURCES.into_iter().zip(is_set).filter(|(_, is_set)| *is_set).map(|(word, _)| word).collect();
        if set.len() != 1 {
            let signal = name.get_ref();
            if set.is_empty() {
                let message = format!("signal `{signal}` has no source, expected one of {}", list(SOURCES));
                self.report.fault_hint(written.span(), message, "for example { push = true }");
            } else {
                let message = format!("signal `{signal}` has several sources: {}; expected one", list(set));
                self.report.fault_hint(written.span(), message, "give each a signal of its own");
            }
            return None;
        }
        let SignalTable { json, metric, orca, heartbeat, push, .. } = table;
        if let Some(off) = push.as_ref().filter(|push| !push.get_ref()) {
            self.report.fault_hint(off.span(), "`push` is false, expected true", "leave the signal out");
        }
        if let Some(pointer) = json {
            return self.pointer(pointer);
        }
        if let Some(metric) = metric {
            return self.metric(metric);
        }
        if let Some(field) = orca {
            return self.orca(field);
        }
        if let Some(field) = heartbeat {
            let field = self.choice("heartbeat", Some(field), &HEARTBEAT, HeartbeatField::Ready);
            return Some(SignalSource::Heartbeat(field));
        }
        Some(SignalSource::Push)
    }

    /// What is asked for a signal alone, if it has a `path`.
    fn request(
        &mut self,
        name: &str,
        table: &SignalTable,
        source: &SignalSource,
        expiry: Duration,
    ) -> Option<SignalRequest> {
        let SignalTable { path, interval, limit, .. } = table;
        let of_response = matches!(source, SignalSource::Json(_) | SignalSource::Metric(_));
        for (key, at) in [
            ("path", path.as_ref().map(Spanned::span)),
            ("interval", interval.as_ref().map(Spanned::span)),
            ("limit", limit.as_ref().map(Spanned::span)),
        ] {
            let Some(at) = at else { continue };
            if !of_response {
                let message = format!("`{key}` of signal `{name}` is for `json` and `metric`, which are asked for");
                self.report.fault_hint(at, message, "leave it out");
            } else if path.is_none() {
                let message = format!("`{key}` of signal `{name}` needs a `path`: without it, the probe is what asks");
                self.report.fault_hint(at, message, "for example path = \"/metrics\"");
            }
        }
        let path = path.as_ref().filter(|_| of_response).map(|path| self.probe_path(path));
        let read = self.time("interval", interval.as_ref(), defaults::SIGNAL_INTERVAL);
        if let Some(written) = interval {
            if !read.is_zero() && read < SHORTEST_INTERVAL {
                let (is, least) = (show_duration(read), show_duration(SHORTEST_INTERVAL));
                self.report.fault(written.span(), format!("`interval` is {is}, expected at least {least}"));
            } else if read >= expiry {
                let (is, expiry) = (show_duration(read), show_duration(expiry));
                let message = format!(
                    "signal `{name}` is asked for every {is} and counts for {expiry}, `signal_expiry`: in between it \
                     is unknown"
                );
                self.report.warn(written.span(), message);
            }
        }
        if let Some(size) = limit.as_ref().filter(|size| size.get_ref().0 > MOST_LIMIT) {
            let message = format!("`limit` is {} bytes, expected at most {MOST_LIMIT} (64MiB)", size.get_ref().0);
            self.report.fault(size.span(), message);
        }
        let limit = self.size("limit", limit.as_ref(), LEAST_LIMIT, defaults::SIGNAL_LIMIT);
        Some(SignalRequest { path: path?, interval: read, limit })
    }

    fn pointer(&mut self, written: &Text) -> Option<SignalSource> {
        let text = written.get_ref();
        if is_pointer(text) {
            return Some(SignalSource::Json(text.clone()));
        }
        let message = format!("bad JSON pointer \"{text}\" in `json`, expected `/KEY/KEY` (RFC 6901)");
        let hint = if text.contains('~') {
            "`~` is written `~0`, and `/` within a key `~1`".to_owned()
        } else {
            format!("write \"/{}\"", text.trim_start_matches(['#', '/']).replace('.', "/"))
        };
        self.report.fault_hint(written.span(), message, hint);
        None
    }

    fn metric(&mut self, written: &Text) -> Option<SignalSource> {
        match written.get_ref().parse::<Series>() {
            Ok(series) => Some(SignalSource::Metric(series)),
            Err(expected) => {
                let message = format!("bad metric `{}`, {expected}", written.get_ref());
                self.report.fault_hint(written.span(), message, "for example 'slots_free{zone=\"a\"}'");
                None
            }
        }
    }

    fn orca(&mut self, written: &Text) -> Option<SignalSource> {
        let text = written.get_ref();
        if let Some(field) = OrcaField::read(text) {
            return Some(SignalSource::Orca(field));
        }
        let words = OrcaField::words();
        let words = || words.iter().map(String::as_str);
        let message = format!("unknown ORCA field \"{text}\", expected one of {}", list(words()));
        let meant = closest(text, words()).filter(|_| !text.contains('.'));
        self.report.fault_meant(written.span(), message, meant);
        None
    }

    pub(super) fn heartbeat(&mut self, written: Option<&HeartbeatSection>) -> Option<HeartbeatConfig> {
        let written = written?;
        let allow = written.allow.as_ref().map(|allow| {
            if allow.get_ref().is_empty() {
                let message = "`allow` is empty, expected at least one address or network";
                self.report.fault_hint(allow.span(), message, "leave it out to listen to every endpoint");
            }
            allow.get_ref().iter().filter_map(|network| self.network("allow", network)).collect()
        });
        Some(HeartbeatConfig { listen: self.address(&written.listen)?, allow })
    }

    /// Warns of signals that no endpoint reports, and of a balancer that asks for one that is not there.
    pub(super) fn unreported(&mut self, file: &ConfigFile, clusters: &[Resolved]) {
        for (name, section) in &file.cluster {
            let cluster = name.get_ref().to_ascii_lowercase();
            for (signal, table) in section.signals.iter().flatten() {
                let why = match table.get_ref() {
                    SignalTable { path: Some(_), .. } => None,
                    SignalTable { json: Some(_), .. } | SignalTable { metric: Some(_), .. } => no_body(section),
                    SignalTable { heartbeat: Some(_), .. } if file.heartbeat.is_none() => {
                        Some("there is no [heartbeat] to hear it; add one with `listen`")
                    }
                    _ => None,
                };
                let Some(why) = why else { continue };
                let message =
                    format!("signal `{}` of cluster `{cluster}` is reported by nobody: {why}", signal.get_ref());
                self.report.warn(signal.span(), message);
            }
        }
        for Resolved { used, span } in clusters {
            let (balancer, asked) = ASKS;
            let missing = used.balancer.plugin == balancer && !used.signals.iter().any(|signal| signal.name == asked);
            if let Some(span) = span.clone().filter(|_| missing) {
                let message = format!(
                    "cluster `{}` has balancer `{balancer}`, but no signal `{asked}`: it knows nothing of its \
                     endpoints; add signals = {{ {asked} = {{ heartbeat = \"{asked}\" }} }}",
                    used.name
                );
                self.report.warn(span, message);
            }
        }
    }
}

/// Why no probe of a cluster has a response with a body to read, and the remedy; none if one has.
fn no_body(section: &ClusterSection) -> Option<&'static str> {
    let Some(health) = section.health.as_ref().filter(|health| health.probe.get_ref() == "http") else {
        return Some(
            "no HTTP probe asks its endpoints; give the signal a `path` of its own, or add \
             health = { probe = \"http\", path = \"/load\" }",
        );
    };
    let asks_head = health.method.as_ref().is_some_and(|method| method.get_ref() == "HEAD");
    asks_head.then_some("an answer to a probe with HEAD has no body; use method = \"GET\"")
}
