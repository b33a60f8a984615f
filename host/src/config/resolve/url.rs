//! URLs of endpoints: parsed, checked and normalised.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use ::http::uri::PathAndQuery;

use super::super::model::EndpointAddress;
use crate::diagnose::closest;
use crate::net::{Authority, NoAuthority};

/// Schemes an endpoint may have: name, default port, TLS.
const SCHEMES: [(&str, u16, bool); 4] =
    [("http", 80, false), ("https", 443, true), ("ws", 80, false), ("wss", 443, true)];
/// Longest path of a unix socket, without the closing NUL (`sockaddr_un`).
const LONGEST_SOCKET: usize = 107;

/// An endpoint's URL, in parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndpointUrl {
    /// Scheme, host and port, normalised: `ws://10.0.0.1:8080`, or `unix:/run/app.sock|http://localhost`.
    pub(crate) origin: String,
    pub(crate) address: EndpointAddress,
    pub(crate) tls: bool,
    /// `host[:port]`
    pub(crate) authority: Authority,
    /// As written: empty, or starts with `/`.
    pub(crate) path: String,
}

/// What is wrong with a URL, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlFault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl UrlFault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Reads a URL. A relative unix socket is taken from `base`.
pub(crate) fn parse(url: &str, base: &Path) -> Result<EndpointUrl, UrlFault> {
    let (socket, http) = match split_unix(url) {
        None => (None, url),
        Some((socket, None)) => (Some(socket), "http://localhost"),
        Some((socket, Some(http))) => (Some(socket), http),
    };
    let (scheme, rest) = http.split_once("://").ok_or_else(|| {
        if http.contains('@') {
            // What stands before it may be a password: not repeated.
            return UrlFault::new("the URL has no scheme").hint("write \"http://HOST\" or \"ws://HOST\"");
        }
        UrlFault::new(format!("`{url}` has no scheme, expected one of `http`, `https`, `ws`, `wss`, `unix`"))
            .hint(format!("write \"http://{url}\" or \"ws://{url}\""))
    })?;
    let lower = scheme.to_ascii_lowercase();
    let Some((scheme, default_port, tls)) = SCHEMES.into_iter().find(|(name, ..)| *name == lower) else {
        let names = SCHEMES.map(|(name, ..)| name);
        let fault =
            UrlFault::new(format!("unknown scheme `{scheme}`, expected `http`, `https`, `ws`, `wss` or `unix`"));
        if let Some(meant) = protocol_in_scheme(&lower) {
            return Err(fault.hint(meant));
        }
        return Err(match closest(&lower, names.into_iter().chain(["unix", "balancer"])) {
            Some(meant) => fault.hint(format!("did you mean `{meant}`?")),
            None => fault,
        });
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = check_path(path)?;
    let (host, port) = split_authority(authority)?;
    let host = check_host(host)?;
    let port = port.unwrap_or(default_port);
    let authority = if port == default_port { host.clone() } else { format!("{host}:{port}") };
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let origin = format!("{scheme}://{authority}");
    let authority = authority.parse().map_err(|NoAuthority| UrlFault::new(format!("bad host `{host}`")))?;
    let (origin, address) = match socket {
        None => (origin, EndpointAddress::Tcp(bare, port)),
        Some(socket) => {
            let path = socket_path(socket, base)?;
            (format!("unix:{}|{origin}", path.display()), EndpointAddress::Unix(path))
        }
    };
    Ok(EndpointUrl { origin, address, tls, authority, path: path.to_owned() })
}

/// How HTTP/2 is asked for here, where the scheme does so elsewhere: Apache's `h2c`, `grpc` of others.
fn protocol_in_scheme(scheme: &str) -> Option<String> {
    let scheme = match scheme {
        "h2c" | "grpc" | "http2" => "http",
        "h2" | "grpcs" => "https",
        _ => return None,
    };
    Some(format!("write an `{scheme}` URL in the `endpoints` of a [cluster.NAME] with protocol = \"h2\""))
}

/// The socket and the URL after `|`, if this is a `unix:` URL.
fn split_unix(url: &str) -> Option<(&str, Option<&str>)> {
    let (scheme, rest) = url.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("unix") {
        return None;
    }
    Some(rest.split_once('|').map_or((rest, None), |(socket, http)| (socket, Some(http))))
}

fn socket_path(socket: &str, base: &Path) -> Result<PathBuf, UrlFault> {
    let socket = socket.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(socket);
    if socket.is_empty() {
        return Err(UrlFault::new("no path after `unix:`").hint("write \"unix:/run/app.sock\""));
    }
    let path = base.join(socket);
    match path.as_os_str().len() {
        length if length > LONGEST_SOCKET => {
            Err(UrlFault::new(format!("socket path has {length} bytes, at most {LONGEST_SOCKET} work")))
        }
        _ => Ok(path),
    }
}

/// A path of a URL: no query, no fragment, nothing that cannot stand in a request line.
pub(crate) fn check_path(path: &str) -> Result<&str, UrlFault> {
    if path.contains('?') {
        return Err(UrlFault::new("a query is not allowed here").hint("the client's query is passed on as it came"));
    }
    if path.contains('#') {
        return Err(UrlFault::new("a fragment is not allowed here").hint("leave out `#` and what follows"));
    }
    // What sends the request decides what may stand in it.
    let sendable = |c: char| c.is_ascii_graphic() && PathAndQuery::try_from(format!("/{c}")).is_ok();
    match path.chars().find(|c| !sendable(*c)) {
        Some(bad) => Err(UrlFault::new(format!("{bad:?} may not stand in a URL")).hint("write it percent-encoded")),
        None => Ok(path),
    }
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), UrlFault> {
    if authority.contains('@') {
        return Err(UrlFault::new("a user in a URL is not allowed").hint("leave out what stands before `@`"));
    }
    if authority.starts_with("::") {
        return Err(UrlFault::new(format!("bad host `{authority}`")).hint("write an IPv6 address in brackets"));
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err(UrlFault::new("the URL has no host"));
    }
    let after_address = authority.rfind(']').map_or(0, |end| end.saturating_add(1));
    let Some(colon) = authority.get(after_address..).and_then(|rest| rest.find(':')) else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_address.saturating_add(colon));
    let port = port.get(1..).unwrap_or_default();
    if port.contains(':') {
        return Err(UrlFault::new(format!("bad host `{authority}`")).hint("write an IPv6 address in brackets"));
    }
    match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => Ok((host, Some(number))),
        _ => Err(UrlFault::new(format!("bad port `{port}`, expected 1 to 65535"))),
    }
}

/// A host as URLs spell it, lower case; IPv6 in its shortest form, in brackets.
fn check_host(host: &str) -> Result<String, UrlFault> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').unwrap_or(inner);
        let address: Ipv6Addr = inner
            .parse()
            .map_err(|_| UrlFault::new(format!("bad host `{host}`, expected an IPv6 address in brackets")))?;
        return Ok(format!("[{address}]"));
    }
    let digits = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if (digits && host.parse::<Ipv4Addr>().is_err()) || !is_host_name(host) {
        let fault = UrlFault::new(format!("bad host `{host}`"));
        return Err(if host.is_ascii() { fault } else { fault.hint("write it in its ASCII form (xn--…)") });
    }
    Ok(host.to_ascii_lowercase())
}

/// Whether this can be a DNS name. Underscores are let through: container networks use them.
pub(crate) fn is_host_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<EndpointUrl, UrlFault> {
        parse(url, Path::new("/base"))
    }

    #[test]
    fn urls_are_normalised() {
        for (url, origin, authority, path) in [
            ("ws://10.0.0.1:8080", "ws://10.0.0.1:8080", "10.0.0.1:8080", ""),
            ("HTTP://Backend.Example:80/App", "http://backend.example", "backend.example", "/App"),
            ("wss://b:443/", "wss://b", "b", "/"),
            ("https://b:80/x/", "https://b:80", "b:80", "/x/"),
            ("http://[::1]:8080/a", "http://[::1]:8080", "[::1]:8080", "/a"),
            ("http://[2001:DB8:0::1]", "http://[2001:db8::1]", "[2001:db8::1]", ""),
            ("unix:/run/app.sock|http://localhost/path", "unix:/run/app.sock|http://localhost", "localhost", "/path"),
            ("unix:/run/app.sock", "unix:/run/app.sock|http://localhost", "localhost", ""),
            ("unix:app.sock|ws://app:81", "unix:/base/app.sock|ws://app:81", "app:81", ""),
        ] {
            let read = read(url).unwrap();
            assert_eq!((&*read.origin, read.authority.as_str(), &*read.path), (origin, authority, path), "{url}");
        }
        assert_eq!(read("http://[::1]").unwrap().address, EndpointAddress::Tcp("::1".into(), 80));
        assert!(read("wss://b").unwrap().tls, "wss speaks TLS");
    }

    #[test]
    fn bad_urls_are_refused() {
        for url in [
            "",
            "b:80",
            "http://",
            "http://:80",
            "ftp://b",
            "http://b:0",
            "http://b:65536",
            "http://b:x",
            "http://b:",
            "http://b:+80",
            "http://u@b",
            "http://b?x",
            "http://b/a?x",
            "http://b/#f",
            "http://b/a b",
            "http://b/<x>",
            "http://b/`",
            "unix:/run/app.sock|http://b/>",
            "http://::1/",
            "http://[::1",
            "http://[b]",
            "http://1.2.3",
            "http://a..b",
            "http://b$1/",
            "unix:",
            "http://ä",
        ] {
            assert!(read(url).is_err(), "{url}");
        }
    }
}
