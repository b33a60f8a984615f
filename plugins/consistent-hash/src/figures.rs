//! How even a table is, and how much moves when endpoints leave: what the documentation's figures are measured with.

use crate::table::{Member, Table};

/// Names as endpoints have them.
#[must_use]
pub fn names(count: usize) -> Vec<String> {
    let mut names: Vec<_> =
        (0..count).map(|number| format!("ws://10.0.{}.{}:8080", number / 250, number % 250 + 1)).collect();
    names.sort();
    names
}

/// A table of `names`, which are sorted, with these weights; ids are places in it.
#[must_use]
pub fn table(names: &[String], weights: &[u32], size: usize) -> Table {
    let members = (0..).zip(names).zip(weights);
    let members: Vec<_> = members.map(|((id, name), weight)| Member { id, name, weight: *weight }).collect();
    Table::new(&members, size)
}

/// Slots of each endpoint.
#[must_use]
pub fn counts(table: &Table, endpoints: usize) -> Vec<usize> {
    let mut counts = vec![0; endpoints];
    for id in table.from(0) {
        if let Some(count) = usize::try_from(id).ok().and_then(|id| counts.get_mut(id)) {
            *count += 1;
        }
    }
    counts
}

/// Slots of the endpoint that has most, over the mean: by how much endpoints must be over-provisioned (§5.3 of the paper).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^53")]
pub fn imbalance(table: &Table, endpoints: usize) -> f64 {
    let counts = counts(table, endpoints);
    let (most, all): (usize, usize) = (counts.iter().copied().max().unwrap_or_default(), counts.iter().sum());
    most as f64 * endpoints as f64 / all as f64
}

/// Share of the slots whose endpoint is another one (§5.3).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^53")]
pub fn moved(before: &Table, after: &Table, names_before: &[String], names_after: &[String]) -> f64 {
    let name = |names: &[String], id: u32| usize::try_from(id).ok().and_then(|id| names.get(id)).cloned();
    let pairs = before.from(0).zip(after.from(0));
    let (mut moved, mut all) = (0_usize, 0_usize);
    for (old, new) in pairs {
        all += 1;
        moved += usize::from(name(names_before, old) != name(names_after, new));
    }
    moved as f64 / all as f64
}
