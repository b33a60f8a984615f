//! Metrics of a plugin's own: bounded series, and only what a scraper can read.
//!
//! ```text
//! count │ level │ observe ─▶ name and number in order? ─▶ label in order, series known or room for it? ─▶ series
//!                              │ a fault ends the call       │ dropped, counted, one warning
//! ```

use super::call_error::RefusedArgument;
use super::status::{MeasuredSeries, MeasuredValue, OBSERVATION_BOUNDS};
use super::text::{printable, quoted};

/// OwnSeries of one plugin, and bytes of a name and of a label; from the contract.
const SERIES: usize = 64;
const NAME_BYTES: usize = 64;
const LABEL_BYTES: usize = 128;

/// One measurement, checked: its name fits into an exposition, and its number is finite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measurement<'a> {
    name: &'a str,
    of: Measure,
}

/// What is done to a series.
#[derive(Clone, Copy, Debug)]
enum Measure {
    Count(f64),
    Level(f64),
    Observe(f64),
}

impl<'a> Measurement<'a> {
    /// # Errors
    /// If the name has other characters or is too long, or the number is negative or not finite.
    pub(super) fn count(name: &'a str, by: f64) -> Result<Self, RefusedArgument> {
        Self::new("count", name, Measure::Count(by))
    }

    /// # Errors
    /// If the name has other characters or is too long, or the number is not finite.
    pub(super) fn level(name: &'a str, is: f64) -> Result<Self, RefusedArgument> {
        Self::new("level", name, Measure::Level(is))
    }

    /// # Errors
    /// As [`Self::count`].
    pub(super) fn observe(name: &'a str, value: f64) -> Result<Self, RefusedArgument> {
        Self::new("observe", name, Measure::Observe(value))
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    fn new(function: &str, name: &'a str, of: Measure) -> Result<Self, RefusedArgument> {
        if name.len() > NAME_BYTES {
            let expected = format_args!("of `{function}` a name of at most {NAME_BYTES} bytes");
            return Err(RefusedArgument::new(expected, name.len()));
        }
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.bytes().all(is_word) {
            let expected = format_args!("of `{function}` a name of a-z, 0-9 and _ that begins with a letter");
            return Err(RefusedArgument::new(expected, quoted(name)));
        }
        match of {
            Measure::Level(is) if is.is_finite() => {}
            Measure::Count(value) | Measure::Observe(value) if value.is_finite() && value >= 0.0 => {}
            Measure::Level(is) => {
                return Err(RefusedArgument::new(format_args!("of `{function}` a finite number"), is));
            }
            Measure::Count(value) | Measure::Observe(value) => {
                return Err(RefusedArgument::new(format_args!("of `{function}` a finite number of 0 or more"), value));
            }
        }
        Ok(Self { name, of })
    }
}

/// What keeps a measurement out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotMeasured {
    #[error("expected a label of at most {LABEL_BYTES} bytes, found {0}")]
    LongLabel(usize),
    #[error("expected at most {SERIES} series of metrics in all, found one more")]
    OneTooMany,
}

/// The series of one plugin.
#[derive(Debug, Default)]
pub(super) struct OwnMetrics {
    /// In order of kind, name and label.
    series: Vec<OwnSeries>,
    dropped: u64,
}

#[derive(Debug)]
struct OwnSeries {
    name: Box<str>,
    /// All that is unseen in it written out, so that no scrape is disturbed by it, and no terminal.
    label: Box<str>,
    value: MeasuredValue,
}

impl OwnMetrics {
    /// Adds to the series of its name and `label`.
    ///
    /// # Errors
    /// If nothing is kept; that is counted.
    pub(super) fn measure(&mut self, measurement: Measurement<'_>, label: &str) -> Result<(), NotMeasured> {
        if label.len() > LABEL_BYTES {
            self.dropped += 1;
            return Err(NotMeasured::LongLabel(label.len()));
        }
        let Measurement { name, of } = measurement;
        let label = printable(label);
        let wanted = (of.kind(), name, &*label);
        let place = self.series.binary_search_by(|one| (one.kind(), &*one.name, &*one.label).cmp(&wanted));
        match place {
            Ok(place) => {
                if let Some(series) = self.series.get_mut(place) {
                    of.add_to(&mut series.value);
                }
            }
            Err(_) if self.series.len() >= SERIES => {
                self.dropped += 1;
                return Err(NotMeasured::OneTooMany);
            }
            Err(place) => {
                let mut value = of.nothing();
                of.add_to(&mut value);
                self.series.insert(place, OwnSeries { name: name.into(), label: (&*label).into(), value });
            }
        }
        Ok(())
    }

    /// All series.
    pub(super) fn all(&self) -> impl Iterator<Item = MeasuredSeries> {
        self.series.iter().map(|one| MeasuredSeries {
            name: one.name.to_string(),
            label: one.label.to_string(),
            value: one.value.clone(),
        })
    }

    /// Measurements that were not kept so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl OwnSeries {
    fn kind(&self) -> u8 {
        match self.value {
            MeasuredValue::Count(_) => 0,
            MeasuredValue::Level(_) => 1,
            MeasuredValue::Sizes { .. } => 2,
        }
    }
}

impl Measure {
    fn kind(self) -> u8 {
        match self {
            Self::Count(_) => 0,
            Self::Level(_) => 1,
            Self::Observe(_) => 2,
        }
    }

    fn nothing(self) -> MeasuredValue {
        match self {
            Self::Count(_) => MeasuredValue::Count(0.0),
            Self::Level(_) => MeasuredValue::Level(0.0),
            Self::Observe(_) => MeasuredValue::Sizes { sum: 0.0, counts: Box::default() },
        }
    }

    fn add_to(self, value: &mut MeasuredValue) {
        match (self, value) {
            (Self::Count(by), MeasuredValue::Count(count)) => *count = (*count + by).min(f64::MAX),
            (Self::Level(is), MeasuredValue::Level(level)) => *level = is,
            (Self::Observe(value), MeasuredValue::Sizes { sum, counts }) => {
                *sum = (*sum + value).min(f64::MAX);
                let bucket = OBSERVATION_BOUNDS.partition_point(|bound| *bound < value);
                if let Some(count) = counts.get_mut(bucket) {
                    *count += 1;
                }
            }
            // OwnSeries of different kinds are different series.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(measurement: Result<Measurement<'_>, RefusedArgument>) -> String {
        measurement.unwrap_err().to_string()
    }

    #[test]
    fn a_series_is_its_kind_its_name_and_its_label() {
        let mut metrics = OwnMetrics::default();
        for (measurement, label) in [
            (Measurement::count("hits", 1.0), "a"),
            (Measurement::count("hits", 2.5), "a"),
            (Measurement::count("hits", 1.0), "b"),
            (Measurement::level("hits", 7.0), "a"),
            (Measurement::level("hits", -1.0), "a"),
            (Measurement::observe("hits", 3.0), "a"),
            (Measurement::observe("hits", 3.1), "a"),
            (Measurement::observe("hits", 0.0), "a"),
            (Measurement::observe("hits", 1e300), "a"),
        ] {
            metrics.measure(measurement.unwrap(), label).unwrap();
        }

        let all: Vec<_> = metrics.all().map(|one| (one.label, one.value)).collect();

        let mut counts = Box::<[u64; 32]>::default();
        (counts[0], counts[13], counts[14], counts[31]) = (1, 1, 1, 1);
        let expected = [
            ("a".to_owned(), MeasuredValue::Count(3.5)),
            ("b".to_owned(), MeasuredValue::Count(1.0)),
            ("a".to_owned(), MeasuredValue::Level(-1.0)),
            ("a".to_owned(), MeasuredValue::Sizes { sum: 1e300, counts }),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn sums_stay_finite() {
        let mut metrics = OwnMetrics::default();
        for _ in 0..2 {
            metrics.measure(Measurement::count("much", f64::MAX).unwrap(), "").unwrap();
            metrics.measure(Measurement::observe("much", f64::MAX).unwrap(), "").unwrap();
        }

        for one in metrics.all() {
            let (MeasuredValue::Count(sum) | MeasuredValue::Level(sum) | MeasuredValue::Sizes { sum, .. }) = one.value;
            assert!(sum.is_finite());
        }
    }

    #[test]
    fn a_thousand_labels_are_64_series_and_the_rest_is_counted() {
        let mut metrics = OwnMetrics::default();
        let count = Measurement::count("hits", 1.0).unwrap();
        let kept = (0..1000).filter(|number| metrics.measure(count, &number.to_string()).is_ok()).count();

        assert_eq!((kept, metrics.dropped()), (64, 936));
        assert_eq!(metrics.measure(count, "0"), Ok(()), "those that are known go on");
        assert_eq!(metrics.measure(count, "999"), Err(NotMeasured::OneTooMany));
        assert_eq!(metrics.all().count(), 64);
    }

    #[test]
    fn labels_are_bounded_and_written_so_that_they_can_be_seen() {
        let mut metrics = OwnMetrics::default();
        let count = Measurement::count("hits", 1.0).unwrap();

        assert_eq!(metrics.measure(count, &"x".repeat(128)), Ok(()));
        assert_eq!(metrics.measure(count, &"x".repeat(129)), Err(NotMeasured::LongLabel(129)));
        metrics.measure(count, "\u{1b}[2J\r\0").unwrap();

        let labels: Vec<_> = metrics.all().map(|one| one.label).collect();
        assert_eq!(labels[0], "\\u{1b}[2J\\r\\u{0}");
        assert_eq!((labels.len(), metrics.dropped()), (2, 1));
    }

    #[test]
    fn names_and_numbers_that_no_scraper_could_read_are_refused_with_their_sentence() {
        for bad in ["", "Hits", "9a", "_a", "a-b", "a b", "a{", "a\n", "ä", "a:b"] {
            let sentence = refused(Measurement::count(bad, 1.0));
            assert!(
                sentence.starts_with("expected of `count` a name of a-z, 0-9 and _ that begins with a letter, found `"),
                "{sentence}"
            );
        }
        let long = "a".repeat(65);
        assert!(Measurement::level(&long[1..], 0.0).is_ok());
        assert_eq!(refused(Measurement::level(&long, 0.0)), "expected of `level` a name of at most 64 bytes, found 65");
        for (refusal, sentence) in [
            (refused(Measurement::count("a", f64::NAN)), "expected of `count` a finite number of 0 or more, found NaN"),
            (refused(Measurement::count("a", -1.0)), "expected of `count` a finite number of 0 or more, found -1"),
            (
                refused(Measurement::observe("a", f64::INFINITY)),
                "expected of `observe` a finite number of 0 or more, found inf",
            ),
            (
                refused(Measurement::observe("a", -0.5)),
                "expected of `observe` a finite number of 0 or more, found -0.5",
            ),
            (refused(Measurement::level("a", f64::NAN)), "expected of `level` a finite number, found NaN"),
        ] {
            assert_eq!(refusal, sentence);
        }
    }
}
