//! The heads of requests and responses on their way through.

use std::borrow::Cow;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};

use super::{Client, ResponseDecider, RouteRules, Snapshot};
use crate::http::{Fields, strip_hop_by_hop};
use crate::net::is_target;
use crate::policy::{Fault, HeaderEdit, RequestFacts, ResponseContext, Rewritten, SHOWN_BYTES, SHOWN_FIELDS};
use crate::upstream::Upstream;

/// The fields of a request head that are the same for every endpoint that is tried.
pub(super) fn request_fields<'a>(
    client: &'a Client,
    snapshot: &'a Snapshot,
    rules: &'a RouteRules,
    facts: &'a RequestFacts,
) -> Fields<'a> {
    let mut fields = Fields::end_to_end(&facts.headers);
    snapshot.forwarding.apply(&mut fields, &client.forwarded, facts.host_and_port());
    rules.request_headers.apply_to(&mut fields);
    snapshot.pseudonym.sign(&mut fields);
    fields
}

/// Host for one endpoint (Apache: the endpoint's own, or with ProxyPreserveHost the client's).
pub(super) fn host_for<'a>(rules: &RouteRules, facts: &RequestFacts, upstream: &'a Upstream) -> Cow<'a, HeaderValue> {
    let clients = facts.authority.as_ref().filter(|_| rules.preserve_host);
    clients.map_or(Cow::Borrowed(upstream.authority()), |authority| Cow::Owned(authority.into()))
}

/// Bytes of a target that is sent, as many as endpoints' parsers commonly take.
const LONGEST_TARGET: usize = u16::MAX as usize - 1;

/// Path and query for one endpoint: its own path, then the router's or the client's. None if that is no target, which
/// a router's checked decision never leads to.
pub(super) fn target_for<'a>(
    upstream: &Upstream,
    routed: Option<&str>,
    facts: &RequestFacts,
    sent: &'a Uri,
) -> Option<Cow<'a, str>> {
    let base = upstream.base_path();
    if base.is_empty()
        && routed.is_none()
        && let Some(unchanged) = sent.path_and_query()
        && unchanged.as_str().starts_with('/')
        && unchanged.path() == facts.path
        && unchanged.query() == facts.query.as_deref()
    {
        return Some(Cow::Borrowed(unchanged.as_str()));
    }
    let text = match (routed, &facts.query) {
        (Some(routed), _) => format!("{base}{routed}"),
        (None, Some(query)) => format!("{base}{}?{query}", facts.path),
        (None, None) => format!("{base}{}", facts.path),
    };
    (text.len() <= LONGEST_TARGET && is_target(&text)).then_some(Cow::Owned(text))
}

/// Why a response must not go out: what is in it was not mapped back.
#[derive(Debug, thiserror::Error)]
pub(super) enum Withheld {
    /// The rewriter failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The endpoint sent more than a rewriter is shown.
    #[error("expected at most {limit} {what} for the rewriter in one response, found {found}")]
    TooMuch { what: &'static str, limit: usize, found: usize },
}

/// The response head for the client: hop-by-hop fields off, rewritten, edited.
///
/// # Errors
/// [`Withheld`]: the response must not go out.
pub(super) fn prepare_response(
    headers: &mut HeaderMap,
    status: StatusCode,
    snapshot: &Snapshot,
    rules: &RouteRules,
    context: ResponseContext<'_>,
) -> Result<(), Withheld> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // RFC 9112 §6.3: the coding has framed this body, whatever the length says.
        headers.remove(header::CONTENT_LENGTH);
    }
    // A 426 without Upgrade says nothing (RFC 9110 §15.5.22): there the field is for the client, not for the hop.
    let required = (status == StatusCode::UPGRADE_REQUIRED).then(|| headers.remove(header::UPGRADE)).flatten();
    strip_hop_by_hop(headers);
    if let Some(protocols) = required {
        headers.insert(header::UPGRADE, protocols);
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    }
    for plugin in rules.plugins.iter().rev() {
        if let Some(rewriter) = &plugin.rewriter {
            rewrite(headers, status, rewriter, context)?;
        }
    }
    if let Some(rewriter) = &snapshot.rewriter {
        rewrite(headers, status, rewriter, context)?;
    }
    if rules.reverse {
        rewrite(headers, status, &snapshot.reverse, context)?;
    }
    if let Some(request) = context.request {
        request.effects.apply_to_response(headers);
    }
    rules.response_headers.apply(headers);
    Ok(())
}

fn rewrite(
    headers: &mut HeaderMap,
    status: StatusCode,
    decider: &ResponseDecider,
    context: ResponseContext<'_>,
) -> Result<(), Withheld> {
    let interest = decider.rewriter.interest();
    // One pass over the names that are there costs less than a search for each that might be.
    if !headers.keys().any(|name| interest.contains(name)) && !decider.sees_all {
        return Ok(());
    }
    let fields: Vec<(HeaderName, HeaderValue)> = interest
        .iter()
        .flat_map(|name| headers.get_all(name).iter().map(|value| (name.clone(), value.clone())))
        .collect();
    check_size(&fields)?;
    let Rewritten { edits, effects } = decider.rewriter.rewrite(&context, status, &fields)?;
    if let Some(request) = context.request {
        request.effects.add_shared(effects);
    }
    if edits.is_empty() {
        return Ok(());
    }
    let mut kept: Vec<Option<(HeaderName, HeaderValue)>> = fields.into_iter().map(Some).collect();
    let mut added = Vec::new();
    for edit in edits {
        match edit {
            HeaderEdit::Replace(index, value) => {
                if let Some(Some((_, old))) = kept.get_mut(index) {
                    *old = value;
                }
            }
            HeaderEdit::Remove(index) => {
                if let Some(field) = kept.get_mut(index) {
                    *field = None;
                }
            }
            HeaderEdit::Add(name, value) => added.push((name, value)),
        }
    }
    for name in interest {
        headers.remove(name);
    }
    for (name, value) in kept.into_iter().flatten().chain(added) {
        headers.append(name, value);
    }
    Ok(())
}

fn check_size(fields: &[(HeaderName, HeaderValue)]) -> Result<(), Withheld> {
    let checks = [
        ("fields", SHOWN_FIELDS, fields.len()),
        ("bytes", SHOWN_BYTES, fields.iter().map(|(_, value)| value.len()).sum()),
    ];
    match checks.into_iter().find(|(_, limit, found)| found > limit) {
        Some((what, limit, found)) => Err(Withheld::TooMuch { what, limit, found }),
        None => Ok(()),
    }
}
