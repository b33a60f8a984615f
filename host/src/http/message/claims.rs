//! Fields by which a request says what only a proxy in front knows: who the client is, how it came, what it asked for
//! at first.
//!
//! Servers believe such fields, so only a trusted proxy may send them. They are known by family, not one by one: every
//! proxy has its own, and every server reads others.
//!
//! | family | for example |
//! |---|---|
//! | `Forwarded*`, `X-Forward*` | `Forwarded` (RFC 7239), `X-Forwarded-For`, `-Proto`, `-Host`, `-Prefix`, `-Ssl`, `-Client-Cert` |
//! | `*-IP`, `*ClientIP`, `*RealIP` | `X-Real-IP`, `Client-IP`, `True-Client-IP`, `CF-Connecting-IP`, `X-Azure-ClientIP` |
//! | `X-Envoy-*` | `X-Envoy-External-Address`: Envoy as well takes them from no client outside |
//! | `X-Original-*`, `X-Rewrite-URL` | `X-Original-URL`, which some servers route by instead of the target |
//! | `X-Remote-Addr`, `X-Host`, `X-HTTP-Host-Override`, `X-Script-Name`, `X-Scheme`, `X-URL-Scheme`, `Front-End-Https` | |
//! | `Client-Cert*`, `X-Client-Cert*`, `SSL-Client-*`, `X-SSL-Client-*` | `Client-Cert` (RFC 9440 §4: to be removed) |
//! | `Proxy-*` | `Proxy-Authorization`: for the first proxy that wants it (RFC 9110 §11.7.2), and this is none |
//!
//! A server that follows CGI (RFC 3875 §4.1.18) makes `HTTP_X_FORWARDED_FOR` of `X_Forwarded_For` as well, and some of
//! `X.Forwarded.For`: such spellings are dropped whoever sends them.

use ::http::header::{HeaderMap, HeaderName};

use crate::net::{Underscores, is_reserved};

/// Who may send a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Senders {
    Anybody,
    TrustedProxies,
    Nobody,
}

/// Who may send a field of this name.
pub(super) fn senders(name: &HeaderName, underscores: Underscores) -> Senders {
    let text = name.as_str();
    if is_plain(text) {
        return match text {
            // CGI would hand it on as HTTP_PROXY, which clients of its own take for their proxy.
            "proxy" => Senders::Nobody,
            _ if is_claim(text) => Senders::TrustedProxies,
            _ => Senders::Anybody,
        };
    }
    if underscores == Underscores::Drop && text.contains('_') {
        return Senders::Nobody;
    }
    let read: String = as_read(text).map(char::from).collect();
    let ours = HeaderName::try_from(&read).is_ok_and(|name| is_reserved(&name));
    if ours || read == "proxy" || is_claim(&read) { Senders::Nobody } else { Senders::Anybody }
}

/// Takes away fields that have another name than `name`, and that a server which follows CGI may read as it: `x_user` and
/// `x.user` beside `x-user`. Who puts in what a server believes takes these away with what has the name.
pub fn remove_look_alikes(headers: &mut HeaderMap, name: &HeaderName) {
    // Empty for nearly every request, and then nothing is allocated.
    let found: Vec<HeaderName> = headers.keys().filter(|other| is_look_alike(other, name)).cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

/// Whether `other` is another name that a server which follows CGI may read as `name`.
#[must_use]
pub fn is_look_alike(other: &HeaderName, name: &HeaderName) -> bool {
    !is_plain(other.as_str()) && other != name && as_read(other.as_str()).eq(as_read(name.as_str()))
}

/// Whether a server which follows CGI may read `other` as `name`: it has that name, or is a look-alike of it, or the plain name
/// that `name` is a look-alike of.
#[must_use]
pub fn reads_as(other: &HeaderName, name: &HeaderName) -> bool {
    other == name || as_read(other.as_str()).eq(as_read(name.as_str()))
}

/// A lower-case name as it is read where all but letters and digits is one.
fn as_read(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte.is_ascii_alphanumeric() { byte } else { b'-' })
}

/// Letters, digits and `-`: what Apache lets into CGI's variables. Anything else could stand for another name there.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < u8::MAX {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, of 256 each one is there")]
        {
            plain[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'-';
        }
        byte += 1;
    }
    plain
};

/// Whether a name has nothing else. Without a way out early: measured, that takes half the instructions for names as
/// they are.
fn is_plain(name: &str) -> bool {
    name.bytes().fold(true, |plain, byte| plain & PLAIN.get(usize::from(byte)).is_some_and(|plain| *plain))
}

/// Whether a lower-case name is of one of the families.
pub(super) fn is_claim(name: &str) -> bool {
    if ["-ip", "clientip", "realip"].iter().any(|end| name.ends_with(end)) {
        return true;
    }
    match name.as_bytes().first() {
        Some(b'c') => name.starts_with("client-cert"),
        Some(b'f') => name.starts_with("forwarded") || name == "front-end-https",
        Some(b'p') => name.starts_with("proxy-"),
        Some(b's') => name.starts_with("ssl-client-"),
        Some(b'x') => name.strip_prefix("x-").is_some_and(is_claim_after_x),
        _ => false,
    }
}

fn is_claim_after_x(rest: &str) -> bool {
    const FAMILIES: [&str; 5] = ["forward", "original-", "client-cert", "ssl-client-", "envoy-"];
    const NAMES: [&str; 7] =
        ["rewrite-url", "remote-addr", "host", "http-host-override", "script-name", "scheme", "url-scheme"];
    FAMILIES.iter().any(|family| rest.starts_with(family)) || NAMES.contains(&rest)
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn of(name: &'static str, underscores: Underscores) -> Senders {
        senders(&HeaderName::from_static(name), underscores)
    }

    #[test]
    fn what_a_server_may_take_for_a_field_goes_and_nothing_else() {
        let names = ["x-user", "x_user", "x.user", "x-use", "x-user-id", "xuser", "x.user.id", "x~user"];
        let mut headers: HeaderMap =
            names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1"))).collect();

        remove_look_alikes(&mut headers, &HeaderName::from_static("x-user"));

        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["x-use", "x-user", "x-user-id", "x.user.id", "xuser"]);

        remove_look_alikes(&mut headers, &HeaderName::from_static("x_user"));
        assert!(headers.contains_key("x-user"), "a plain name is nobody's look-alike");
    }

    #[test]
    fn every_spelling_is_read_as_a_name() {
        for (other, name, expected) in [
            ("x-user", "x-user", true),
            ("x.user", "x-user", true),
            ("x-user", "x_user", true),
            ("x.user", "x_user", true),
            ("x-users", "x-user", false),
            ("xuser", "x-user", false),
        ] {
            let read = reads_as(&HeaderName::from_static(other), &HeaderName::from_static(name));
            assert_eq!(read, expected, "{other} {name}");
        }
    }

    #[test]
    fn families_are_for_trusted_proxies_and_look_alikes_for_nobody() {
        for (name, expected) in [
            ("x-forwarded-for", Senders::TrustedProxies),
            ("x-forwarded-proto", Senders::TrustedProxies),
            ("x-forwarded-server", Senders::TrustedProxies),
            ("x-forwarded-ssl", Senders::TrustedProxies),
            ("x-forwarded-prefix", Senders::TrustedProxies),
            ("x-forwarded-scheme", Senders::TrustedProxies),
            ("x-forwarded-by", Senders::TrustedProxies),
            ("x-forwarded", Senders::TrustedProxies),
            ("x-forward-for", Senders::TrustedProxies),
            ("forwarded", Senders::TrustedProxies),
            ("forwarded-for", Senders::TrustedProxies),
            ("x-real-ip", Senders::TrustedProxies),
            ("x-client-ip", Senders::TrustedProxies),
            ("client-ip", Senders::TrustedProxies),
            ("true-client-ip", Senders::TrustedProxies),
            ("cf-connecting-ip", Senders::TrustedProxies),
            ("x-azure-clientip", Senders::TrustedProxies),
            ("x-realip", Senders::TrustedProxies),
            ("x-envoy-external-address", Senders::TrustedProxies),
            ("x-original-url", Senders::TrustedProxies),
            ("x-original-host", Senders::TrustedProxies),
            ("x-rewrite-url", Senders::TrustedProxies),
            ("x-scheme", Senders::TrustedProxies),
            ("front-end-https", Senders::TrustedProxies),
            ("client-cert-chain", Senders::TrustedProxies),
            ("x-ssl-client-verify", Senders::TrustedProxies),
            ("proxy-authorization", Senders::TrustedProxies),
            ("proxy", Senders::Nobody),
            ("x.forwarded.for", Senders::Nobody),
            ("x-forwarded~for", Senders::Nobody),
            ("x.real-ip", Senders::Nobody),
            ("content.length", Senders::Nobody),
            ("transfer!encoding", Senders::Nobody),
            ("x-requested-with", Senders::Anybody),
            ("x-hostname", Senders::Anybody),
            ("x-client-version", Senders::Anybody),
            ("x-zip", Senders::Anybody),
            ("proxyish", Senders::Anybody),
            ("via", Senders::Anybody),
            ("sec-websocket-key", Senders::Anybody),
            ("cookie", Senders::Anybody),
            ("x.dotted", Senders::Anybody),
        ] {
            assert_eq!(of(name, Underscores::Drop), expected, "{name}");
            assert_eq!(of(name, Underscores::Pass), expected, "{name}");
        }
    }

    #[test]
    fn underscores_pass_where_they_are_asked_for_but_not_as_another_name() {
        for (name, passed) in [
            ("session_id", Senders::Anybody),
            ("x_custom", Senders::Anybody),
            ("_", Senders::Anybody),
            ("x_forwarded_for", Senders::Nobody),
            ("x-forwarded_proto", Senders::Nobody),
            ("x_real_ip", Senders::Nobody),
            ("content_length", Senders::Nobody),
            ("transfer_encoding", Senders::Nobody),
            ("proxy_authorization", Senders::Nobody),
            ("sec_websocket_key", Senders::Nobody),
            ("host_", Senders::Anybody),
        ] {
            assert_eq!(of(name, Underscores::Pass), passed, "{name}");
            assert_eq!(of(name, Underscores::Drop), Senders::Nobody, "{name}");
        }
    }
}
