//! Where a URL leads: origins that compare as their meaning, not as their text.

/// Scheme, host and port. `ws` is `http` and `wss` is `https`: the same server answers both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    secure: bool,
    /// Lower case; brackets around an IPv6 address.
    host: String,
    port: u16,
}

impl Origin {
    /// Splits an absolute URL into its origin and everything after. None for a relative one, another scheme, one with
    /// user information, or nonsense.
    #[must_use]
    pub fn split(url: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = url.split_once("://")?;
        let is = |names: [&str; 2]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let secure = is(["https", "wss"]);
        if !secure && !is(["http", "ws"]) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        let (host, port) = split_port(authority);
        let port = match port {
            None | Some("") => default_port(secure),
            Some(port) => port.parse().ok()?,
        };
        if host.is_empty() || authority.contains(['@', '\\']) {
            return None;
        }
        Some((Self { secure, host: host.to_ascii_lowercase(), port }, tail))
    }

    /// Lower case; brackets around an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// `authority` without a port that its scheme has anyway.
#[must_use]
pub fn without_default_port(authority: &str, secure: bool) -> &str {
    match split_port(authority) {
        (host, Some(port)) if port.is_empty() || port.parse() == Ok(default_port(secure)) => host,
        _ => authority,
    }
}

/// Host and port of `authority`; an IPv6 address keeps its brackets.
#[must_use]
pub fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_equal_by_meaning() {
        let table = [
            ("http://h", "ws://H:80/x", true),
            ("https://h:443", "WSS://h/", true),
            ("http://h", "https://h", false),
            ("http://h:8080", "http://h", false),
            ("http://[::1]:80", "ws://[::1]", true),
        ];

        for (one, other, equal) in table {
            let origin = |url| Origin::split(url).unwrap().0;
            assert_eq!(origin(one) == origin(other), equal, "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_absolute_url_of_the_web_has_no_origin() {
        for url in
            ["/app/y", "relative", "//h/x", "ftp://h/", "http://", "http://u@h/", "http://h:99999/", "http://h\\@x/"]
        {
            assert_eq!(Origin::split(url), None, "{url}");
        }
    }

    #[test]
    fn default_ports_are_dropped() {
        let table = [
            ("h:80", false, "h"),
            ("h:80", true, "h:80"),
            ("h:443", true, "h"),
            ("[::1]:99", false, "[::1]:99"),
            ("[::1]", false, "[::1]"),
            ("h", false, "h"),
        ];

        for (authority, secure, expected) in table {
            assert_eq!(without_default_port(authority, secure), expected);
        }
    }
}
