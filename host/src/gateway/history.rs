//! The generations that are or were live, and in what each differed from the one before.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::generation::Generation;

/// Generations that are remembered.
const LENGTH: usize = 32;

/// Most changes of members that a record and a log line name.
const NAMED: usize = 8;

/// Why a generation goes live.
#[derive(Debug)]
pub(super) enum ReplacementCause {
    /// An operator wanted it: a file, a rollback.
    Decided,
    /// An operator changed these members while it ran.
    Changed(Vec<String>),
    /// Names have other addresses. No operator decided anything: the generation to return to stays, and of many in a
    /// row the history keeps the last.
    Names(Vec<String>),
}

/// One time that a generation went live.
#[derive(Clone, Debug)]
pub(super) struct GenerationRecord {
    /// Ascending; a rollback brings an earlier one back under its own number.
    pub(super) id: u64,
    /// When it became live.
    pub(super) since: SystemTime,
    /// SHA-256 over the configuration, its members and every file it names, hex.
    pub(super) digest: String,
    /// What was different from the one before.
    pub(super) changes: Vec<String>,
    /// Whether it is live.
    pub(super) live: bool,
    by_names: bool,
}

/// The last of them in the order in which they went live; the last one is live.
#[derive(Debug)]
pub(super) struct History {
    records: VecDeque<GenerationRecord>,
}

impl GenerationRecord {
    /// That `generation` is live now, in the place of `before`.
    pub(super) fn new(generation: &Generation, before: Option<&Generation>) -> Self {
        let changes = before.map_or_else(|| vec!["start".to_owned()], |before| differences(generation, before));
        let digest = generation.digest.clone();
        Self { id: generation.id, since: SystemTime::now(), digest, changes, live: true, by_names: false }
    }

    /// The same, of a generation that went live for `cause`.
    pub(super) fn caused(generation: &Generation, before: &Generation, cause: ReplacementCause) -> Self {
        let mut record = Self::new(generation, Some(before));
        record.by_names = matches!(cause, ReplacementCause::Names(_));
        if let ReplacementCause::Changed(members) | ReplacementCause::Names(members) = cause
            && !members.is_empty()
        {
            record.changes = first_of(members);
        }
        record
    }

    /// Whether names made it, not an operator.
    pub(super) fn is_by_names(&self) -> bool {
        self.by_names
    }
}

impl History {
    /// Begins with the first generation.
    pub(super) fn new(first: GenerationRecord) -> Self {
        Self { records: VecDeque::from([first]) }
    }

    /// Adds the one that is live from now on.
    pub(super) fn push(&mut self, record: GenerationRecord) {
        for earlier in &mut self.records {
            earlier.live = false;
        }
        if record.by_names && self.records.back().is_some_and(|last| last.by_names) {
            self.records.pop_back();
        }
        self.records.push_back(record);
        if self.records.len() > LENGTH {
            self.records.pop_front();
        }
    }

    /// All of them.
    pub(super) fn records(&self) -> impl Iterator<Item = &GenerationRecord> {
        self.records.iter()
    }
}

/// As many as are named, and how many more there are.
fn first_of(mut changes: Vec<String>) -> Vec<String> {
    let more = changes.len().saturating_sub(NAMED);
    changes.truncate(NAMED);
    if more > 0 {
        changes.push(format!("and {more} more"));
    }
    changes
}

fn differences(now: &Generation, before: &Generation) -> Vec<String> {
    let mut changes = Vec::new();
    let (old, new) = (before.config(), now.config());
    for (name, artifact) in now.artifacts() {
        match before.artifacts().get(name) {
            Some(other) if other.digest() == artifact.digest() => {}
            Some(_) => changes.push(format!("plugin {name} replaced")),
            None => changes.push(format!("plugin {name} added")),
        }
    }
    changes.extend(gone(before.artifacts().keys(), |name| now.artifacts().contains_key(name), "plugin"));
    for (name, prepared) in &now.clusters {
        match before.cluster(name) {
            Some(other) if other.inputs.config == prepared.inputs.config => {}
            Some(_) => changes.push(format!("cluster {name} changed")),
            None => changes.push(format!("cluster {name} added")),
        }
    }
    changes.extend(gone(before.clusters.keys(), |name| now.clusters.contains_key(name), "cluster"));
    let secrets = &now.from_files.secrets;
    let changed =
        secrets.iter().filter(|(name, mine)| before.from_files.secrets.get(*name).is_some_and(|old| old != *mine));
    changes.extend(changed.map(|(name, _)| format!("secrets of plugin {name} changed")));
    for (what, same) in [
        (
            "routes",
            old.routes == new.routes
                && old.router == new.router
                && old.rewriter == new.rewriter
                && old.reverse == new.reverse,
        ),
        ("listeners", old.listeners == new.listeners),
        ("gateway settings", old.gateway == new.gateway),
        ("plugin settings", old.plugins == new.plugins),
        ("passwords", !now.from_files.passwords.has_changed(&before.from_files.passwords)),
        ("error pages", before.from_files.pages == now.from_files.pages),
    ] {
        if !same {
            changes.push(format!("{what} changed"));
        }
    }
    if changes.is_empty() && now.digest != before.digest {
        changes.push("certificates changed".to_owned());
    }
    changes.sort();
    changes
}

fn gone<'a>(
    names: impl Iterator<Item = &'a String> + 'a,
    stays: impl Fn(&String) -> bool + 'a,
    what: &'static str,
) -> impl Iterator<Item = String> + 'a {
    names.filter(move |name| !stays(name)).map(move |name| format!("{what} {name} removed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u64, by_names: bool) -> GenerationRecord {
        let (since, digest) = (SystemTime::UNIX_EPOCH, String::new());
        GenerationRecord { id, since, digest, changes: Vec::new(), live: true, by_names }
    }

    #[test]
    fn of_generations_that_names_made_in_a_row_the_last_stays() {
        let mut history = History::new(record(1, false));
        for (id, by_names) in [(2, true), (3, true), (4, false), (5, true), (6, true)] {
            history.push(record(id, by_names));
        }

        let ids: Vec<_> = history.records().map(|record| record.id).collect();
        assert_eq!(ids, [1, 3, 4, 6]);
        assert!(history.records().all(|record| record.live == (record.id == 6)));
    }

    #[test]
    fn the_oldest_are_forgotten_and_long_lists_of_changes_are_cut() {
        let mut history = History::new(record(1, false));
        for id in 2..=40 {
            history.push(record(id, false));
        }

        assert_eq!(history.records().count(), LENGTH);
        assert_eq!(history.records().next().unwrap().id, 9);
        let many = (1..=NAMED + 3).map(|number| number.to_string()).collect();
        assert_eq!(first_of(many).last().unwrap(), "and 3 more");
    }
}
