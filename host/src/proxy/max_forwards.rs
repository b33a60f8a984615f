//! How far a request may go whose sender wants to know who is on its way (RFC 9110 §7.6.2).

use std::sync::Arc;

use ::http::header::{self, HeaderName};
use ::http::{HeaderValue, Method, Response};

use super::failure::RequestFailure;
use crate::http::ResponseBody;
use crate::policy::RequestFacts;

static MAX_FORWARDS: HeaderName = HeaderName::from_static("max-forwards");

/// What is left out of a request that is sent back (RFC 9110 §9.3.8).
const SENSITIVE: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// Takes one from the hops that OPTIONS or TRACE may still make. Other methods go as far as they go: there the RFC
/// leaves it to us, and a response other than the endpoint's would only surprise. The response, where the request ends
/// here.
///
/// # Errors
/// [`RequestFailure::MaxForwards`]
pub(super) fn count(facts: &mut RequestFacts) -> Result<Option<Response<ResponseBody>>, RequestFailure> {
    if facts.method != Method::OPTIONS && facts.method != Method::TRACE {
        return Ok(None);
    }
    let mut values = facts.headers.get_all(&MAX_FORWARDS).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let (Some(digits), None) = (digits, values.next()) else {
        return Err(RequestFailure::MaxForwards);
    };
    // More than there are hops means: as far as there are.
    match digits.parse().unwrap_or(u64::MAX).checked_sub(1) {
        Some(left) => {
            Arc::make_mut(&mut facts.headers).insert(&MAX_FORWARDS, HeaderValue::from(left));
            Ok(None)
        }
        None => Ok(Some(own_response(facts))),
    }
}

/// How the gateway responds to OPTIONS and TRACE that are meant for itself.
fn own_response(facts: &RequestFacts) -> Response<ResponseBody> {
    if facts.method == Method::OPTIONS {
        let mut response = Response::new(ResponseBody::empty());
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("OPTIONS, TRACE"));
        return response;
    }
    let mut response = Response::new(ResponseBody::whole(received(facts)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("message/http"));
    response
}

/// The head of the request, without what is secret.
fn received(facts: &RequestFacts) -> Vec<u8> {
    let mut head = format!("{} {}", facts.method, facts.path);
    if let Some(query) = &facts.query {
        head.push('?');
        head.push_str(query);
    }
    head.push_str(" HTTP/1.1\r\n");
    let mut head = head.into_bytes();
    for (name, value) in facts.headers.as_ref() {
        if !SENSITIVE.contains(name) {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
