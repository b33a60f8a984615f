//! How even a table is, how much moves when endpoints leave, and what a bound does: what the documentation's figures
//! are measured with.

mod crowd;

use tidegate_parts::Dice;

use crate::table::{Member, Table};

pub use crowd::{Crowd, Keys, crowd};

/// What changes in a table when endpoints leave, as shares of its slots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moved {
    /// All slots whose endpoint is another one.
    pub all: f64,
    /// Those whose endpoint has not left: nothing forced them.
    pub others: f64,
}

/// Names as endpoints have them.
#[must_use]
pub fn names(count: usize) -> Vec<String> {
    let mut names: Vec<_> =
        (0..count).map(|number| format!("ws://10.0.{}.{}:8080", number / 250, number % 250 + 1)).collect();
    names.sort();
    names
}

/// `names` without `count` of them, by chance.
#[must_use]
pub fn without(names: &[String], count: usize, dice: &mut Dice) -> Vec<String> {
    let mut left = names.to_vec();
    for _ in 0..count.min(names.len()) {
        let end = u64::try_from(left.len()).unwrap_or(u64::MAX);
        left.remove(usize::try_from(dice.below(end)).unwrap_or_default());
    }
    left
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

/// Slots of the endpoint that has most, over the mean: by how much endpoints must be over-provisioned (§5.3 of the
/// paper).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^53")]
pub fn imbalance(table: &Table, endpoints: usize) -> f64 {
    let counts = counts(table, endpoints);
    let (most, all): (usize, usize) = (counts.iter().copied().max().unwrap_or_default(), counts.iter().sum());
    most as f64 * endpoints as f64 / all as f64
}

/// What has changed between two tables (§5.3). Names are sorted, and none is new.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "tables are far smaller than 2^53")]
pub fn moved(before: &Table, after: &Table, names_before: &[String], names_after: &[String]) -> Moved {
    // By old id, the new one; none of who has left.
    let now: Vec<Option<usize>> = names_before.iter().map(|name| names_after.binary_search(name).ok()).collect();
    let (mut moved, mut others, mut all) = (0_usize, 0_usize, 0_usize);
    for (old, new) in before.from(0).zip(after.from(0)) {
        let stays = usize::try_from(old).ok().and_then(|old| now.get(old).copied().flatten());
        all += 1;
        if stays != usize::try_from(new).ok() {
            moved += 1;
            others += usize::from(stays.is_some());
        }
    }
    Moved { all: moved as f64 / all as f64, others: others as f64 / all as f64 }
}

/// The experiment of §5.3: of so many endpoints some leave at once, by chance. Mean of so many times.
#[must_use]
pub fn mean_moved(endpoints: usize, leave: usize, size: usize, times: u32) -> Moved {
    let (all, weights) = (names(endpoints), vec![100; endpoints]);
    let (whole, mut dice) = (table(&all, &weights, size), Dice::new(all.iter().map(String::as_str)));
    let mut sum = Moved::default();
    for _ in 0..times {
        let left = without(&all, leave, &mut dice);
        let one = moved(&whole, &table(&left, &weights, size), &all, &left);
        sum = Moved { all: sum.all + one.all, others: sum.others + one.others };
    }
    Moved { all: sum.all / f64::from(times), others: sum.others / f64::from(times) }
}
