//! When each name is asked for again, and what is known of it. Time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::name::{FoundAddress, KnownNames, Name};
use super::resolution::{LookupError, Resolution};

/// Shortest time between two lookups, however short a TTL: a name with TTL 0 must not be asked for without a pause.
const LEAST: Duration = Duration::from_secs(1);
/// Longest time a response is believed, however long its TTL: also how soon a change of `/etc/hosts` is seen.
const MOST: Duration = Duration::from_secs(300);
/// Pause after a failure. Doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest such pause.
const LAST_RETRY: Duration = Duration::from_secs(30);
/// Most addresses of one name.
pub(super) const MOST_FOUND: usize = 1024;

/// Every name that is wanted.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    entries: BTreeMap<Name, NameEntry>,
    /// Something else is known than when it was last asked.
    news: bool,
}

#[derive(Debug)]
struct NameEntry {
    found: Vec<FoundAddress>,
    /// None while it is asked for.
    due: Option<Instant>,
    failures: u32,
}

/// What a lookup has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AddressChange {
    /// Nothing.
    Same,
    /// Addresses came or went; `cut` were too many.
    Other { came: Vec<String>, went: Vec<String>, cut: usize },
    /// Nothing was found, for the first time in a row or again; so many addresses are still known.
    Failed { error: LookupError, first: bool, known: usize },
}

impl NameTable {
    /// Keeps `names` and no others.
    pub(super) fn want(&mut self, names: &BTreeSet<Name>, before: &KnownNames, now: Instant) {
        self.entries.retain(|name, _| names.contains(name));
        for name in names {
            self.entries.entry(name.clone()).or_insert_with(|| NameEntry {
                found: before.get(name).cloned().unwrap_or_default(),
                due: Some(now),
                failures: 0,
            });
        }
    }

    /// Takes in those of `names` that are new, as being asked for, and returns them.
    pub(super) fn resolve_missing(&mut self, names: &BTreeSet<Name>) -> Vec<Name> {
        let unknown: Vec<_> = names.iter().filter(|name| !self.entries.contains_key(name)).cloned().collect();
        for name in &unknown {
            self.entries.insert(name.clone(), NameEntry { found: Vec::new(), due: None, failures: 0 });
        }
        unknown
    }

    /// Those that are asked for, and of whom nothing is known yet, are due again: the one that asked gives up.
    pub(super) fn give_back(&mut self, now: Instant) {
        for entry in self.entries.values_mut().filter(|entry| entry.due.is_none() && entry.found.is_empty()) {
            entry.due = Some(now);
        }
    }

    pub(super) fn all_due(&mut self, now: Instant) {
        for due in self.entries.values_mut().filter_map(|entry| entry.due.as_mut()) {
            *due = now;
        }
    }

    /// At most `room` names that are due, now being asked for; and when the next will be.
    pub(super) fn due(&mut self, room: usize, now: Instant) -> (Vec<Name>, Option<Instant>) {
        let ready = self.entries.iter_mut().filter(|(_, entry)| entry.due.is_some_and(|due| due <= now));
        let due = ready.take(room).map(|(name, entry)| {
            entry.due = None;
            name.clone()
        });
        let due = due.collect();
        (due, self.entries.values().filter_map(|entry| entry.due).min())
    }

    pub(super) fn answered(
        &mut self,
        name: &Name,
        answer: Result<Resolution, LookupError>,
        now: Instant,
    ) -> AddressChange {
        let Some(entry) = self.entries.get_mut(name) else { return AddressChange::Same };
        match answer {
            Ok(Resolution { mut found, ttl }) => {
                entry.failures = 0;
                entry.due = Some(now + ttl.clamp(LEAST, MOST));
                // Name servers rotate their records; an order that stays changes nothing.
                found.sort_unstable();
                found.dedup_by_key(|found| (found.address, found.port));
                let cut = found.len().saturating_sub(MOST_FOUND);
                found.truncate(MOST_FOUND);
                if found == entry.found {
                    return AddressChange::Same;
                }
                let others = |these: &[FoundAddress], those: &[FoundAddress]| {
                    these.iter().filter(|one| !those.contains(one)).map(ToString::to_string).collect()
                };
                let change = AddressChange::Other {
                    came: others(&found, &entry.found),
                    went: others(&entry.found, &found),
                    cut,
                };
                entry.found = found;
                self.news = true;
                change
            }
            Err(error) => {
                let pause = FIRST_RETRY * 2_u32.pow(entry.failures.min(5));
                entry.failures = entry.failures.saturating_add(1);
                entry.due = Some(now + pause.min(LAST_RETRY));
                AddressChange::Failed { error, first: entry.failures == 1, known: entry.found.len() }
            }
        }
    }

    /// Whether something else is known than the last time.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    pub(super) fn known(&self) -> KnownNames {
        let found = self.entries.iter().filter(|(_, entry)| !entry.found.is_empty());
        found.map(|(name, entry)| (name.clone(), entry.found.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::Records;
    use super::*;

    fn name(host: &str) -> Name {
        Name { host: host.to_owned(), records: Records::Addresses }
    }

    fn found(last: u8) -> FoundAddress {
        FoundAddress { priority: 0, address: [192, 0, 2, last].into(), port: None, weight: 0 }
    }

    fn answer(addresses: &[u8], seconds: u64) -> Result<Resolution, LookupError> {
        let found = addresses.iter().map(|last| found(*last)).collect();
        Ok(Resolution { found, ttl: Duration::from_secs(seconds) })
    }

    fn wanting(host: &str) -> (NameTable, Instant) {
        let (mut table, now) = (NameTable::default(), Instant::now());
        table.want(&BTreeSet::from([name(host)]), &KnownNames::default(), now);
        assert_eq!(table.due(9, now).0, [name(host)]);
        (table, now)
    }

    fn next(table: &mut NameTable, now: Instant) -> u64 {
        table.due(0, now).1.map_or(0, |due| (due - now).as_secs())
    }

    #[test]
    fn a_name_is_due_when_its_ttl_is_over_within_bounds() {
        for (ttl, expected) in [(0, 1), (1, 1), (30, 30), (300, 300), (86_400, 300)] {
            let (mut table, now) = wanting("a");

            table.answered(&name("a"), answer(&[1], ttl), now);

            assert_eq!(next(&mut table, now), expected, "TTL {ttl}");
            assert!(table.due(9, now + Duration::from_millis(expected * 1000 - 1)).0.is_empty());
            assert_eq!(table.due(9, now + Duration::from_secs(expected)).0, [name("a")]);
            assert!(table.due(9, now + Duration::from_secs(expected)).0.is_empty(), "once at a time");
        }
    }

    #[test]
    fn a_failure_keeps_what_is_known_and_is_tried_again_ever_later() {
        let (mut table, mut now) = wanting("a");
        table.answered(&name("a"), answer(&[1, 2], 1), now);
        let mut pauses = vec![];
        for number in 0..7 {
            now += Duration::from_secs(60);
            table.due(9, now);

            let change = table.answered(&name("a"), Err(LookupError::TimedOut), now);

            let first = number == 0;
            assert_eq!(change, AddressChange::Failed { error: LookupError::TimedOut, first, known: 2 });
            pauses.push(next(&mut table, now));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(table.known()[&name("a")].len(), 2);
    }

    #[test]
    fn news_are_addresses_that_come_and_go_not_their_order() {
        let (mut table, now) = wanting("a");

        table.answered(&name("a"), answer(&[2, 1, 2], 1), now);
        assert!(table.take_news());
        assert_eq!(table.answered(&name("a"), answer(&[1, 2], 1), now), AddressChange::Same);
        assert!(!table.take_news());
        let change = table.answered(&name("a"), answer(&[3, 1], 1), now);

        let (came, went) = (vec!["192.0.2.3".to_owned()], vec!["192.0.2.2".to_owned()]);
        assert_eq!(change, AddressChange::Other { came, went, cut: 0 });
        assert_eq!(table.known()[&name("a")], [found(1), found(3)]);
    }

    #[test]
    fn a_large_answer_is_cut() {
        let (mut table, now) = wanting("a");
        let many = (0..3000_u32)
            .map(|last| FoundAddress { address: std::net::Ipv4Addr::from_bits(0x0a00_0000 + last).into(), ..found(0) });

        let change = table.answered(&name("a"), Ok(Resolution { found: many.collect(), ttl: LEAST }), now);

        assert!(matches!(change, AddressChange::Other { cut: 1976, .. }), "{change:?}");
        assert_eq!(table.known()[&name("a")].len(), MOST_FOUND);
    }

    #[test]
    fn a_name_that_is_wanted_no_more_is_forgotten_and_a_new_one_begins_with_what_was_known() {
        let (mut table, now) = wanting("a");
        table.answered(&name("a"), answer(&[1], 1), now);
        let before = table.known();

        table.want(&BTreeSet::from([name("b")]), &KnownNames::default(), now);
        assert!(table.known().is_empty());
        assert_eq!(table.answered(&name("a"), answer(&[1], 1), now), AddressChange::Same, "a late answer");
        table.want(&BTreeSet::from([name("a")]), &before, now);

        assert_eq!(table.known(), before);
        assert_eq!(table.due(9, now).0, [name("a")]);
    }

    #[test]
    fn who_does_not_wait_for_a_stranger_leaves_it_to_others() {
        let (mut table, now) = (NameTable::default(), Instant::now());
        let names = BTreeSet::from([name("a")]);

        assert_eq!(table.resolve_missing(&names), [name("a")]);
        assert!(table.resolve_missing(&names).is_empty(), "it is known by now");
        assert!(table.due(9, now).0.is_empty(), "it is asked for");
        table.give_back(now);

        assert_eq!(table.due(9, now).0, [name("a")]);
    }
}
