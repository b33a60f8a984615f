//! What endpoints report about themselves: the signals that a cluster names, and where each comes from.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::series::Series;

/// Signals of one cluster, at the most. Each is a few bytes per endpoint and a look at every report.
pub const MOST_SIGNALS: usize = 32;

/// A number that endpoints report about themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalConfig {
    /// The operator's name for it, by which a balancer asks.
    pub name: String,
    /// Where it comes from.
    pub source: SignalSource,
    /// What is asked for it; none if it is read from the response to a probe, or comes by itself.
    pub request: Option<SignalRequest>,
}

/// A request for signals alone: GET, beside probes and whatever comes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalRequest {
    /// Path and query; the endpoint's base path comes before it.
    pub path: String,
    /// From one request to an endpoint to the next, at least 100 ms. Default 1 s.
    pub interval: Duration,
    /// Bytes of a body that is taken; a longer one is not. Default 4 MiB.
    pub limit: usize,
}

/// Where a signal comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalSource {
    /// The number that an RFC 6901 pointer finds in the JSON of the response to a probe.
    Json(String),
    /// A sample of the response to a probe, in Prometheus' text format. It must select one only.
    Metric(Series),
    /// A number of the response header `endpoint-load-metrics`.
    Orca(OrcaField),
    /// A number of the datagrams of Apache's mod_heartbeat.
    Heartbeat(HeartbeatField),
    /// Posted to the admin API.
    Push,
}

/// What a heartbeat counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatField {
    /// Workers that wait for something to do.
    Ready,
    /// Workers that have something to do.
    Busy,
}

/// `[heartbeat]`: where datagrams of Apache's mod_heartbeat are received.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatConfig {
    /// Port 0 takes a free one; a multicast group is joined.
    pub listen: SocketAddr,
    /// Senders that are listened to beyond being endpoints; none listens to every endpoint.
    pub allow: Option<Vec<IpNet>>,
}

impl HeartbeatConfig {
    /// Whether datagrams from `sender` are looked at.
    #[must_use]
    pub fn allows(&self, sender: std::net::IpAddr) -> bool {
        self.allow.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&sender)))
    }
}

/// A number of an ORCA load report (`xds.data.orca.v3.OrcaLoadReport`).
#[derive(Clone, Debug, PartialEq)]
pub struct OrcaField {
    /// As written, which is its name in the text form: `cpu_utilization`, `named_metrics.queue`.
    pub name: String,
    /// Its key in the JSON form, as proto and as JSON spell it. Both are accepted, as protobuf's parsers do.
    pub keys: [&'static str; 2],
    /// The entry, if what the key holds is a map.
    pub entry: Option<String>,
    /// What the proto file allows, both ends included.
    pub range: (f64, f64),
}

/// A field as proto and JSON spell it, and the range that the proto file allows.
type KnownField = ([&'static str; 2], (f64, f64));

const ANY: (f64, f64) = (f64::MIN, f64::MAX);
const SHARE: (f64, f64) = (0.0, 1.0);
const NOT_NEGATIVE: (f64, f64) = (0.0, f64::MAX);

/// Numbers of the report itself. CPU may be above 1: an endpoint may use more than it was promised.
const OWN: [KnownField; 5] = [
    (["cpu_utilization", "cpuUtilization"], NOT_NEGATIVE),
    (["mem_utilization", "memUtilization"], SHARE),
    (["application_utilization", "applicationUtilization"], NOT_NEGATIVE),
    (["rps_fractional", "rpsFractional"], NOT_NEGATIVE),
    (["eps", "eps"], NOT_NEGATIVE),
];
/// Its maps.
const MAPS: [KnownField; 3] = [
    (["named_metrics", "namedMetrics"], ANY),
    (["utilization", "utilization"], SHARE),
    (["request_cost", "requestCost"], ANY),
];

impl OrcaField {
    /// Reads what an operator wrote; none if there is no such field.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (table, key, entry): (&[KnownField], _, _) = match text.split_once('.') {
            None => (&OWN, text, None),
            Some((map, entry)) => (&MAPS, map, Some(entry)),
        };
        // What separates entries and values in the text form cannot be in a name.
        if entry.is_some_and(|entry| entry.is_empty() || entry.contains([',', '=', ':', ' ', '\t'])) {
            return None;
        }
        let (keys, range) = table.iter().find(|(keys, _)| keys.first() == Some(&key))?;
        Some(Self { name: text.to_owned(), keys: *keys, entry: entry.map(str::to_owned), range: *range })
    }

    /// Every field, as an operator may write it, for messages.
    pub(crate) fn words() -> Vec<String> {
        let word = |known: &KnownField, end: &str| format!("{}{end}", known.0.first().copied().unwrap_or_default());
        OWN.iter().map(|known| word(known, "")).chain(MAPS.iter().map(|known| word(known, ".NAME"))).collect()
    }
}

/// Whether `text` is a JSON pointer (RFC 6901 §3): empty for the whole document, else `/` and tokens, in which `~` is
/// followed by 0 or 1.
pub(crate) fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orca_fields_are_those_of_the_report() {
        for (text, entry) in [
            ("cpu_utilization", None),
            ("mem_utilization", None),
            ("application_utilization", None),
            ("rps_fractional", None),
            ("eps", None),
            ("named_metrics.queue", Some("queue")),
            ("named_metrics.a.b", Some("a.b")),
            ("utilization.disk", Some("disk")),
            ("request_cost.tokens", Some("tokens")),
        ] {
            let field = OrcaField::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((field.name.as_str(), field.entry.as_deref()), (text, entry));
        }
        for text in [
            "",
            "cpu",
            "cpuUtilization",
            "cpu_utilization.x",
            "named_metrics",
            "named_metrics.",
            "named_metrics.a=b",
            "named_metrics.a,b",
            "other.x",
            ".x",
            "CPU_UTILIZATION",
        ] {
            assert_eq!(OrcaField::read(text), None, "{text}");
        }
    }

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        for text in ["", "/", "/load/cpu", "/a~1b/~0", "/0/1", "/ä"] {
            assert!(is_pointer(text), "{text}");
        }
        for text in ["load", "load/cpu", "#/load", "/a~2", "/a~", "~0"] {
            assert!(!is_pointer(text), "{text}");
        }
    }
}
