//! Where in the file the configuration of a plugin is written.

use std::collections::BTreeMap;

use crate::diagnose::Position;

/// Where a plugin's configuration is written, value by value.
///
/// Places are equal whatever they are: comments and layout make no other configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigPlace {
    /// `[cluster.chat]`, `[plugin.mine]`; none if nobody wrote it.
    pub(crate) section: Option<String>,
    /// Where the `file` of the plugin's own section is written.
    pub(crate) file: Option<Position>,
    /// Where its `table` is written.
    pub(crate) table: Option<Position>,
    /// Where the paths of its `secrets` are written, by their keys.
    pub(crate) secrets: BTreeMap<String, Position>,
    /// Where the plugin is chosen, if it is named there.
    pub(crate) chosen: Option<Position>,
    /// By JSON pointer: where, and the key as an operator reads it.
    pub(crate) values: BTreeMap<String, (Position, String)>,
}

/// A value that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundValue<'a> {
    /// Where.
    pub position: Position,
    /// `config.routes[3].path`
    pub shown: &'a str,
    /// Whether it is the value that was looked for, and not one around it.
    pub is_exact: bool,
}

impl ConfigPlace {
    /// The section that it is written in; none if it was made from the `[[route]]` list, or there is none.
    #[must_use]
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// Where its `file` is written; none outside of `[plugin.NAME]`.
    #[must_use]
    pub fn file(&self) -> Option<Position> {
        self.file
    }

    /// Where its `table` is written; none outside of `[plugin.NAME]`.
    #[must_use]
    pub fn table(&self) -> Option<Position> {
        self.table
    }

    /// Where the path of a secret is written; none outside of `[plugin.NAME]`.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<Position> {
        self.secrets.get(key).copied()
    }

    /// Where the plugin is chosen; none where it is the default.
    #[must_use]
    pub fn chosen(&self) -> Option<Position> {
        self.chosen
    }

    /// The value that a JSON pointer names, or the closest one around it that is written. Authors who forget what
    /// pointers look like mean the same by `b`, `b.c` and `/b/c`.
    #[must_use]
    pub fn find(&self, pointer: &str) -> Option<FoundValue<'_>> {
        let meant = match pointer {
            "" | "/" => String::new(),
            _ if pointer.starts_with('/') => pointer.to_owned(),
            _ => format!("/{}", pointer.trim_start_matches("$.").trim_start_matches("config.").replace('.', "/")),
        };
        let mut rest = meant.as_str();
        loop {
            if let Some((position, shown)) = self.values.get(rest) {
                return Some(FoundValue { position: *position, shown, is_exact: rest == meant });
            }
            rest = rest.rsplit_once('/')?.0;
        }
    }
}

impl PartialEq for ConfigPlace {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
