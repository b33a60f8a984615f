//! Sending clients that came without TLS to where they get it.

use std::collections::BTreeMap;

use ::http::header::{CACHE_CONTROL, LOCATION};
use ::http::{HeaderValue, Method, Response, StatusCode};

use super::{Client, ListenerKey};
use crate::http::{ResponseBody, reply};
use crate::policy::{RequestFacts, Scheme};

/// The port of TLS that clients of a listener are sent to, of each listener that sends them there.
pub type TlsPorts = BTreeMap<ListenerKey, u16>;

/// There is nowhere to send a client to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NowhereToSend {
    /// It names no host (HTTP/1.0).
    NoHost,
    /// What it asks for is no value of a field, which a target that was read never is.
    NoValue,
}

/// The port of `https` that is not written (RFC 9110 §4.2.2).
const USUAL_PORT: u16 = 443;

/// What a client gets whose listener sends it to TLS; none, where it is served. A client is served of which a trusted
/// proxy says that it came by TLS: it would be sent to where it is.
///
/// # Errors
/// [`NowhereToSend`]
#[cold]
pub(super) fn redirect(
    ports: &TlsPorts,
    client: &Client,
    facts: &RequestFacts,
) -> Result<Option<Response<ResponseBody>>, NowhereToSend> {
    let Some(port) = ports.get(&client.listener).filter(|_| facts.scheme == Scheme::Http) else { return Ok(None) };
    let host = facts.authority.as_ref().ok_or(NowhereToSend::NoHost)?.host();
    let port = if *port == USUAL_PORT { String::new() } else { format!(":{port}") };
    let query = facts.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
    let location = format!("https://{host}{port}{}{query}", facts.path);
    // Else browsers would make a GET of what is none (RFC 9110 §15.4.2).
    let status = if facts.method == Method::GET || facts.method == Method::HEAD {
        StatusCode::MOVED_PERMANENTLY
    } else {
        StatusCode::PERMANENT_REDIRECT
    };
    let mut response = reply::sentence(status, "this is to be had over TLS");
    let headers = response.headers_mut();
    // That it is kept is what the status is for.
    headers.remove(CACHE_CONTROL);
    headers.insert(LOCATION, HeaderValue::try_from(location).map_err(|_no_value| NowhereToSend::NoValue)?);
    Ok(Some(response))
}
