//! What a scene yields, and the median of several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Column {
    /// Operations a second.
    Rate,
    /// Payload in MB (10⁶ bytes) a second, one way.
    Megabytes,
    /// Microseconds, seen by the client.
    P50,
    /// Microseconds, seen by the client.
    P99,
    /// Microseconds of CPU that the proxy spent on an operation, user and system.
    Cpu,
    /// The user part of it.
    User,
    /// The system part of it.
    System,
    /// Bytes of memory that a held connection added to the proxy.
    ConnectionBytes,
    /// Bytes of memory that a held tunnel added to the proxy.
    TunnelBytes,
    /// Memory of the proxy at the end, in MB (10⁶ bytes).
    Memory,
    /// Milliseconds of CPU that the proxy spent in a second in which nothing happened.
    IdleCpu,
    /// Median of an echo before other tunnels were there, in microseconds.
    Alone,
    /// Median of an echo among all those tunnels, in microseconds.
    Among,
    /// Operations that failed.
    Errors,
    /// Operations that were done, measured or not. For programs only.
    Operations,
}

impl Column {
    /// Heading and digits after the point.
    pub(crate) fn shown(self) -> (&'static str, usize) {
        match self {
            Self::Rate => ("ops/s", 0),
            Self::Megabytes => ("MB/s", 0),
            Self::P50 => ("p50 µs", 0),
            Self::P99 => ("p99 µs", 0),
            Self::Cpu => ("CPU µs/op", 1),
            Self::User => ("user", 1),
            Self::System => ("system", 1),
            Self::ConnectionBytes => ("bytes/connection", 0),
            Self::TunnelBytes => ("bytes/tunnel", 0),
            Self::Memory => ("MB", 1),
            Self::IdleCpu => ("idle ms/s", 2),
            Self::Alone => ("alone µs", 0),
            Self::Among => ("among µs", 0),
            Self::Errors => ("errors", 0),
            Self::Operations => ("operations", 0),
        }
    }

    /// Whether more is better.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::Rate | Self::Megabytes)
    }
}

/// Figures of one run, or medians of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Figures(BTreeMap<Column, f64>);

impl Figures {
    /// With one more.
    pub(crate) fn with(mut self, column: Column, value: f64) -> Self {
        self.0.insert(column, value);
        self
    }

    pub(crate) fn get(&self, column: Column) -> Option<f64> {
        self.0.get(&column).copied()
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = Column> {
        self.0.keys().copied()
    }

    /// The median of each column, over those runs that have it.
    pub(crate) fn median(runs: &[Self]) -> Self {
        let mut all: BTreeMap<Column, Vec<f64>> = BTreeMap::new();
        for (column, value) in runs.iter().flat_map(|run| &run.0) {
            all.entry(*column).or_default().push(*value);
        }
        Self(all.into_iter().map(|(column, values)| (column, median(values))).collect())
    }
}

/// The middle one, or the mean of the two in the middle. NaN if there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

/// A count as a float. Exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2⁵³")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_each_column_on_its_own() {
        let run = |rate: f64, p99: f64| Figures::default().with(Column::Rate, rate).with(Column::P99, p99);
        let runs = [run(3.0, 10.0), run(1.0, 30.0), run(2.0, 20.0), Figures::default().with(Column::Rate, 9.0)];

        let middle = Figures::median(&runs);

        assert_eq!((middle.get(Column::Rate), middle.get(Column::P99)), (Some(2.5), Some(20.0)));
        assert_eq!(middle.get(Column::Cpu), None);
    }
}
