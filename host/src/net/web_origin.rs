//! Where the page is from that makes a browser ask for something (RFC 6454), and which such pages are let in.

use std::net::Ipv6Addr;

use super::Authority;

/// Scheme, host and port of a page: what browsers write into `Origin`. Two that are spelt differently and mean the same
/// are equal: case is left aside, and so is a port that is the usual one of the scheme (RFC 6454 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin {
    /// Lower case.
    scheme: String,
    /// Lower case. A dot at its end is kept: to browsers that is another host.
    host: String,
    /// None if the scheme has no usual one and none is written.
    port: Option<u16>,
}

/// The text is not `scheme://host[:port]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a scheme, a host and an optional port")]
pub struct NoWebOrigin;

impl WebOrigin {
    /// The origin that `scheme` and `authority` make.
    #[must_use]
    pub fn new(scheme: &str, authority: &Authority) -> Self {
        let scheme = scheme.to_ascii_lowercase();
        let host = match authority.bare_host().parse::<Ipv6Addr>() {
            // One address has several spellings.
            Ok(address) => format!("[{address}]"),
            Err(_is_name) => authority.host().to_ascii_lowercase(),
        };
        let port = authority.port().or_else(|| usual_port(&scheme));
        Self { scheme, host, port }
    }

    /// Its scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }
}

impl std::str::FromStr for WebOrigin {
    type Err = NoWebOrigin;

    fn from_str(text: &str) -> Result<Self, NoWebOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NoWebOrigin)?;
        let rest = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(rest) {
            return Err(NoWebOrigin);
        }
        Ok(Self::new(scheme, &authority.parse().map_err(|_invalid| NoWebOrigin)?))
    }
}

/// The port that is not written (RFC 9110 §4.2).
fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// Pages that are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// Those of which browsers do not say where they are from: sandboxed frames, files.
    Null,
    /// Those of the scheme, host and port that the request itself is for.
    Same,
    /// Those of this origin.
    Is(WebOrigin),
    /// Those of hosts below this one, by any number of labels.
    Below(WebOrigin),
}

impl AllowedOrigin {
    /// Whether the page is let in whose `Origin` is `sent`. `own` is what the request is for, where it says that.
    #[must_use]
    pub fn lets_in(&self, sent: &SentOrigin, own: Option<&WebOrigin>) -> bool {
        match (self, sent) {
            (Self::Null, SentOrigin::Null) => true,
            (Self::Same, SentOrigin::Page(page)) => own == Some(page),
            (Self::Is(allowed), SentOrigin::Page(page)) => page == allowed,
            (Self::Below(above), SentOrigin::Page(page)) => {
                let name = page.host.strip_suffix(&above.host).and_then(|rest| rest.strip_suffix('.'));
                let is_below = name.is_some_and(|name| !name.is_empty() && !name.ends_with('.'));
                is_below && page.scheme == above.scheme && page.port == above.port
            }
            _ => false,
        }
    }
}

/// What a field `Origin` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentOrigin {
    /// Nothing that a browser would tell.
    Null,
    /// Where the page is from.
    Page(WebOrigin),
}

impl TryFrom<&[u8]> for SentOrigin {
    type Error = NoWebOrigin;

    /// Reads what browsers send. A list, as RFC 6454 §7.1 has it, is sent by none of them, and is nothing that could be
    /// let in.
    fn try_from(value: &[u8]) -> Result<Self, NoWebOrigin> {
        match std::str::from_utf8(value).map_err(|_invalid| NoWebOrigin)? {
            "null" => Ok(Self::Null),
            text => text.parse().map(Self::Page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Result<SentOrigin, NoWebOrigin> {
        SentOrigin::try_from(text.as_bytes())
    }

    #[test]
    fn case_usual_ports_and_spellings_of_addresses_make_no_difference() {
        for (one, other) in [
            ("https://app.example", "HTTPS://App.Example:443"),
            ("http://app.example:80", "http://app.example"),
            ("https://app.example:", "https://app.example"),
            ("https://[::1]:8443", "https://[0:0:0:0:0:0:0:1]:8443"),
            ("app+x://local", "App+X://LOCAL"),
        ] {
            assert_eq!(one.parse::<WebOrigin>().unwrap(), other.parse().unwrap(), "{one} {other}");
        }
    }

    #[test]
    fn what_is_another_page_stays_another() {
        let allowed = AllowedOrigin::Is("https://app.example".parse().unwrap());
        for other in [
            "http://app.example",
            "https://app.example:8443",
            "https://app.example:80",
            "https://app.example.",
            "https://app.example.evil.example",
            "https://evil-app.example",
            "https://x.app.example",
            "wss://app.example",
            "null",
        ] {
            assert!(!allowed.lets_in(&sent(other).unwrap(), None), "{other}");
        }
        assert!(allowed.lets_in(&sent("https://APP.example:443").unwrap(), None));
    }

    #[test]
    fn what_no_browser_sends_is_no_origin() {
        for wrong in [
            "",
            " ",
            "NULL",
            "null null",
            "app.example",
            "//app.example",
            "https:app.example",
            "https://",
            "https://:443",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?q",
            "https://app.example#f",
            "https://app.example@evil.example",
            "https://evil.example@app.example",
            "https://app.example https://evil.example",
            "https://app.example, https://evil.example",
            "https://app.example:99999",
            "https://app.example\\@evil.example",
            "https://app.ex\u{e4}mple",
            "1https://app.example",
            "ht tps://app.example",
            "://app.example",
            "https://[::1",
        ] {
            assert_eq!(sent(wrong), Err(NoWebOrigin), "{wrong:?}");
        }
        assert_eq!(SentOrigin::try_from(&b"https://app\xff.example"[..]), Err(NoWebOrigin));
    }

    #[test]
    fn below_a_host_is_every_number_of_labels_but_none() {
        let allowed = AllowedOrigin::Below("https://example.org".parse().unwrap());
        for (text, is_in) in [
            ("https://a.example.org", true),
            ("https://b.a.Example.ORG:443", true),
            ("https://example.org", false),
            ("https://.example.org", false),
            ("https://a..example.org", false),
            ("https://aexample.org", false),
            ("https://a.example.org.", false),
            ("https://a.example.org.evil.example", false),
            ("http://a.example.org", false),
            ("https://a.example.org:8443", false),
        ] {
            assert_eq!(allowed.lets_in(&sent(text).unwrap(), None), is_in, "{text}");
        }
    }

    #[test]
    fn the_same_is_what_the_request_is_for() {
        let own = |scheme, authority: &str| Some(WebOrigin::new(scheme, &authority.parse().unwrap()));
        for (text, own, is_in) in [
            ("https://app.example", own("https", "APP.example:443"), true),
            ("http://app.example:8080", own("http", "app.example:8080"), true),
            ("http://app.example", own("https", "app.example"), false),
            ("https://app.example:8080", own("https", "app.example"), false),
            ("https://evil.example", own("https", "app.example"), false),
            ("null", own("https", "app.example"), false),
            ("https://app.example", None, false),
        ] {
            assert_eq!(AllowedOrigin::Same.lets_in(&sent(text).unwrap(), own.as_ref()), is_in, "{text}");
        }
        assert!(AllowedOrigin::Null.lets_in(&SentOrigin::Null, None));
    }
}
