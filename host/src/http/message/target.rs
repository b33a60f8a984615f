//! What a request asks for: authority, path and query, in the one form that is decided on and passed on.

use std::borrow::Cow;

use ::http::{Method, Request, Version, header};

use super::path::{clean_path, escape_path};
use super::target_error::TargetError;
use crate::net::Authority;

/// Bytes of path and query together, escaped as they are passed on. Four times Apache's LimitRequestLine; room is left
/// for what a router puts in front.
const LONGEST: usize = 32 * 1024;

/// A request target in origin form with its authority (RFC 9112 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `Host`, or the authority of an absolute target, as sent. None for HTTP/1.0 without Host.
    pub authority: Option<Authority>,
    /// Starts with `/`; percent-encoding as sent, dot segments removed, and escaped what was not and has to be.
    pub path: String,
    /// Without the `?`, as sent, but for bytes that are no UTF-8: those are escaped.
    pub query: Option<String>,
}

/// The query of a request as its client sent it, beside one that the parser takes. An extension of the request.
#[derive(Clone, Debug)]
pub(in crate::http) struct RawQuery(pub(in crate::http) String);

/// Reads the target of `request`.
///
/// # Errors
/// [`TargetError`] if it is not one that can be passed on without guessing.
pub fn read_target<B>(request: &Request<B>) -> Result<Target, TargetError> {
    if request.method() == Method::CONNECT {
        return Err(TargetError::Connect);
    }
    let uri = request.uri();
    if uri.path() == "*" {
        return Err(TargetError::Asterisk);
    }
    if uri.scheme().is_none() && uri.authority().is_some() {
        return Err(TargetError::Authority);
    }
    let authority = read_authority(request)?;
    let query = match request.extensions().get::<RawQuery>() {
        Some(RawQuery(query)) => Some(query.as_str()),
        None => uri.query(),
    };
    // Escaping only adds: what is too long now need not be looked at any further.
    let too_long = |path: usize| path.saturating_add(query.map_or(0, str::len)) > LONGEST;
    if too_long(uri.path().len()) {
        return Err(TargetError::TooLong);
    }
    let path = match uri.path() {
        "" => "/".to_owned(),
        path => escaped(clean_path(path)?),
    };
    if too_long(path.len()) {
        return Err(TargetError::TooLong);
    }
    Ok(Target { authority, path, query: query.map(str::to_owned) })
}

fn escaped(path: String) -> String {
    match escape_path(path.as_bytes()) {
        Cow::Borrowed(_as_it_is) => path,
        Cow::Owned(escaped) => escaped.into_iter().map(char::from).collect(),
    }
}

fn read_authority<B>(request: &Request<B>) -> Result<Option<Authority>, TargetError> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(TargetError::HostRepeated);
    }
    // HTTP/2 and later say it with the target (RFC 9113 §8.3.1), and HTTP/1.1 with Host, whatever the target says (RFC
    // 9112 §3.2).
    let needs_host = match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => false,
        Version::HTTP_11 => true,
        _ => request.uri().authority().is_none(),
    };
    if host.is_none() && needs_host {
        return Err(TargetError::HostMissing);
    }
    // An absolute target overrides Host (RFC 9112 §3.2.2).
    let text = match (request.uri().authority(), host) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().map_err(|_not_ascii| TargetError::HostInvalid)?,
        (None, None) => return Ok(None),
    };
    text.parse().map(Some).map_err(|_no_authority| TargetError::HostInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str, hosts: &[&str]) -> Result<Target, TargetError> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        read_target(&request.body(()).unwrap())
    }

    #[test]
    fn paths_stay_as_sent_but_for_dot_segments() {
        for (sent, expected) in [
            ("/", "/"),
            ("/a%20b//c;x=1", "/a%20b//c;x=1"),
            ("/x/../foo", "/foo"),
            ("/foo/%2e%2E/a", "/a"),
            ("/a/./b/.", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/a//../b", "/a/b"),
            ("/...", "/..."),
            ("/a/..b", "/a/..b"),
            ("/a%2Fb%2f..c", "/a%2Fb%2f..c"),
            ("/a%2F.../\\x", "/a%2F.../%5Cx"),
            ("/a[0]{b}|^\"", "/a%5B0%5D%7Bb%7D%7C%5E%22"),
            ("/x%2f/../b", "/b"),
            ("/a;.;/..a;b/...;c;..", "/a;.;/..a;b/...;c;.."),
            ("/;x/../b;..", "/b;.."),
            ("/caf\u{e9}", "/caf%C3%A9"),
        ] {
            assert_eq!(target(sent, &["h"]).unwrap().path, expected, "{sent}");
        }
    }

    #[test]
    fn targets_that_leave_or_lie_are_refused() {
        for (sent, expected) in [
            ("/../foo", TargetError::AboveRoot),
            ("/a/../../b", TargetError::AboveRoot),
            ("/%2e%2e/b", TargetError::AboveRoot),
            ("/a%zz", TargetError::Escape),
            ("/a%0", TargetError::Escape),
            ("/a%00b", TargetError::Escape),
            ("/a%2F..%2fb", TargetError::HiddenDots),
            ("/app/..%2f..%2fadmin", TargetError::HiddenDots),
            ("/a/..%2F", TargetError::HiddenDots),
            ("/a/x%5c%2e%2E", TargetError::HiddenDots),
            ("/a/.\\b", TargetError::HiddenDots),
            ("/a/b%5C.%2e/c", TargetError::HiddenDots),
            ("/\u{e9}%2f.", TargetError::HiddenDots),
            ("/x/..;/private", TargetError::HiddenDots),
            ("/x/.;a=b/private", TargetError::HiddenDots),
            ("/..;x", TargetError::HiddenDots),
            ("/x/%2e%2E;/private", TargetError::HiddenDots),
            ("/x/.%2e%3B/private", TargetError::HiddenDots),
            ("/x%2f..;%5cprivate", TargetError::HiddenDots),
            ("/x\\.;", TargetError::HiddenDots),
            (&format!("/{}", "a".repeat(LONGEST)), TargetError::TooLong),
            // Three times as long once it is escaped.
            (&format!("/{}", "\u{e9}".repeat(LONGEST / 4)), TargetError::TooLong),
            (&format!("/?{}", "\u{e9}".repeat(LONGEST / 2 + 1)), TargetError::TooLong),
        ] {
            assert_eq!(target(sent, &["h"]), Err(expected), "{sent}");
        }
    }

    #[test]
    fn host_is_one_host_with_a_port_at_the_most() {
        for (hosts, expected) in [
            (&["Example.org"][..], Ok(("Example.org", "Example.org"))),
            (&["example.org:8080"], Ok(("example.org:8080", "example.org"))),
            (&["[::1]:99"], Ok(("[::1]:99", "[::1]"))),
            (&["h:"], Ok(("h:", "h"))),
            (&[], Err(TargetError::HostMissing)),
            (&["a", "a"], Err(TargetError::HostRepeated)),
            (&[""], Err(TargetError::HostInvalid)),
            (&["a b"], Err(TargetError::HostInvalid)),
            (&["user@a"], Err(TargetError::HostInvalid)),
            (&["a/b"], Err(TargetError::HostInvalid)),
            (&["a:99999"], Err(TargetError::HostInvalid)),
            (&["a:1:2"], Err(TargetError::HostInvalid)),
            (&["[::1"], Err(TargetError::HostInvalid)),
            (&["a, b"], Err(TargetError::HostInvalid)),
        ] {
            let found = target("/", hosts);
            let authority = found.as_ref().map(|target| target.authority.as_ref().unwrap());
            assert_eq!(authority.map(|a| (a.as_str(), a.host())).map_err(|e| *e), expected, "{hosts:?}");
        }
    }

    #[test]
    fn a_target_says_the_authority_where_no_host_is_needed() {
        let authority = |version, uri: &str| {
            let request = Request::builder().version(version).uri(uri).body(()).unwrap();
            read_target(&request).map(|target| target.authority.map(|authority| authority.as_str().to_owned()))
        };

        assert_eq!(authority(Version::HTTP_2, "https://h.example/p"), Ok(Some("h.example".to_owned())));
        assert_eq!(authority(Version::HTTP_11, "https://h.example/p"), Err(TargetError::HostMissing));
        assert_eq!(authority(Version::HTTP_2, "/p"), Err(TargetError::HostMissing));
        assert_eq!(authority(Version::HTTP_10, "/p"), Ok(None));
    }

    #[test]
    fn absolute_target_overrides_host() {
        let found = target("http://abs.example:99/p?q", &["other"]).unwrap();

        assert_eq!(
            (found.authority.unwrap().as_str(), found.path.as_str(), found.query.as_deref()),
            ("abs.example:99", "/p", Some("q"))
        );
        assert_eq!(target("http://user@abs.example/", &["h"]), Err(TargetError::HostInvalid));
        assert_eq!(target("*", &["h"]), Err(TargetError::Asterisk));
        assert_eq!(target("other:80", &["h"]), Err(TargetError::Authority));
        assert_eq!(target("other", &["h"]), Err(TargetError::Authority));
    }
}
