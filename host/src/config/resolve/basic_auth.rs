//! `basic_auth = { … }` of a `[[route]]`.

use std::collections::BTreeSet;

use toml::Spanned;

use super::super::model::BasicAuthConfig;
use super::super::schema::{BasicAuthTable, Text};
use super::{Resolver, defaults};

/// Most characters of a realm: browsers show no more.
const LONGEST_REALM: usize = 256;

impl Resolver<'_, '_> {
    /// The users that a route lets in.
    pub(super) fn basic_auth(&mut self, written: &Spanned<BasicAuthTable>) -> BasicAuthConfig {
        let BasicAuthTable { file, realm, users } = written.get_ref();
        let file = Some(self.file("`file` of `basic_auth`", file));
        let realm = realm.as_ref().map_or_else(|| defaults::REALM.to_owned(), |realm| self.realm(realm));
        BasicAuthConfig { file, realm, users: users.as_ref().map(|users| self.users(users)) }
    }

    fn realm(&mut self, written: &Text) -> String {
        let realm = written.get_ref();
        // RFC 7617 says of no other characters how clients are to read them, and the two would end it or need escapes.
        let is_plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        if realm.is_empty() || realm.len() > LONGEST_REALM || !realm.chars().all(is_plain) {
            let message = format!(
                "bad `realm` {realm:?} in `basic_auth`, expected 1 to {LONGEST_REALM} printable ASCII characters without \" \
                 and \\"
            );
            self.report.fault_hint(written.span(), message, "for example \"Team\"");
        }
        realm.clone()
    }

    fn users(&mut self, written: &Spanned<Vec<Text>>) -> Vec<String> {
        if written.get_ref().is_empty() {
            let message = "`users` in `basic_auth` is empty, expected at least one name";
            self.report.fault_hint(written.span(), message, "leave it out to let in all users of the file");
        }
        let mut seen = BTreeSet::new();
        for user in written.get_ref() {
            let name = user.get_ref().as_str();
            if name.is_empty() || name.contains(|c: char| c == ':' || c.is_control()) {
                let message = format!("bad name {name:?} in `users`, expected one without `:` and control characters");
                self.report.fault(user.span(), message);
            } else if !seen.insert(name) {
                self.report.warn(user.span(), format!("user \"{name}\" is twice in `users`"));
            }
        }
        written.get_ref().iter().map(|user| user.get_ref().clone()).collect()
    }
}
