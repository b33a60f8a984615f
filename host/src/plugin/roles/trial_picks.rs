//! What a balancer is offered in its self-test: few calls, and in them what goes wrong only when an endpoint in the
//! middle is drained.

use std::fmt;

use crate::policy::{EndpointId, EndpointIds};

/// Any value of an affinity.
const AFFINITY: u32 = 0x5eed;

/// The largest number of endpoints that is offered.
pub(super) const MOST: u32 = 64;

/// One call of `pick`.
#[derive(Debug)]
pub(super) struct TrialPick {
    pub(super) eligible: EndpointIds,
    pub(super) busy: Vec<u32>,
    pub(super) affinity: Option<u32>,
}

impl TrialPick {
    fn new(eligible: impl IntoIterator<Item = u32>, load: fn(u32) -> u32, affinity: Option<u32>) -> Self {
        let numbers: Vec<u32> = eligible.into_iter().collect();
        let busy = numbers.iter().map(|id| load(*id)).collect();
        Self { eligible: numbers.into_iter().map(EndpointId).collect(), busy, affinity }
    }

    /// Whether ids below `offered` suffice for it.
    fn is_within(&self, offered: usize) -> bool {
        self.eligible.iter().all(|id| usize::try_from(id.0).is_ok_and(|id| id < offered))
    }
}

/// `eligible [1, 3], busy [2, 6] and no affinity`
impl fmt::Display for TrialPick {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let eligible = ShownIds(self.eligible.as_numbers());
        write!(formatter, "eligible {eligible}, busy {} and ", ShownIds(&self.busy))?;
        match self.affinity {
            Some(affinity) => write!(formatter, "affinity {affinity}"),
            None => formatter.write_str("no affinity"),
        }
    }
}

/// The first few numbers of a list.
struct ShownIds<'a>(&'a [u32]);

impl fmt::Display for ShownIds<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..8).unwrap_or(self.0);
        let numbers = shown.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if shown.len() < self.0.len() { ", …" } else { "" };
        write!(formatter, "[{numbers}{more}]")
    }
}

/// The calls of a self-test whose ids are all below `offered`: one endpoint, some, many; ids that are their own index
/// and ids that are not; nobody busy, and everybody differently; with an affinity and without.
pub(super) fn trial_picks(offered: usize) -> Vec<TrialPick> {
    let idle = |_| 0;
    let unequal = |id| id * 7 % 5 + 1;
    let picks = [
        TrialPick::new([0], idle, Some(AFFINITY)),
        TrialPick::new([0, 1], idle, Some(AFFINITY)),
        TrialPick::new(0..MOST, idle, Some(AFFINITY)),
        TrialPick::new([1], unequal, None),
        TrialPick::new([0, 2], unequal, Some(AFFINITY)),
        TrialPick::new([1, 3, 4], unequal, None),
        TrialPick::new((3..MOST).step_by(2), unequal, Some(AFFINITY)),
        TrialPick::new((3..MOST).step_by(2), unequal, None),
    ];
    picks.into_iter().filter(|pick| pick.is_within(offered)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_two_endpoints_is_tried_with_those() {
        let offered = |endpoints| trial_picks(endpoints).iter().map(ToString::to_string).collect::<Vec<_>>();

        assert_eq!(
            offered(2),
            [
                "eligible [0], busy [0] and affinity 24301",
                "eligible [0, 1], busy [0, 0] and affinity 24301",
                "eligible [1], busy [3] and no affinity",
            ]
        );
        assert_eq!(offered(64).len(), 8);
    }

    #[test]
    fn ids_are_ascending_and_loads_are_theirs() {
        for pick in trial_picks(64) {
            let ids = pick.eligible.as_numbers();
            assert!(ids.is_sorted() && ids.len() == pick.busy.len(), "{pick}");
        }
    }
}
