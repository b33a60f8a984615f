//! Rules that send clients to the same by TLS, and redirects of whole Locations.

use super::super::tree::Directive;
use super::conditions::RuleConditions;
use super::flags::flags;
use super::mapping::LocationPath;
use super::path::RulePath;
use super::rule::{RuleEffect, TrafficRule};
use super::shape::shape;

/// The redirect of a rule in a Location that takes all of its paths and keeps them.
pub(super) fn redirect_of_location(
    line: &Directive,
    location: &LocationPath,
    asked: &RuleConditions,
    tls: Option<bool>,
) -> Option<TrafficRule> {
    let LocationPath::Prefix(prefix) = location else { return None };
    if let (Some(wanted), Some(tls)) = (asked.when.tls, tls)
        && wanted != tls
        && !asked.scheme_of_proxy
    {
        return None;
    }
    let status = flags(line.word(2).unwrap_or_default()).redirect.unwrap_or(302);
    let base = line.word(1)?.trim_end_matches("%{REQUEST_URI}").trim_end_matches('/');
    let to = base.replace("%{HTTP_HOST}", "$host").replace("%{SERVER_NAME}", "$host");
    let to = format!("{to}{}", if prefix == "/" { "" } else { prefix });
    let path = RulePath::Prefix(prefix.clone());
    let mut rule = TrafficRule::new(line.place.clone(), path, RuleEffect::Redirect { to, status });
    rule.when = asked.when.clone();
    rule.when.tls = asked.when.tls.filter(|_wanted| tls.is_none() || asked.scheme_of_proxy);
    Some(rule)
}

/// Whether this is the same by TLS: the name if it is written out, and whether path and query are kept.
pub(super) fn to_tls(to: &str, pattern: &str) -> Option<(Option<String>, bool)> {
    let rest = to.get(..8).filter(|start| start.eq_ignore_ascii_case("https://")).and_then(|_start| to.get(8..))?;
    let end = rest.find('/').or_else(|| rest.find("$1")).or_else(|| rest.find("%{REQUEST_URI}")).unwrap_or(rest.len());
    let (host, mut path) = rest.split_at(end);
    let (host, tail) = match host.split_once("%{REQUEST_URI}") {
        Some((host, _rest)) => (host, Some("%{REQUEST_URI}")),
        None => (host, None),
    };
    path = tail.unwrap_or(path);
    let host = match host.trim_end_matches(":443") {
        "%{HTTP_HOST}" | "%{SERVER_NAME}" | "%{HTTP_HOST}:443" | "%1" => None,
        name if name.contains(['%', '$']) || name.is_empty() => return None,
        name => Some(name.to_ascii_lowercase()),
    };
    let group_at = shape(pattern).and_then(|shape| shape.group);
    let path = path.split('?').next().unwrap_or_default();
    let whole = match path {
        "%{REQUEST_URI}" | "/%{REQUEST_URI}" | "$0" => true,
        "/$1" => group_at.is_some(),
        "$1" => group_at == Some(0),
        _ => false,
    };
    Some((host, whole))
}
