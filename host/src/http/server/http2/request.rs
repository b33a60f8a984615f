//! From the head of a stream to a request.

use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Method, Request, Version, header, uri};
use bytes::Bytes;
use h2::RecvStream;
use h2::ext::Protocol;

use super::incoming::{BodyClock, StreamIncoming};
use super::responder::{Responder, StreamInterim};
use super::switch::{PendingSwitch, strip_handshake};
use crate::http::http2::{check_fields, join_cookies};
use crate::http::message::{
    RefusalForm, Refused, RequestBody, SHOWN, ServerRequest, UpgradeRequest, Violation, grpc, list,
};
use crate::http::server::limits::ClientLimits;
use crate::net::Authority;

/// A request as it came on a stream, and what its response has to be like.
pub(super) struct StreamRequest {
    pub(super) request: ServerRequest,
    pub(super) form: ResponseForm,
}

/// What a request asks of its response.
#[derive(Debug)]
pub(super) enum ResponseForm {
    /// A response as any.
    Whole,
    /// A head alone.
    HeadOnly,
    /// Success is a switch of protocols, and nothing else is.
    Switch(PendingSwitch),
    /// None: the request is malformed, and its stream is reset (RFC 9113 §8.1.1).
    Reset,
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unserved {
    /// It is malformed.
    Malformed(Violation),
    /// It is well-formed, and gets a response.
    Refused(Violation),
}

/// Bytes that a field counts for beside its name and value (RFC 9113 §6.5.2).
const FIELD_OVERHEAD: usize = 32;

impl StreamRequest {
    /// Reads what came on a stream.
    pub(super) fn read(request: Request<RecvStream>, responder: &Arc<Responder>, limits: &ClientLimits) -> Self {
        let (mut parts, recv) = request.into_parts();
        let interim = Some(Box::new(StreamInterim(responder.clone())) as _);
        let protocol = parts.extensions.remove::<Protocol>();
        let checked = check(&mut parts, protocol.is_some(), limits).and_then(|()| match protocol {
            Some(protocol) => PendingSwitch::new(&protocol, &parts.headers, recv)
                .map(|(pending, upgrade)| (RequestBody::Empty, Some((pending, upgrade))))
                .ok_or(Unserved::Malformed(Violation::Pseudo)),
            None => Ok((body_of(&parts, recv, responder, limits)?, None)),
        });
        let (request, upgrade, form) = match checked {
            Ok((body, switch)) => {
                let (upgrade, form) = form_of(&parts, switch);
                (Ok(Request::from_parts(parts, body)), upgrade, form)
            }
            Err(why) => {
                let (violation, form, hears) = match why {
                    Unserved::Malformed(violation) => (violation, ResponseForm::Reset, RefusalForm::Reset),
                    Unserved::Refused(violation) => {
                        let is_grpc = grpc::is_grpc(&parts.headers);
                        let hears = if is_grpc { RefusalForm::Grpc } else { RefusalForm::Response };
                        (violation, form_of(&parts, None).1, hears)
                    }
                };
                (Err(refused(violation, &parts, hears)), None, form)
            }
        };
        Self { request: ServerRequest { version: Version::HTTP_2, request, upgrade, interim }, form }
    }
}

fn form_of(parts: &Parts, switch: Option<(PendingSwitch, UpgradeRequest)>) -> (Option<UpgradeRequest>, ResponseForm) {
    match switch {
        Some((pending, upgrade)) => (Some(upgrade), ResponseForm::Switch(pending)),
        None if parts.method == Method::HEAD => (None, ResponseForm::HeadOnly),
        None => (None, ResponseForm::Whole),
    }
}

fn refused(violation: Violation, parts: &Parts, hears: RefusalForm) -> Refused {
    let mut target = parts.uri.path_and_query().map_or_else(String::new, |target| target.as_str().to_owned());
    target.truncate(target.floor_char_boundary(SHOWN));
    Refused { violation, method: Some(parts.method.clone()), target, hears }
}

fn body_of(
    parts: &Parts,
    recv: RecvStream,
    responder: &Arc<Responder>,
    limits: &ClientLimits,
) -> Result<RequestBody, Unserved> {
    let mut lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter();
    // The library has seen to it that it is a number, and that of the bytes that come.
    let length = lengths.next().and_then(|length| length.to_str().ok()?.parse().ok());
    if lengths.next().is_some() {
        return Err(Unserved::Refused(Violation::RepeatedLength));
    }
    let expects_continue = expects_continue(&parts.headers)?;
    if recv.is_end_stream() {
        return Ok(RequestBody::Empty);
    }
    let body =
        StreamIncoming::new(recv, length, responder.clone(), expects_continue, BodyClock::new(&parts.headers, limits));
    Ok(RequestBody::Boxed { body: Box::pin(body), expects_continue })
}

fn expects_continue(headers: &HeaderMap) -> Result<bool, Unserved> {
    if !headers.contains_key(header::EXPECT) {
        return Ok(false);
    }
    let is_known = list(headers, &header::EXPECT).all(|member| member.eq_ignore_ascii_case(b"100-continue"));
    if is_known { Ok(true) } else { Err(Unserved::Refused(Violation::Expectation)) }
}

/// Checks the head of a request, and puts it into the words of HTTP/1.1: one Cookie, Host as `:authority`, and GET where
/// it `switches` protocols (RFC 8441 §4, §5).
///
/// What the library has refused is not looked for: fields about the connection, upper case, pseudo-header fields that
/// are unknown, repeated or behind others, missing or with characters that they do not have, lengths that are no number
/// or differ. A fragment it cuts off without a word.
fn check(parts: &mut Parts, switches: bool, limits: &ClientLimits) -> Result<(), Unserved> {
    check_fields(&parts.headers).map_err(|_wrong| Unserved::Malformed(Violation::Field))?;
    if parts.method == Method::CONNECT && !switches {
        // It has neither scheme nor path, and gets the response for it (RFC 9113 §8.5).
        return match parts.uri.authority() {
            Some(_) => Ok(()),
            None => Err(Unserved::Malformed(Violation::Pseudo)),
        };
    }
    let path = parts.uri.path_and_query().map_or("", uri::PathAndQuery::as_str);
    // RFC 9113 §8.3.1. Without a scheme, which the library drops where there is no authority, no path reads as `/` in one
    // of these, and no path but a query in the other.
    let is_target = path.starts_with('/') || (path == "*" && parts.method == Method::OPTIONS);
    // An empty scheme the library takes for one.
    if parts.uri.path().is_empty() || !is_target || parts.uri.scheme_str() == Some("") {
        return Err(Unserved::Malformed(Violation::Pseudo));
    }
    check_authority(parts)?;
    // First: in how many pieces a client sends its Cookie is its compression's affair (RFC 9113 §8.2.3).
    join_cookies(&mut parts.headers);
    if parts.headers.len() > limits.head_fields {
        return Err(Unserved::Refused(Violation::ManyFields));
    }
    if size(parts) > limits.longest_head() {
        return Err(Unserved::Refused(Violation::LongHead));
    }
    if switches {
        parts.method = Method::GET;
        strip_handshake(&mut parts.headers);
    }
    Ok(())
}

/// `:authority` and Host name one host (RFC 9113 §8.3.1), and Host is there in the end.
fn check_authority(parts: &mut Parts) -> Result<(), Unserved> {
    let Some(authority) = parts.uri.authority() else { return Ok(()) };
    if let Some(host) = parts.headers.get(header::HOST) {
        // Each of several has to say the same, or they are too many.
        return match is_same_host(authority.as_str(), host, parts.uri.scheme_str()) {
            true => Ok(()),
            false => Err(Unserved::Malformed(Violation::Authorities)),
        };
    }
    // Its bytes are those of a URI, which a field may have.
    if let Ok(host) = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(authority.as_str().as_bytes())) {
        parts.headers.insert(header::HOST, host);
    }
    Ok(())
}

/// Whether both name one host and port, that of the scheme where none is written.
fn is_same_host(authority: &str, host: &HeaderValue, scheme: Option<&str>) -> bool {
    if authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()) {
        return true;
    }
    let read = |text: &str| text.parse::<Authority>().ok();
    let (Some(one), Some(other)) = (read(authority), host.to_str().ok().and_then(read)) else { return false };
    let default = if scheme == Some("http") { 80 } else { 443 };
    one.host().eq_ignore_ascii_case(other.host()) && one.port().unwrap_or(default) == other.port().unwrap_or(default)
}

/// Bytes of a head as RFC 9113 §6.5.2 counts them, the pseudo-header fields as what they say.
fn size(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD);
    fields.sum::<usize>() + target + parts.method.as_str().len()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
