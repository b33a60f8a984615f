//! Samples that other rooms add at a scrape.

use std::collections::BTreeMap;

use super::names::Family;

/// Labels of a series, in the order in which they are written.
pub type Labels = Vec<(&'static str, String)>;

type SampledFamily = (&'static Family, Vec<(Labels, f64)>);

/// Samples of one scrape, by family.
#[derive(Debug, Default)]
pub struct Samples {
    families: BTreeMap<&'static str, SampledFamily>,
}

impl Samples {
    /// Adds one. Samples of one family may come in any order and from several sources; they are written together.
    pub fn add(&mut self, family: &'static Family, labels: Labels, value: f64) {
        self.families.entry(family.name).or_insert_with(|| (family, Vec::new())).1.push((labels, value));
    }

    pub(super) fn into_families(self) -> impl Iterator<Item = SampledFamily> {
        self.families.into_values()
    }
}
