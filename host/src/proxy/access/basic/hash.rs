//! What a password file keeps of a password, and whether a password is that one.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::BASE64;
use sha_crypt::{Params, sha256_crypt, sha512_crypt};

use super::apr1::apr1;
use super::crypt64::{self, MD5_ORDER, SHA256_ORDER, SHA512_ORDER};

/// Highest cost of bcrypt. Each doubles it: 14 is about a second of a processor for every try, and 17, which htpasswd
/// goes up to, eight.
const HIGHEST_COST: u32 = 14;

/// Most rounds of `$5$` and `$6$`, by the same measure.
const MOST_ROUNDS: u32 = 1_000_000;

/// Rounds where none are written (the specification of SHA-crypt, which crypt(3) follows).
const ROUNDS: u32 = 5000;

/// Bytes of a password that bcrypt looks at.
const BCRYPT_BYTES: usize = 72;

/// The hash of a password. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PasswordHash {
    function: HashFunction,
    /// What the function has to come to.
    digest: Box<[u8]>,
    /// As it is written.
    text: Box<str>,
}

/// A function with all that it takes beside the password.
#[derive(Clone, PartialEq, Eq)]
enum HashFunction {
    /// `$2y$`, `$2b$` and `$2a$`: what differs between these is of other implementations.
    Bcrypt { cost: u32, salt: [u8; 16] },
    /// `$apr1$`
    Apr1 { salt: Box<[u8]> },
    /// `{SHA}`
    Sha1,
    /// `$5$`
    Sha256 { salt: Box<[u8]>, rounds: u32 },
    /// `$6$`
    Sha512 { salt: Box<[u8]>, rounds: u32 },
}

/// Why something is no hash that is taken. Does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HashFault {
    /// It may be the password itself.
    #[error(
        "no hash of a kind that is taken (bcrypt, apr1, SHA-512, SHA-256, SHA-1): passwords in clear and DES are not"
    )]
    Unknown,
    /// It is cut off, or has been edited.
    #[error("no whole hash of {0}")]
    Malformed(&'static str),
    /// A try would take seconds.
    #[error("a bcrypt hash of cost {0}, expected at most {HIGHEST_COST}: every try would take seconds of a processor")]
    Costly(u32),
    /// The same, or as good as nothing.
    #[error("a hash of {0} rounds, expected 1000 to {MOST_ROUNDS}")]
    Rounds(u64),
}

impl PasswordHash {
    /// Reads what stands behind the name of a user.
    ///
    /// # Errors
    /// [`HashFault`]
    pub(super) fn read(text: &str) -> Result<Self, HashFault> {
        let (function, digest) = read(text)?;
        Ok(Self { function, digest, text: text.into() })
    }

    /// Whether `password` is the one that this is the hash of. Takes as long as the function does ([`Self::work`]), and
    /// the same time for right and wrong. Of a long password bcrypt sees the beginning, as in Apache.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let is_same = |digest: &[u8]| verify_slices_are_equal(digest, &self.digest).is_ok();
        match &self.function {
            HashFunction::Bcrypt { cost, salt } => {
                // The NUL that ends it in C counts, where there is room for it.
                let ended: Vec<u8> = password.iter().copied().chain([0]).take(BCRYPT_BYTES).collect();
                let digest = bcrypt::bcrypt(*cost, *salt, &ended);
                // The last byte is not kept.
                is_same(digest.split_last().map_or(&[], |(_, kept)| kept))
            }
            HashFunction::Apr1 { salt } => is_same(&apr1(password, salt)),
            HashFunction::Sha1 => is_same(digest(&SHA1_FOR_LEGACY_USE_ONLY, password).as_ref()),
            HashFunction::Sha256 { salt, rounds } => is_same(&sha256_crypt(password, salt, params(*rounds))),
            HashFunction::Sha512 { salt, rounds } => is_same(&sha512_crypt(password, salt, params(*rounds))),
        }
    }

    /// What of `password` counts.
    pub(super) fn looked_at<'p>(&self, password: &'p [u8]) -> &'p [u8] {
        match &self.function {
            HashFunction::Bcrypt { .. } => password.get(..BCRYPT_BYTES).unwrap_or(password),
            _ => password,
        }
    }

    /// About how long a try takes, to compare hashes by.
    pub(super) fn work(&self) -> Duration {
        match &self.function {
            HashFunction::Bcrypt { cost, .. } => Duration::from_micros(50 << (*cost).min(HIGHEST_COST)),
            HashFunction::Apr1 { .. } => Duration::from_micros(300),
            HashFunction::Sha1 => Duration::from_micros(1),
            HashFunction::Sha256 { rounds, .. } | HashFunction::Sha512 { rounds, .. } => {
                Duration::from_nanos(500).saturating_mul(*rounds)
            }
        }
    }

    /// As it is written: another password, or the same one anew, has another.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// Rounds as the functions take them; those of a hash are within their limits.
fn params(rounds: u32) -> Params {
    Params::new(rounds).unwrap_or_default()
}

/// By the mark at its beginning.
fn read(text: &str) -> Result<(HashFunction, Box<[u8]>), HashFault> {
    if let Some(rest) = ["$2y$", "$2b$", "$2a$"].iter().find_map(|mark| text.strip_prefix(mark)) {
        return bcrypt_hash(rest);
    }
    if let Some(rest) = text.strip_prefix("$apr1$") {
        let whole = || {
            let (salt, hash) = rest.split_once('$')?;
            let digest = crypt64::digest(hash, MD5_ORDER)?;
            (1..=8).contains(&salt.len()).then(|| (HashFunction::Apr1 { salt: salt.as_bytes().into() }, digest.into()))
        };
        return whole().ok_or(HashFault::Malformed("apr1"));
    }
    if let Some(rest) = text.strip_prefix("{SHA}") {
        let digest = BASE64.decode(rest.as_bytes()).ok().filter(|digest| digest.len() == 20);
        return Ok((HashFunction::Sha1, digest.ok_or(HashFault::Malformed("SHA-1"))?.into()));
    }
    if let Some(rest) = text.strip_prefix("$5$") {
        let (rounds, salt, hash) = sha_parts(rest, "SHA-256")?;
        let digest = crypt64::digest(hash, SHA256_ORDER).ok_or(HashFault::Malformed("SHA-256"))?;
        return Ok((HashFunction::Sha256 { salt: salt.as_bytes().into(), rounds }, digest.into()));
    }
    if let Some(rest) = text.strip_prefix("$6$") {
        let (rounds, salt, hash) = sha_parts(rest, "SHA-512")?;
        let digest = crypt64::digest(hash, SHA512_ORDER).ok_or(HashFault::Malformed("SHA-512"))?;
        return Ok((HashFunction::Sha512 { salt: salt.as_bytes().into(), rounds }, digest.into()));
    }
    Err(HashFault::Unknown)
}

/// `10$` and 53 characters: the salt and what came of it.
fn bcrypt_hash(text: &str) -> Result<(HashFunction, Box<[u8]>), HashFault> {
    let malformed = HashFault::Malformed("bcrypt");
    let (digits, rest) = text.split_once('$').ok_or(malformed)?;
    let cost: u32 = Some(digits).filter(|digits| digits.len() == 2).and_then(|d| d.parse().ok()).ok_or(malformed)?;
    let (salt, hash) = rest.split_at_checked(22).ok_or(malformed)?;
    let (salt, digest) = (crypt64::bcrypt(salt).ok_or(malformed)?, crypt64::bcrypt::<23>(hash).ok_or(malformed)?);
    match cost {
        4..=HIGHEST_COST => Ok((HashFunction::Bcrypt { cost, salt }, digest.into())),
        0..4 => Err(malformed),
        _ => Err(HashFault::Costly(cost)),
    }
}

/// `[rounds=NUMBER$]SALT$HASH`
fn sha_parts<'t>(text: &'t str, name: &'static str) -> Result<(u32, &'t str, &'t str), HashFault> {
    let malformed = HashFault::Malformed(name);
    let (rounds, rest) = match text.strip_prefix("rounds=") {
        None => (u64::from(ROUNDS), text),
        Some(text) => {
            let (digits, rest) = text.split_once('$').ok_or(malformed)?;
            (digits.parse().map_err(|_| malformed)?, rest)
        }
    };
    let (salt, hash) = rest.split_once('$').ok_or(malformed)?;
    // What crypt(3) makes of other numbers differs from system to system.
    let allowed = u32::try_from(rounds).ok().filter(|rounds| (Params::ROUNDS_MIN..=MOST_ROUNDS).contains(rounds));
    let rounds = allowed.ok_or(HashFault::Rounds(rounds))?;
    if salt.len() > 16 { Err(malformed) } else { Ok((rounds, salt, hash)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by htpasswd 2.4.71, `openssl passwd` 3 and crypt(3) of libxcrypt.
    const MADE: [(&str, &str); 15] = [
        ("open sesame", "$2y$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC"),
        ("open sesame", "$2b$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC"),
        ("open sesame", "$2a$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC"),
        ("p:ä ß", "$apr1$1zHzzHI9$RV1yXR.1SZg4VbWz5aTn50"),
        ("", "$apr1$LXC1ne6I$F5B2GHN8skXPog5.NrhHK0"),
        ("openssl made", "$apr1$abc$7PqKFLdBJaZeNXdARBH/r/"),
        ("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "$apr1$12345678$iXlivyWNnLNTXOvbDYLCu1"),
        ("sha pass", "{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA="),
        ("five", "$5$8tOppqx/9hOZYeke$zbG7uJv3fJSfkqxi0owZ9Iql3Bw3BoDazgkAIfZP6/2"),
        ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        (
            "six",
            "$6$N6kxtdQ/UEZkXGZb$0c/E/MSxJFcY9BuBk7ekvuYpOb9pPveYeLQHlb9zGebbq4lE/T5e/Kmap5jv1HSrhjDxtycYOP4jDuvvrlw8m.",
        ),
        (
            "six",
            "$6$rounds=1000$gLtzvEVOXdRY2dyw$VHRHA7KQTiGlKJvCxZF8huj6xc0WrlLfPdvnz1YZchTAjnUOnoSqNf7YydEe/s9L/3OCXgXn6EYSTWxP2vJAt/",
        ),
        (
            "seven",
            "$6$rounds=77777$prZeJ6VLi/0ve.hk$VbfqMicjTDezCBm3J8yWScVwi4VMmU1A7EQRjU1tf3DmLu4H7klDqlyiW/BaqFNAwJ4LGZfBBNl3mwhqomZKp0",
        ),
        ("Hello", "$6$ab$sRLI8/qFo/YsTu.kM10DjVih8.7D7271U0qSQlb/kit7Gz0maSSDKfXNSucW7CJ55pTFcFS48AUHqLKFeD0c0."),
        (
            "x",
            "$6$rounds=1000$abcdefghijklmnop$hD1heSWZS9YmTqT1BIgdPXBl9FqN4tVPjqCi7dmUEEq8mUPq9yCbQThBngC4k/39CiR.gkvH.hYQBCYC74UqU/",
        ),
    ];

    #[test]
    fn what_htpasswd_makes_matches_its_password_alone() {
        for (password, text) in MADE {
            let hash = PasswordHash::read(text).unwrap();

            assert!(hash.matches(password.as_bytes()), "{text}");
            for wrong in [format!("{password} "), format!("x{password}"), password.to_uppercase() + "!"] {
                assert!(!hash.matches(wrong.as_bytes()), "{wrong:?} for {text}");
            }
        }
    }

    #[test]
    fn bcrypt_sees_72_bytes_as_in_apache() {
        let hash = PasswordHash::read("$2y$04$bGsh0LfdAEXVFEtzhVdWp.0c2oU6NUUojYiAPnFUhMJyWT0WuhBVi").unwrap();

        for (length, matches) in [(80, true), (72, true), (71, false), (0, false)] {
            assert_eq!(hash.matches("x".repeat(length).as_bytes()), matches, "{length}");
        }
    }

    #[test]
    fn the_dearer_a_hash_the_more_work() {
        let table = [
            "{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=",
            "$apr1$1zHzzHI9$RV1yXR.1SZg4VbWz5aTn50",
            "$2y$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC",
            "$5$8tOppqx/9hOZYeke$zbG7uJv3fJSfkqxi0owZ9Iql3Bw3BoDazgkAIfZP6/2",
            "$2y$10$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC",
        ];
        let work: Vec<_> = table.iter().map(|text| PasswordHash::read(text).unwrap().work()).collect();

        assert!(work.is_sorted_by(|a, b| a < b), "{work:?}");
    }

    #[test]
    fn what_is_no_hash_is_refused_without_being_shown() {
        use HashFault::{Costly, Malformed, Rounds, Unknown};
        for (text, fault) in [
            ("hunter2", Unknown),
            ("", Unknown),
            ("Rwqb.Fj1xTq1A", Unknown),
            ("$1$abc$BXBqpb9BZcZhXLgbee.0s/", Unknown),
            ("$2x$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC", Unknown),
            ("$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", Unknown),
            ("$2y$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyH", Malformed("bcrypt")),
            ("$2y$05$iYjGsIhWwiVEjT.ydeIK1fQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC", Malformed("bcrypt")),
            ("$2y$5$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC", Malformed("bcrypt")),
            ("$2y$03$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC", Malformed("bcrypt")),
            ("$2y$15$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC", Costly(15)),
            ("$2y$31$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC", Costly(31)),
            ("$2y$", Malformed("bcrypt")),
            ("$2y$05$ä", Malformed("bcrypt")),
            ("$apr1$1zHzzHI9$RV1yXR.1SZg4VbWz5aTn5", Malformed("apr1")),
            ("$apr1$1zHzzHI91$RV1yXR.1SZg4VbWz5aTn50", Malformed("apr1")),
            ("$apr1$$RV1yXR.1SZg4VbWz5aTn50", Malformed("apr1")),
            ("{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA", Malformed("SHA-1")),
            ("{SHA}", Malformed("SHA-1")),
            ("$5$8tOppqx/9hOZYeke$zbG7uJv3fJSfkqxi0owZ9Iql3Bw3BoDazgkAIfZP6/", Malformed("SHA-256")),
            ("$6$rounds=1000$gLtzvEVOXdRY2dyw$VHRHA7KQ", Malformed("SHA-512")),
            ("$6$rounds=999$ab$x", Rounds(999)),
            ("$6$rounds=1000001$ab$x", Rounds(1_000_001)),
            ("$6$rounds=99999999999999999999$ab$x", Malformed("SHA-512")),
        ] {
            let found = PasswordHash::read(text).unwrap_err();

            assert_eq!(found, fault, "{text}");
            assert!(text.len() < 6 || !found.to_string().contains(text), "{found}");
        }
    }
}
