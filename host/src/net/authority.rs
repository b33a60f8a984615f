//! A host and its port, parsed once: what a request is for, and what an endpoint is called.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use ::http::{HeaderValue, uri};
use serde::{Deserialize, Serialize};

/// `host[:port]` as written (RFC 3986 §3.2, RFC 9110 §7.2): a name or an address, IPv6 in brackets, and no user.
///
/// Two that differ in the case of letters alone are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Authority {
    text: uri::Authority,
    host_len: usize,
}

/// The text is not `host[:port]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name or an address with an optional port")]
pub struct NoAuthority;

impl Authority {
    /// All of it, as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Without the port and its colon, as written; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.as_str().get(..self.host_len).unwrap_or_default()
    }

    /// The host as certificates and resolvers know it: an IPv6 address without its brackets.
    #[must_use]
    pub fn bare_host(&self) -> &str {
        let host = self.host();
        host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, if one is written. `host:` has none (RFC 3986 §3.2.3).
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.as_str().get(self.host_len..)?.strip_prefix(':')?.parse().ok()
    }
}

impl From<&Authority> for HeaderValue {
    /// The value of a `Host` field.
    #[expect(clippy::expect_used, reason = "letters, digits and `-._:[]` alone, all of which are visible ASCII")]
    fn from(authority: &Authority) -> Self {
        Self::from_str(authority.as_str()).expect("an authority is a field value")
    }
}

impl From<Authority> for String {
    fn from(authority: Authority) -> Self {
        authority.as_str().to_owned()
    }
}

impl TryFrom<String> for Authority {
    type Error = NoAuthority;

    fn try_from(text: String) -> Result<Self, NoAuthority> {
        text.parse()
    }
}

impl FromStr for Authority {
    type Err = NoAuthority;

    fn from_str(text: &str) -> Result<Self, NoAuthority> {
        let host_len = host_length(text).ok_or(NoAuthority)?;
        // The general parser has the last word on what an authority is.
        let text = text.parse().map_err(|_invalid| NoAuthority)?;
        Ok(Self { text, host_len })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Length of the host in `host[:port]`; none if it is not that.
fn host_length(text: &str) -> Option<usize> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            (text.get(..end)?, text.get(end..)?)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let good = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(plain),
    };
    let port_good = match port.strip_prefix(':') {
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.is_empty() || digits.parse::<u16>().is_ok())
        }
        None => port.is_empty(),
    };
    (good && port_good).then_some(host.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_told_apart() {
        for (text, host, bare, port) in [
            ("Example.org", "Example.org", "Example.org", None),
            ("example.org:8080", "example.org", "example.org", Some(8080)),
            ("[::1]:99", "[::1]", "::1", Some(99)),
            ("[2001:db8::1]", "[2001:db8::1]", "2001:db8::1", None),
            ("192.0.2.1:0", "192.0.2.1", "192.0.2.1", Some(0)),
            ("h:", "h", "h", None),
            ("a_b", "a_b", "a_b", None),
        ] {
            let read: Authority = text.parse().unwrap();

            assert_eq!((read.as_str(), read.host(), read.bare_host(), read.port()), (text, host, bare, port));
            assert_eq!(HeaderValue::from(&read), text);
        }
    }

    #[test]
    fn what_is_no_host_with_a_port_is_refused() {
        for text in [
            "", ":80", "a b", "user@a", "a/b", "a:99999", "a:-1", "a:+1", "a:1:2", "::1", "[::1", "[::1]x", "[a]",
            "a,b",
        ] {
            assert_eq!(text.parse::<Authority>(), Err(NoAuthority), "{text}");
        }
    }

    #[test]
    fn case_makes_no_difference() {
        assert_eq!("A.Example:1".parse::<Authority>(), "a.example:1".parse());
        assert_ne!("a.example:1".parse::<Authority>(), "a.example".parse());
    }
}
