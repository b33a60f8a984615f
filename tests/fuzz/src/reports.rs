//! Nothing that an endpoint says about itself breaks its readers.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tidegate::cluster::{Heartbeat, Registry, Signals};
use tidegate::config::{OrcaField, SignalConfig, SignalSource};

/// What an endpoint says, in a header field and in a body.
pub fn run(input: &[u8]) {
    let orca = |field| OrcaField::read(field).map(SignalSource::Orca);
    let sources = [
        Some(SignalSource::Json("/a/0".to_owned())),
        "free{zone=\"a\"}".parse().ok().map(SignalSource::Metric),
        orca("cpu_utilization"),
        orca("named_metrics.x"),
    ];
    let signals: Vec<_> = sources
        .into_iter()
        .flatten()
        .map(|source| SignalConfig { name: "s".to_owned(), source, request: None })
        .collect();
    let signals = Signals::new(&Registry::default(), &signals, Duration::from_secs(10));
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(input) {
        headers.insert("endpoint-load-metrics", value);
    }
    let _reports = signals.read_answer(&headers, input);
    let _heartbeat = Heartbeat::read(input);
}
