//! The numbers as Prometheus scrapes them (OpenMetrics text).

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::counters::{Counter, Gauge};
use super::metrics::Metrics;
use super::names::{self, DURATION_BOUNDS, Family, MetricKind};
use super::samples::{SampleValue, SampledSizes, Samples};

/// What to say in `Content-Type` of a scrape.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    /// Everything, in OpenMetrics text; see [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// If the encoder fails, which it does for a broken name only.
    pub fn expose(self: &Arc<Self>) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape(Arc::clone(self))));
        let mut text = String::with_capacity(8 << 10);
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

#[derive(Debug)]
struct Scrape(Arc<Metrics>);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for counters in Counter::ALL.chunk_by(|a, b| a.series().0.name == b.series().0.name) {
            let Some(first) = counters.first() else { continue };
            let mut metric = describe(&mut encoder, first.series().0)?;
            for counter in counters {
                counted(&mut metric, counter.series().1, self.0.total(*counter))?;
            }
        }
        for gauge in Gauge::ALL {
            let level = self.0.level(*gauge).cast_signed();
            describe(&mut encoder, gauge.series().0)?.encode_gauge(&level)?;
        }
        describe(&mut encoder, &names::GENERATION)?.encode_gauge(&self.0.generation())?;
        self.durations(&mut encoder)?;
        self.sources(&mut encoder)
    }
}

impl Scrape {
    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let durations = self.0.durations();
        let bounds = DURATION_BOUNDS.iter().map(|micros| seconds(*micros)).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(durations.buckets).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        describe(encoder, &names::REQUEST_DURATION)?.encode_histogram::<NoLabelSet>(
            seconds(durations.micros),
            count,
            &buckets,
            None,
        )
    }

    fn sources(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut samples = Samples::default();
        self.0.collect(&mut samples);
        for (family, series) in samples.into_families() {
            let mut metric = describe(encoder, family)?;
            for (labels, sample) in series {
                if labels.is_empty() {
                    sampled(&mut metric, family.kind, &sample)?;
                } else {
                    sampled(&mut metric.encode_family(&labels)?, family.kind, &sample)?;
                }
            }
        }
        Ok(())
    }
}

fn describe<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    family: &'static Family,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    let kind = match family.kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
        MetricKind::Histogram => MetricType::Histogram,
    };
    encoder.encode_descriptor(family.name, family.help, None, kind)
}

fn sampled(metric: &mut MetricEncoder<'_>, kind: MetricKind, sample: &SampleValue) -> fmt::Result {
    match (kind, sample) {
        (MetricKind::Counter, SampleValue::Number(value)) => metric.encode_counter::<NoLabelSet, _, f64>(value, None),
        (MetricKind::Gauge, SampleValue::Number(value)) => metric.encode_gauge(value),
        (MetricKind::Histogram, SampleValue::Sizes(SampledSizes { sum, buckets })) => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            metric.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
        // Names in one file have one kind each: a family that is written as another would be no OpenMetrics.
        _ => Err(fmt::Error),
    }
}

fn counted(metric: &mut MetricEncoder<'_>, labels: &[(&'static str, &str)], value: u64) -> fmt::Result {
    if labels.is_empty() {
        metric.encode_counter::<NoLabelSet, _, f64>(&value, None)
    } else {
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric's value is a float by format")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use super::*;
    use crate::telemetry::RequestProtocol;

    static TESTED: Family = Family::gauge("tidegate_tested", "For a test");

    /// Reads the text as a scraper does: every sample belongs to the family declared last, and no family comes twice.
    fn parse(text: &str) -> BTreeMap<String, String> {
        let (mut families, mut samples, mut family) = (BTreeSet::new(), BTreeMap::new(), String::new());
        let body = text.strip_suffix("# EOF\n").expect("the end is marked");
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(families.insert(name.to_owned()), "{name} is declared once");
                assert!(!help.is_empty());
                family = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                assert!(rest.starts_with(&family), "{rest} follows its help");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let name = series.split('{').next().unwrap();
                assert!(name.starts_with(&family), "{name} is in {family}");
                assert!(value.parse::<f64>().is_ok(), "{value} is a number");
                assert!(samples.insert(series.to_owned(), value.to_owned()).is_none(), "{series} comes once");
            }
        }
        samples
    }

    #[test]
    fn exposition_reads_back() {
        let metrics = Metrics::new(NonZeroUsize::MIN);
        metrics.request(204, RequestProtocol::Http1, Duration::from_millis(3));
        metrics.request(204, RequestProtocol::Http2, Duration::from_millis(3));
        metrics.add(Counter::TunnelBytesToClient, 7);
        metrics.set_generation(4);
        let _tunnel = metrics.hold(Gauge::TunnelsOpen);
        for endpoint in ["ws://a\"\\\nb", "ws://c"] {
            metrics.add_source(move |samples| samples.add(&TESTED, vec![("endpoint", endpoint.to_owned())], 1.5));
        }
        metrics.add_source(|samples| {
            let sizes = SampledSizes { sum: 4.5, buckets: vec![(1e-6, 1), (3.0, 2), (f64::INFINITY, 0)] };
            samples.add_sizes(&names::PLUGIN_OBSERVED, vec![("name", "tried".to_owned())], sizes);
        });

        let samples = parse(&metrics.expose().unwrap());

        for (series, value) in [
            ("tidegate_requests_total{class=\"2xx\",protocol=\"http/1.1\"}", "1"),
            ("tidegate_requests_total{class=\"2xx\",protocol=\"http/2\"}", "1"),
            ("tidegate_connections_total", "0"),
            ("tidegate_tunnel_bytes_total{direction=\"to_client\"}", "7"),
            ("tidegate_generation", "4"),
            ("tidegate_tunnels_open", "1"),
            ("tidegate_request_duration_seconds_bucket{le=\"0.0025\"}", "0"),
            ("tidegate_request_duration_seconds_bucket{le=\"0.005\"}", "2"),
            ("tidegate_request_duration_seconds_bucket{le=\"+Inf\"}", "2"),
            ("tidegate_request_duration_seconds_count", "2"),
            ("tidegate_request_duration_seconds_sum", "0.006"),
            ("tidegate_tested{endpoint=\"ws://a\\\"\\\\\\nb\"}", "1.5"),
            ("tidegate_tested{endpoint=\"ws://c\"}", "1.5"),
            ("tidegate_plugin_observed_bucket{le=\"0.000001\",name=\"tried\"}", "1"),
            ("tidegate_plugin_observed_bucket{le=\"3.0\",name=\"tried\"}", "3"),
            ("tidegate_plugin_observed_bucket{le=\"+Inf\",name=\"tried\"}", "3"),
            ("tidegate_plugin_observed_count{name=\"tried\"}", "3"),
            ("tidegate_plugin_observed_sum{name=\"tried\"}", "4.5"),
        ] {
            assert_eq!(samples.get(series).map(String::as_str), Some(value), "{series} in {samples:#?}");
        }
    }
}
