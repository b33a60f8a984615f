//! Who may caller.
//!
//! Without a token, the caller must sit on this machine. That is not enough: a web page that a user of this machine
//! looks at can send requests too, to `localhost` or to a name of its own that it lets point here. So the host that was
//! asked for must be an address or `localhost`, and what changes something must not come from another origin.

use std::net::IpAddr;

use ::http::StatusCode;

use super::token::Token;
use crate::net::Authority;

/// What lets a caller in.
#[derive(Debug)]
pub(super) enum Rule {
    /// It is on this machine.
    Loopback,
    /// It sends this token; none means that no token can be read, and no caller has the right one.
    Bearer(Option<Token>),
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Alive or ready, asked by those who know no token.
    Probe,
    /// Seeing.
    Look,
    /// Changing something.
    Change,
}

/// What is known of a caller, and of the call, before it is let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) peer: IpAddr,
    pub(super) purpose: Purpose,
    /// Host that was asked for, with its port.
    pub(super) authority: Option<&'a Authority>,
    pub(super) origin: BrowserOrigin<'a>,
    /// Whether a browser says that a page of another site sends it (`Sec-Fetch-Site`).
    pub(super) cross_site: bool,
    /// What follows `Bearer` in the one `Authorization` field.
    pub(super) bearer: Option<&'a [u8]>,
}

/// The page that a browser says the call comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum BrowserOrigin<'a> {
    /// None is named: no browser, or nothing it would say it for.
    Unnamed,
    /// This one.
    Named(&'a [u8]),
    /// Named more than once.
    Unclear,
}

/// Why a call is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denial {
    #[error("only callers on this machine are let in; set `token_file` in [admin] to let others in")]
    NotLocal,
    #[error("Host must be an IP address or localhost")]
    ForeignHost,
    #[error("pages of another origin change nothing here")]
    ForeignOrigin,
    #[error("send the token of `token_file` as `Authorization: Bearer TOKEN`")]
    NoToken,
    #[error("this is not the token of `token_file`")]
    WrongToken,
    #[error("the token file cannot be used; the log says why")]
    NoTokenSet,
}

impl Denial {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::NotLocal | Self::ForeignHost | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::NoTokenSet => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Lets a call in, or says why not.
pub(super) fn decide(rule: &Rule, caller: &Caller<'_>) -> Result<(), Denial> {
    match rule {
        Rule::Loopback => {
            if !caller.peer.to_canonical().is_loopback() {
                return Err(Denial::NotLocal);
            }
            if caller.purpose != Purpose::Probe && !caller.authority.is_some_and(is_own_host) {
                return Err(Denial::ForeignHost);
            }
        }
        Rule::Bearer(_) if caller.purpose == Purpose::Probe => {}
        Rule::Bearer(token) => check(token.as_ref(), caller.bearer)?,
    }
    if caller.purpose == Purpose::Change && (caller.cross_site || !is_own_origin(caller.origin, caller.authority)) {
        return Err(Denial::ForeignOrigin);
    }
    Ok(())
}

fn check(token: Option<&Token>, offered: Option<&[u8]>) -> Result<(), Denial> {
    let token = token.ok_or(Denial::NoTokenSet)?;
    let offered = offered.ok_or(Denial::NoToken)?;
    if token.matches(offered) { Ok(()) } else { Err(Denial::WrongToken) }
}

/// No name that another party could let point here.
fn is_own_host(authority: &Authority) -> bool {
    let host = authority.bare_host();
    host.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost")
}

/// `null`, which sandboxed pages send, is another origin.
fn is_own_origin(origin: BrowserOrigin<'_>, authority: Option<&Authority>) -> bool {
    match origin {
        BrowserOrigin::Unnamed => true,
        BrowserOrigin::Unclear => false,
        BrowserOrigin::Named(origin) => {
            let place = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
            place.zip(authority).is_some_and(|(place, own)| place.eq_ignore_ascii_case(own.as_str().as_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "127.0.0.1";
    const REMOTE: &str = "192.0.2.7";

    fn caller<'a>(peer: &str, purpose: Purpose, authority: Option<&'a Authority>) -> Caller<'a> {
        Caller {
            peer: peer.parse().unwrap(),
            purpose,
            authority,
            origin: BrowserOrigin::Unnamed,
            cross_site: false,
            bearer: None,
        }
    }

    #[test]
    fn without_a_token_only_this_machine_and_no_foreign_name_is_let_in() {
        use Purpose::{Change, Look, Probe};
        let table = [
            (LOCAL, Look, "127.0.0.1:9000", Ok(())),
            (LOCAL, Look, "localhost:9000", Ok(())),
            (LOCAL, Look, "LOCALHOST", Ok(())),
            (LOCAL, Change, "[::1]:9000", Ok(())),
            ("::1", Change, "127.0.0.1:9000", Ok(())),
            ("::ffff:127.0.0.1", Change, "127.0.0.1:9000", Ok(())),
            ("127.9.9.9", Change, "127.9.9.9", Ok(())),
            (LOCAL, Look, "rebound.example:9000", Err(Denial::ForeignHost)),
            (LOCAL, Change, "localhost.example", Err(Denial::ForeignHost)),
            (LOCAL, Change, "127.0.0.1.example", Err(Denial::ForeignHost)),
            (LOCAL, Change, "", Err(Denial::ForeignHost)),
            (LOCAL, Probe, "health.example", Ok(())),
            (REMOTE, Probe, "127.0.0.1", Err(Denial::NotLocal)),
            (REMOTE, Look, "127.0.0.1", Err(Denial::NotLocal)),
            ("::ffff:192.0.2.7", Change, "127.0.0.1", Err(Denial::NotLocal)),
        ];
        for (peer, purpose, authority, expected) in table {
            let decided = decide(&Rule::Loopback, &caller(peer, purpose, authority.parse().ok().as_ref()));

            assert_eq!(decided, expected, "{peer} {purpose:?} {authority}");
        }
    }

    #[test]
    fn with_a_token_everything_but_probes_needs_it_wherever_it_comes_from() {
        use Purpose::{Change, Look, Probe};
        let authority: Authority = "gateway.example".parse().unwrap();
        let rule = Rule::Bearer(Some(Token::new(b"right")));
        let unreadable = Rule::Bearer(None);
        let offer = |token: &'static str| Some(token.as_bytes());
        let table = [
            (&rule, REMOTE, Look, offer("right"), Ok(())),
            (&rule, REMOTE, Change, offer("right"), Ok(())),
            (&rule, REMOTE, Probe, None, Ok(())),
            (&rule, LOCAL, Look, None, Err(Denial::NoToken)),
            (&rule, LOCAL, Look, offer("wrong"), Err(Denial::WrongToken)),
            (&rule, LOCAL, Look, offer("right "), Err(Denial::WrongToken)),
            (&rule, REMOTE, Change, offer(""), Err(Denial::WrongToken)),
            (&unreadable, LOCAL, Look, offer("right"), Err(Denial::NoTokenSet)),
            (&unreadable, LOCAL, Look, None, Err(Denial::NoTokenSet)),
            (&unreadable, LOCAL, Probe, None, Ok(())),
        ];
        for (rule, peer, purpose, bearer, expected) in table {
            let decided = decide(rule, &Caller { bearer, ..caller(peer, purpose, Some(&authority)) });

            assert_eq!(decided, expected, "{rule:?} {peer} {purpose:?} {bearer:?}");
        }
    }

    #[test]
    fn what_changes_something_must_not_come_from_a_page_of_another_origin() {
        let own: Authority = "127.0.0.1:9000".parse().unwrap();
        let table: [(Purpose, BrowserOrigin<'_>, bool); 8] = [
            (Purpose::Change, BrowserOrigin::Unnamed, true),
            (Purpose::Change, BrowserOrigin::Named(b"http://127.0.0.1:9000"), true),
            (Purpose::Change, BrowserOrigin::Named(b"http://127.0.0.1:3000"), false),
            (Purpose::Change, BrowserOrigin::Named(b"https://attacker.example"), false),
            (Purpose::Change, BrowserOrigin::Named(b"null"), false),
            (Purpose::Change, BrowserOrigin::Named(b"127.0.0.1:9000"), false),
            (Purpose::Change, BrowserOrigin::Unclear, false),
            (Purpose::Look, BrowserOrigin::Named(b"https://attacker.example"), true),
        ];
        for (purpose, origin, good) in table {
            let token = Rule::Bearer(Some(Token::new(b"right")));
            let caller = Caller { origin, bearer: Some(b"right"), ..caller(LOCAL, purpose, Some(&own)) };
            let expected = if good { Ok(()) } else { Err(Denial::ForeignOrigin) };

            assert_eq!(decide(&Rule::Loopback, &caller), expected, "{purpose:?} {origin:?}");
            assert_eq!(decide(&token, &caller), expected, "{purpose:?} {origin:?} with the token");
        }
        let cross = Caller { cross_site: true, ..caller(LOCAL, Purpose::Change, Some(&own)) };
        assert_eq!(decide(&Rule::Loopback, &cross), Err(Denial::ForeignOrigin), "a browser says so");
        let look = Caller { purpose: Purpose::Look, ..cross };
        assert_eq!(decide(&Rule::Loopback, &look), Ok(()), "seeing needs no such rule: the page cannot read it");
    }
}
