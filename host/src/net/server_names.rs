//! What belongs to a server name: of TLS (RFC 6066 §3), or of the authority that a request asks for.

use std::collections::HashMap;

/// Values by server name: an exact name wins, then a wildcard for one label (RFC 6125 §6.4.3), then the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerNames<T> {
    exact: HashMap<String, T>,
    /// By what follows `*.`
    wildcard: HashMap<String, T>,
    default: T,
}

impl<T> ServerNames<T> {
    /// No name has a value of its own.
    #[must_use]
    pub fn new(default: T) -> Self {
        Self { exact: HashMap::new(), wildcard: HashMap::new(), default }
    }

    /// `name` is in lower case: `a.example` or `*.b.example`.
    pub fn insert(&mut self, name: &str, value: T) {
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcard.insert(parent.to_owned(), value),
            None => self.exact.insert(name.to_owned(), value),
        };
    }

    /// What belongs to `name`, which is in lower case and has no dot at its end. No name has the default.
    #[must_use]
    pub fn pick(&self, name: Option<&str>) -> &T {
        let parent = |name: &str| name.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        name.and_then(|name| self.exact.get(name).or_else(|| parent(name))).unwrap_or(&self.default)
    }

    /// The same names with what `of` makes of their values.
    #[must_use]
    pub fn map<U>(&self, of: impl Fn(&T) -> U) -> ServerNames<U> {
        let all = |names: &HashMap<String, T>| names.iter().map(|(name, value)| (name.clone(), of(value))).collect();
        ServerNames { exact: all(&self.exact), wildcard: all(&self.wildcard), default: of(&self.default) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_wins() {
        let mut names = ServerNames::new("default");
        names.insert("a.example", "exact");
        names.insert("*.b.example", "wildcard");
        names.insert("x.b.example", "exact of both");

        for (name, value) in [
            (None, "default"),
            (Some("a.example"), "exact"),
            (Some("y.b.example"), "wildcard"),
            (Some("x.b.example"), "exact of both"),
            (Some("b.example"), "default"),
            (Some("z.y.b.example"), "default"),
            (Some("::1"), "default"),
        ] {
            assert_eq!(*names.pick(name), value, "{name:?}");
        }
    }
}
