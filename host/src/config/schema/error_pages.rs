//! `error_pages = { … }` as written, the same in `[gateway]` and `[[route]]`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use toml::Spanned;

use super::Text;

/// A file by status (`"404"`) or class of statuses (`"5xx"`), and `intercept`.
pub(crate) type ErrorPagesTable = BTreeMap<Text, Spanned<PageEntry>>;

/// A file, or whether to `intercept`.
#[derive(Debug)]
pub(crate) enum PageEntry {
    File(String),
    Flag(bool),
}

impl<'de> Deserialize<'de> for PageEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FileOrFlag;
        impl Visitor<'_> for FileOrFlag {
            type Value = PageEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a file")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<PageEntry, E> {
                Ok(PageEntry::File(path.to_owned()))
            }

            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<PageEntry, E> {
                Ok(PageEntry::Flag(flag))
            }
        }
        deserializer.deserialize_any(FileOrFlag)
    }
}
