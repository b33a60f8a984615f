//! What a router returned, checked against what there is.

use ::http::{HeaderMap, StatusCode};

use super::super::bindings::router as contract;
use super::super::call_error::CallError;
use super::super::fields;
use super::super::text::printable;
use crate::net::is_target;
use crate::policy::{ClusterId, Decision, DirectResponse, ForwardTarget, RouteId};

/// Bytes of a path and query. What is sent is at most 65,534 bytes long; the rest is for an endpoint's base path.
const PATH_BYTES: usize = 60 << 10;

/// Bytes of the body of a direct response.
const BODY_BYTES: usize = 1 << 20;

/// Fields of a direct response.
const FIELDS: usize = 128;

/// Whose router it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterPlace {
    /// That of the whole gateway, behind which there is nobody.
    Gateway,
    /// One of the plugins of a `[[route]]`.
    Route,
}

/// What there is to forward to, and to leave a decision to.
pub(super) struct RouterTargets {
    pub(super) place: RouterPlace,
    /// Number of clusters.
    pub(super) clusters: usize,
    /// Number of `[[route]]`.
    pub(super) routes: usize,
}

impl RouterTargets {
    pub(super) fn checked(&self, decision: contract::Decision) -> Result<Decision, CallError> {
        match decision {
            contract::Decision::Forward(target) => self.target(target).map(Decision::Forward),
            contract::Decision::Respond(response) => checked_response(response).map(Decision::Respond),
            contract::Decision::Unmatched => Ok(Decision::Unmatched),
            contract::Decision::Next if self.place == RouterPlace::Route => Ok(Decision::Next),
            contract::Decision::Next => Err(CallError::answer(
                "a decision of `[router]`, behind which there is nobody",
                "`next`: name the plugin in `plugins` of a `[[route]]`",
            )),
        }
    }

    fn target(&self, target: contract::Target) -> Result<ForwardTarget, CallError> {
        index("cluster", target.cluster, self.clusters)?;
        if let Some(route) = target.route {
            index("route", route, self.routes)?;
        }
        if let Some(path) = &target.path {
            checked_path(path)?;
        }
        Ok(ForwardTarget { cluster: ClusterId(target.cluster), path: target.path, route: target.route.map(RouteId) })
    }
}

fn index(of: &str, found: u32, count: usize) -> Result<(), CallError> {
    if usize::try_from(found).is_ok_and(|found| found < count) {
        return Ok(());
    }
    if count == 0 {
        return Err(CallError::answer(format_args!("no {of} index, for there is no {of}"), found));
    }
    Err(CallError::answer(format_args!("a {of} index below {count}"), found))
}

/// What may stand in a request line: see [`is_target`].
pub(super) fn checked_path(path: &str) -> Result<(), CallError> {
    if path.len() > PATH_BYTES {
        return Err(CallError::answer(format_args!("a path of at most {PATH_BYTES} bytes"), path.len()));
    }
    if !is_target(path) {
        let found = printable(path.get(..path.floor_char_boundary(200)).unwrap_or_default());
        return Err(CallError::answer(
            "a path that starts with `/` and has only characters of a URI (RFC 3986 §2), `#` not among them, and a \
             query without blanks and control characters",
            format_args!("`{found}`"),
        ));
    }
    Ok(())
}

pub(super) fn checked_response(response: contract::Response) -> Result<DirectResponse, CallError> {
    let status = u16::try_from(response.status)
        .ok()
        .filter(|status| (200..=599).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| CallError::answer("a status of 200 to 599", response.status))?;
    if response.body.len() > BODY_BYTES {
        return Err(CallError::answer(format_args!("a body of at most {BODY_BYTES} bytes"), response.body.len()));
    }
    if response.headers.len() > FIELDS {
        return Err(CallError::answer(format_args!("at most {FIELDS} header fields"), response.headers.len()));
    }
    let mut headers = HeaderMap::with_capacity(response.headers.len());
    for (name, value) in &response.headers {
        let name = fields::name(name)?;
        let value = fields::value(&name, value.as_bytes())?;
        headers.append(name, value);
    }
    Ok(DirectResponse { status, headers, body: response.body.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cannot_smuggle_anything_into_a_request_line() {
        for good in ["/", "/a/b?c=d&e=%20", "/*", "/?what=\"<a>\u{e9}\""] {
            assert!(checked_path(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "/a b", "/a\r\nHost: x", "/a#b", "/ä", "/\u{7f}", "http://x/", "/<", "/a>b", "/`"] {
            assert!(checked_path(bad).is_err(), "{bad:?}");
        }
        let long = |length: usize| format!("/{}", "a".repeat(length - 1));
        assert!(checked_path(&long(60 << 10)).is_ok(), "as long as may be");
        assert!(checked_path(&long((60 << 10) + 1)).is_err(), "no room for a base path");
    }

    #[test]
    fn results_outside_the_contract_are_refused() {
        let response = |status, name: &str, body| contract::Response {
            status,
            headers: vec![(name.to_owned(), "1".to_owned())],
            body: vec![0; body],
        };

        assert!(checked_response(response(200, "x-a", BODY_BYTES)).is_ok());
        assert!(checked_response(response(199, "x-a", 0)).is_err(), "informational");
        assert!(checked_response(response(600, "x-a", 0)).is_err(), "no status");
        assert!(checked_response(response(65_736, "x-a", 0)).is_err(), "200 modulo 2^16");
        assert!(checked_response(response(200, "Content-Length", 0)).is_err(), "framing");
        assert!(checked_response(response(200, "x a", 0)).is_err(), "not a name");
        assert!(checked_response(response(200, "x-a", BODY_BYTES + 1)).is_err(), "body");
    }
}
