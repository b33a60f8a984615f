//! Logins that have been found right, so that they are not tried again with every request.
//!
//! What is kept of one is a keyed hash over the name, the password and the hash that the file has of it. The key is
//! chance, of this process, and nowhere else: who reads the memory of the gateway finds the key, but no password
//! that is not to be found by trying; and a login is forgotten with the hash that it was right by.

use std::collections::HashSet;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use aws_lc_rs::rand::SystemRandom;
use parking_lot::Mutex;

use super::credentials::Credentials;
use super::hash::PasswordHash;

/// How many are kept at least of those that were seen last, and half of the most that are: 64 bytes each.
const KEPT: usize = 4096;

/// What is kept of a login.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LoginTag([u8; 32]);

/// The logins. Those that have not been seen for long make room.
pub(super) struct KnownLogins {
    /// None where the system has no chance: then nothing is kept.
    key: Option<Key>,
    seen: Mutex<SeenLogins>,
}

/// Those of now and those of before, which become those of now as they are seen again.
#[derive(Default)]
struct SeenLogins {
    now: HashSet<LoginTag>,
    before: HashSet<LoginTag>,
}

impl KnownLogins {
    pub(super) fn new() -> Self {
        Self { key: Key::generate(HMAC_SHA256, &SystemRandom::new()).ok(), seen: Mutex::default() }
    }

    /// What would be kept of this login.
    pub(super) fn tag(&self, credentials: &Credentials, hash: &PasswordHash) -> Option<LoginTag> {
        let mut context = Context::with_key(self.key.as_ref()?);
        // Of the password what counts: else one user's would be as many logins as there are ways to go on behind it, and push
        // those of others out. Each part with its length, so that no two logins are the same bytes.
        for part in [credentials.name(), hash.text().as_bytes(), hash.looked_at(credentials.password())] {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        context.sign().as_ref().try_into().ok().map(LoginTag)
    }

    /// Whether it is one of those.
    pub(super) fn has(&self, tag: &LoginTag) -> bool {
        self.seen.lock().has(tag)
    }

    pub(super) fn keep(&self, tag: LoginTag) {
        self.seen.lock().keep(tag);
    }
}

impl SeenLogins {
    fn has(&mut self, tag: &LoginTag) -> bool {
        if self.now.contains(tag) {
            return true;
        }
        let Some(tag) = self.before.take(tag) else { return false };
        self.keep(tag);
        true
    }

    fn keep(&mut self, tag: LoginTag) {
        if self.now.len() >= KEPT {
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert(tag);
    }
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, HeaderValue, header};
    use data_encoding::BASE64;

    use super::*;

    fn credentials(text: &str) -> Credentials {
        let field = HeaderValue::try_from(format!("Basic {}", BASE64.encode(text.as_bytes()))).unwrap();
        Credentials::of(&HeaderMap::from_iter([(header::AUTHORIZATION, field)])).unwrap()
    }

    #[test]
    fn another_name_password_hash_or_process_is_another_login() {
        let hash = PasswordHash::read("{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=").unwrap();
        let other = PasswordHash::read("$apr1$1zHzzHI9$RV1yXR.1SZg4VbWz5aTn50").unwrap();
        let known = KnownLogins::new();
        let tag = |text: &str, hash| known.tag(&credentials(text), hash).unwrap();
        known.keep(tag("ann:secret", &hash));

        assert!(known.has(&tag("ann:secret", &hash)));
        for (text, hash) in
            [("ann:secret", &other), ("ann:secret2", &hash), ("an:nsecret", &hash), ("bob:secret", &hash)]
        {
            assert!(!known.has(&tag(text, hash)), "{text}");
        }
        let elsewhere = KnownLogins::new().tag(&credentials("ann:secret"), &hash).unwrap();
        assert!(!known.has(&elsewhere));
    }

    #[test]
    fn what_does_not_count_of_a_password_is_no_other_login() {
        let hash = PasswordHash::read("$2y$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC").unwrap();
        let other = PasswordHash::read("{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=").unwrap();
        let known = KnownLogins::new();
        let tag = |length: usize, hash| known.tag(&credentials(&format!("ann:{}", "x".repeat(length))), hash).unwrap();
        known.keep(tag(72, &hash));
        known.keep(tag(72, &other));

        assert!(known.has(&tag(73, &hash)) && known.has(&tag(900, &hash)));
        assert!(!known.has(&tag(71, &hash)) && !known.has(&tag(73, &other)));
    }

    #[test]
    fn so_many_are_kept_and_those_last_that_are_seen() {
        let tag = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            LoginTag(bytes)
        };
        let mut seen = SeenLogins::default();
        seen.keep(tag(0));
        seen.keep(tag(1));

        for number in 2..100_000 {
            seen.keep(tag(number));
            assert!(seen.has(&tag(0)), "it comes with every request");
            assert!(seen.now.len() <= KEPT && seen.before.len() <= KEPT);
        }

        assert!(!seen.has(&tag(1)));
        assert!((100_000 - KEPT..100_000).all(|number| seen.has(&tag(number))));
    }
}
