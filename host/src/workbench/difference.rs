//! Two versions of a plugin beside each other.

use std::collections::BTreeSet;

use serde::Serialize;

use super::anatomy::Anatomy;

/// What a newer version has beyond an older one, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnatomyChange {
    /// Of what: `roles`, `imports` and so on.
    pub of: &'static str,
    /// What is new.
    pub added: Vec<String>,
    /// What is gone.
    pub removed: Vec<String>,
}

/// The differences from `old` to `new`, leaving out where there is none. Sizes are compared by whoever shows both.
#[must_use]
pub fn difference(old: &Anatomy, new: &Anatomy) -> Vec<AnatomyChange> {
    let features = |one: &Anatomy| one.features.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let rows = [
        ("roles", old.contract.roles.clone(), new.contract.roles.clone()),
        ("optional interfaces", old.contract.optional.clone(), new.contract.optional.clone()),
        ("contract", old.contract.versions.clone(), new.contract.versions.clone()),
        ("imports", old.imports.clone(), new.imports.clone()),
        ("exports", old.exports.clone(), new.exports.clone()),
        ("features", features(old), features(new)),
        ("made by", old.producers.clone(), new.producers.clone()),
    ];
    let changes = rows.into_iter().map(|(of, old, new)| AnatomyChange {
        of,
        added: beyond(&old, &new),
        removed: beyond(&new, &old),
    });
    changes.filter(|change| !change.added.is_empty() || !change.removed.is_empty()).collect()
}

/// What `new` has and `old` has not.
fn beyond(old: &[String], new: &[String]) -> Vec<String> {
    let old: BTreeSet<_> = old.iter().collect();
    new.iter().filter(|name| !old.contains(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::anatomy;
    use super::*;

    #[test]
    fn what_came_and_what_went_is_said_and_nothing_else() {
        let old = anatomy::of(br#"(module (import "tidegate" "log" (func)) (func (export "pick")))"#).unwrap();
        let new = anatomy::of(br#"(module (func (export "pick")) (func (export "save")))"#).unwrap();

        let change = |of, added: &[&str], removed: &[&str]| AnatomyChange {
            of,
            added: added.iter().map(|name| (*name).to_owned()).collect(),
            removed: removed.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(difference(&old, &old), []);
        assert_eq!(
            difference(&old, &new),
            [
                change("optional interfaces", &["handover"], &[]),
                change("imports", &[], &["tidegate: log"]),
                change("exports", &["save"], &[]),
            ]
        );
    }
}
