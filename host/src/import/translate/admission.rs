//! Who is let in: what Apache's demands come to, where a route can say it.

use super::super::tree::Place;
use super::access::{AccessReader, BY_ADDRESS, BY_PASSWORD, ByHost, Demand, Unsaid};
use super::networks::{Networks, network};

/// What a scope, with those around it, comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImportedAccess {
    Everybody,
    /// Nobody.
    Denied(Place),
    /// Some by their addresses.
    Limited(Limits),
    /// Somebody, in a way that a route cannot say.
    Restricted(Unsaid),
}

/// Who is let in, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) places: Vec<Place>,
    pub(super) networks: Networks,
    /// Lines that say `Require local`.
    pub(super) local: Vec<Place>,
}

/// Whom a demand lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Let {
    networks: Networks,
    /// They have to log in as well.
    login: Option<Place>,
    local: Vec<Place>,
}

/// Networks of one route, at the most: more are no list that a person would write.
const MOST_NETWORKS: usize = 200;

/// What `access` comes to. `None`: it says nothing of who may come.
pub(super) fn admission(access: &AccessReader) -> Option<ImportedAccess> {
    let by_host = access.by_host.as_ref();
    let required = access.require.as_ref();
    let kind = access.login.kind.as_ref().filter(|(kind, _place)| kind != "none");
    if by_host.is_none() && required.is_none() && kind.is_none() {
        return access.other.clone().map(ImportedAccess::Restricted);
    }
    let places: Vec<Place> = by_host
        .map(|by_host| by_host.places.as_slice())
        .into_iter()
        .chain(required.map(|required| required.places.as_slice()))
        .flatten()
        .cloned()
        .collect();
    let place = places.last().or(kind.map(|(_kind, place)| place))?.clone();
    let found = let_in(&all_of(access));
    Some(match found {
        Ok(found) if found.networks.is_nobody() => ImportedAccess::Denied(place),
        found if access.other.is_some() => ImportedAccess::Restricted(access.other.clone().or(found.err())?),
        Err(unsaid) => ImportedAccess::Restricted(unsaid),
        Ok(Let { login: Some(place), .. }) => {
            let what = "clients have to log in".to_owned();
            ImportedAccess::Restricted(Unsaid { place, what, remedy: BY_PASSWORD })
        }
        Ok(found) if found.networks.is_everybody() => ImportedAccess::Everybody,
        Ok(found) if found.networks.len() > MOST_NETWORKS => {
            let what = format!("who may come is limited by address, in {} networks", found.networks.len());
            ImportedAccess::Restricted(Unsaid { place, what, remedy: BY_ADDRESS })
        }
        Ok(found) => ImportedAccess::Limited(Limits { places, networks: found.networks, local: found.local }),
    })
}

/// Both modules together: each has to let a client in, or one of them where `Satisfy Any` says so.
fn all_of(access: &AccessReader) -> Demand {
    let by_host = access.by_host.as_ref().map(demand_of);
    let any = access.by_host.as_ref().is_some_and(|by_host| by_host.any);
    let required = access.require.as_ref().map(|required| required.demand.clone());
    match (by_host, required) {
        (Some(by_host), Some(required)) if any => Demand::Any(vec![by_host, required]),
        (Some(by_host), Some(required)) => Demand::All(vec![by_host, required]),
        (None, Some(required)) => required,
        (by_host, None) => {
            let by_host = by_host.unwrap_or(Demand::Everybody);
            match access.login.kind.as_ref().filter(|(kind, _place)| kind != "none" && !any) {
                Some((_kind, place)) => {
                    let what = "AuthType without a Require, for which Apache answers 500".to_owned();
                    let remedy = "Require valid-user, or AuthType None; then import again";
                    Demand::All(vec![by_host, Demand::Other(Unsaid { place: place.clone(), what, remedy })])
                }
                None => by_host,
            }
        }
    }
}

/// `Order Allow,Deny` (and `Mutual-failure`): who is named by Allow and not by Deny. `Order Deny,Allow`, which is also what
/// holds without a word: who is named by Allow, or not by Deny.
fn demand_of(by_host: &ByHost) -> Demand {
    let (allow, deny) = (Demand::Any(by_host.allow.clone()), Demand::Any(by_host.deny.clone()));
    let not_denied = Demand::Not(Box::new(deny));
    if by_host.allow_first { Demand::All(vec![allow, not_denied]) } else { Demand::Any(vec![allow, not_denied]) }
}

fn let_in(demand: &Demand) -> Result<Let, Unsaid> {
    let by_networks = |networks| Let { networks, ..Let::default() };
    match demand {
        Demand::Everybody => Ok(Let::default()),
        Demand::Nobody => Ok(by_networks(Networks::nobody())),
        Demand::Networks(list) => Ok(by_networks(Networks::of(list.clone()))),
        Demand::Local(place) => {
            let loopback = ["127.0.0.0/8", "::1"].into_iter().filter_map(network).collect();
            Ok(Let { networks: Networks::of(loopback), login: None, local: vec![place.clone()] })
        }
        Demand::Login(place, _users) => Ok(Let { login: Some(place.clone()), ..Let::default() }),
        Demand::Other(unsaid) => Err(unsaid.clone()),
        Demand::Not(inner) => not(let_in(inner)?),
        Demand::All(demands) => {
            let found: Vec<_> = demands.iter().map(let_in).collect();
            if found.iter().flatten().any(|found| found.networks.is_nobody()) {
                return Ok(by_networks(Networks::nobody()));
            }
            found.into_iter().try_fold(Let::default(), |all, one| Ok(and(all, one?)))
        }
        Demand::Any(demands) => {
            let found: Vec<_> = demands.iter().map(let_in).collect();
            if found.iter().flatten().any(|found| found.login.is_none() && found.networks.is_everybody()) {
                return Ok(Let::default());
            }
            let nobody = by_networks(Networks::nobody());
            found.into_iter().try_fold(nobody, |any, one| or(any, one?))
        }
    }
}

fn and(mut one: Let, other: Let) -> Let {
    one.local.extend(other.local);
    Let { networks: one.networks.and(&other.networks), login: one.login.or(other.login), local: one.local }
}

fn or(mut one: Let, other: Let) -> Result<Let, Unsaid> {
    if one.networks.is_nobody() {
        return Ok(other);
    }
    if other.networks.is_nobody() {
        return Ok(one);
    }
    let login = match (one.login, other.login) {
        (None, None) => None,
        (Some(place), Some(_other)) => Some(place),
        (Some(place), None) | (None, Some(place)) => {
            let what = "clients come from some networks or log in".to_owned();
            return Err(Unsaid { place, what, remedy: BY_PASSWORD });
        }
    };
    one.local.extend(other.local);
    Ok(Let { networks: one.networks.or(&other.networks), login, local: one.local })
}

fn not(inner: Let) -> Result<Let, Unsaid> {
    match inner.login {
        Some(place) => {
            let what = "some users are kept out".to_owned();
            Err(Unsaid { place, what, remedy: BY_PASSWORD })
        }
        None => Ok(Let { networks: inner.networks.not(), login: None, local: inner.local }),
    }
}
