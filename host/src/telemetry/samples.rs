//! Samples that other rooms add at a scrape.

use std::collections::BTreeMap;

use super::names::Family;

/// Labels of a series, in the order in which they are written.
pub type Labels = Vec<(&'static str, String)>;

type SampledFamily = (&'static Family, Vec<(Labels, SampleValue)>);

/// What a series says at a scrape.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum SampleValue {
    Number(f64),
    Sizes(SampledSizes),
}

/// Counts by size.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledSizes {
    /// Of all values that were counted.
    pub sum: f64,
    /// Upper bounds, ascending, the last one infinite; and how many values lie above the bound before.
    pub buckets: Vec<(f64, u64)>,
}

/// Samples of one scrape, by family.
#[derive(Debug, Default)]
pub struct Samples {
    families: BTreeMap<&'static str, SampledFamily>,
}

impl Samples {
    /// Adds one. Samples of one family may come in any order and from several sources; they are written together.
    pub fn add(&mut self, family: &'static Family, labels: Labels, value: f64) {
        self.push(family, labels, SampleValue::Number(value));
    }

    /// Adds one of a histogram.
    pub fn add_sizes(&mut self, family: &'static Family, labels: Labels, sizes: SampledSizes) {
        self.push(family, labels, SampleValue::Sizes(sizes));
    }

    fn push(&mut self, family: &'static Family, labels: Labels, sample: SampleValue) {
        self.families.entry(family.name).or_insert_with(|| (family, Vec::new())).1.push((labels, sample));
    }

    pub(super) fn into_families(self) -> impl Iterator<Item = SampledFamily> {
        self.families.into_values()
    }
}
