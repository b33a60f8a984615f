//! Where the values of each `config` table are written, which plugins read as JSON: for what they have against them.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::rewrite::key;
use crate::diagnose::Span;

/// A value of a `config` table.
#[derive(Clone, Debug)]
pub(crate) struct WrittenValue {
    /// JSON pointer into the configuration; empty for the whole.
    pub(crate) pointer: String,
    /// As an operator reads it: `config.routes[3].path`.
    pub(crate) shown: String,
    /// Of its key, or of the value itself in a list.
    pub(crate) at: Span,
}

/// Values by the section whose `config` they are in: `router`, `plugin.NAME`, `cluster.NAME`.
pub(crate) type WrittenValues = BTreeMap<String, Vec<WrittenValue>>;

/// Every value of every `config` in the file.
pub(crate) fn find(file: &DeTable<'_>) -> WrittenValues {
    let mut found = WrittenValues::new();
    for (name, value) in file {
        let DeValue::Table(section) = value.get_ref() else { continue };
        match name.get_ref().as_ref() {
            name @ ("router" | "rewriter") => note(name.to_owned(), section, &mut found),
            kind @ ("plugin" | "cluster") => {
                for (name, value) in section {
                    if let DeValue::Table(section) = value.get_ref() {
                        note(format!("{kind}.{}", name.get_ref()), section, &mut found);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn note(name: String, section: &DeTable<'_>, into: &mut WrittenValues) {
    let config = section.iter().find(|(key, _)| key.get_ref() == "config");
    if let Some((key, value)) = config {
        let mut values = Vec::new();
        walk(String::new(), "config".to_owned(), key.span(), value, &mut values);
        into.insert(name, values);
    }
}

fn walk(pointer: String, shown: String, at: Span, value: &Spanned<DeValue<'_>>, into: &mut Vec<WrittenValue>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (name, value) in table {
                let text = name.get_ref().as_ref();
                let escaped = text.replace('~', "~0").replace('/', "~1");
                walk(format!("{pointer}/{escaped}"), format!("{shown}.{}", key(text)), name.span(), value, into);
            }
        }
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(format!("{pointer}/{index}"), format!("{shown}[{index}]"), item.span(), item, into);
            }
        }
        _ => {}
    }
    into.push(WrittenValue { pointer, shown, at });
}
