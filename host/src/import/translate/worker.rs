//! `key=value` behind the URL of a ProxyPass, a member or a ProxySet.

use super::super::tree::{Place, Word};

/// Parameters of a worker or of a balancer, the last of each name.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkerParameters {
    written: Vec<(String, String, Place)>,
}

/// What stands behind a URL and is no parameter.
pub(super) enum ParameterFault {
    /// A word without `=`.
    NoValue(String),
}

/// Words without a value that Apache knows.
const FLAGS: [&str; 3] = ["nocanon", "interpolate", "noquery"];

/// Names that mean nothing here, and lose nothing.
const SILENT: [&str; 18] = [
    "keepalive",
    "flushpackets",
    "flushwait",
    "flusher",
    "ping",
    "smax",
    "ttl",
    "min",
    "growth",
    "enablereuse",
    "iobuffersize",
    "receivebuffersize",
    "addressttl",
    "nonce",
    "scolonpathdelim",
    "responsefieldsize",
    "secret",
    "mapping",
];

/// All names that are looked at somewhere.
const KNOWN: [&str; 29] = [
    "timeout",
    "connectiontimeout",
    "retry",
    "loadfactor",
    "route",
    "status",
    "upgrade",
    "redirect",
    "lbset",
    "max",
    "acquire",
    "disablereuse",
    "hcmethod",
    "hcinterval",
    "hcpasses",
    "hcfails",
    "hcuri",
    "hcexpr",
    "hctemplate",
    "lbmethod",
    "stickysession",
    "stickysessionsep",
    "nofailover",
    "maxattempts",
    "failonstatus",
    "failontimeout",
    "forcerecovery",
    "bandwidth",
    "hctimeout",
];

impl WorkerParameters {
    /// Adds what `words` say.
    pub(super) fn add(&mut self, words: &[Word], place: &Place) -> Vec<ParameterFault> {
        let mut faults = Vec::new();
        for word in words {
            match word.text.split_once('=') {
                Some((name, value)) => {
                    self.written.push((name.to_ascii_lowercase(), value.trim_matches('"').to_owned(), place.clone()));
                }
                None if FLAGS.contains(&word.text.to_ascii_lowercase().as_str()) => {}
                None => faults.push(ParameterFault::NoValue(word.text.clone())),
            }
        }
        faults
    }

    /// What `later` says counts before what this says.
    pub(super) fn extended(&self, later: &Self) -> Self {
        Self { written: self.written.iter().chain(&later.written).cloned().collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.written.iter().rev().find(|(known, ..)| known == name).map(|(_name, value, _place)| value.as_str())
    }

    pub(super) fn place(&self, name: &str) -> Option<&Place> {
        self.written.iter().rev().find(|(known, ..)| known == name).map(|(.., place)| place)
    }

    /// `On`, or anything but `Off`.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("on"))
    }

    /// A whole number, as Apache's atoi reads it: digits, then anything.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        leading_number(self.get(name)?)
    }

    /// A time in milliseconds, where `unit` is what a bare number counts.
    pub(super) fn millis(&self, name: &str, unit: u64) -> Option<u64> {
        time(self.get(name)?, unit)
    }

    /// Names that nobody here knows.
    pub(super) fn unknown(&self) -> impl Iterator<Item = (&str, &Place)> {
        let strange =
            |name: &&(String, String, Place)| !SILENT.contains(&name.0.as_str()) && !KNOWN.contains(&name.0.as_str());
        self.written.iter().filter(strange).map(|(name, _value, place)| (name.as_str(), place))
    }

    /// Whether something is said that takes a `[cluster]` of its own.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }
}

/// The digits that `text` begins with.
pub(super) fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Apache's times: a number with `ms`, `s`, `mi`, `h`, or a bare one that counts `unit` milliseconds.
pub(super) fn time(text: &str, unit: u64) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let factor = match suffix.to_ascii_lowercase().as_str() {
        "" => unit,
        "ms" => 1,
        "s" => 1000,
        "mi" | "min" => 60_000,
        "h" => 3_600_000,
        _ => unit,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// Milliseconds as a duration of the configuration, in one unit where it is whole.
pub(super) fn duration(millis: u64) -> String {
    match millis {
        0 => "1ms".to_owned(),
        days if days % 86_400_000 == 0 => format!("{}d", days / 86_400_000),
        hours if hours % 3_600_000 == 0 => format!("{}h", hours / 3_600_000),
        seconds if seconds % 1000 == 0 => format!("{}s", seconds / 1000),
        other => format!("{other}ms"),
    }
}
