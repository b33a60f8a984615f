//! Who is let in: what Apache's demands come to, where a route can say it.

use super::super::draft::BasicAuthDraft;
use super::super::tree::Place;
use super::access::{AccessReader, BY_ADDRESS, BY_SERVER, ByHost, Demand, LoginSettings, Unsaid};
use super::networks::{Networks, network};

/// What a scope, with those around it, comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImportedAccess {
    Everybody,
    /// Nobody.
    Denied(Place),
    /// Some by their addresses, or by name and password.
    Limited(Limits),
    /// Somebody, in a way that a route cannot say.
    Restricted(Unsaid),
}

/// Who is let in, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) places: Vec<Place>,
    pub(super) networks: Networks,
    pub(super) login: Option<BasicAuthDraft>,
    /// These of `networks` need no login.
    pub(super) free: Option<Networks>,
    /// Lines that say `Require local`.
    pub(super) local: Vec<Place>,
}

/// Whom a demand lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Let {
    networks: Networks,
    /// They have to log in as well.
    login: Option<Login>,
    /// These of `networks` do not.
    free: Option<Networks>,
    local: Vec<Place>,
}

/// Who has to have logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Login {
    place: Place,
    /// `None`: any user.
    users: Option<Vec<String>>,
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
    Some(match let_in(&all_of(access)) {
        Ok(found) if found.networks.is_nobody() => ImportedAccess::Denied(place),
        found if access.other.is_some() => ImportedAccess::Restricted(access.other.clone().or(found.err())?),
        Err(unsaid) => ImportedAccess::Restricted(unsaid),
        Ok(found) if found.login.is_none() && found.networks.is_everybody() => ImportedAccess::Everybody,
        Ok(found) => match limits(found, places, &access.login) {
            Ok(limits) => ImportedAccess::Limited(limits),
            Err(unsaid) => ImportedAccess::Restricted(unsaid),
        },
    })
}

fn limits(found: Let, mut places: Vec<Place>, settings: &LoginSettings) -> Result<Limits, Unsaid> {
    let networks = found.networks.len();
    if networks > MOST_NETWORKS
        && let Some(place) = places.last()
    {
        let what = format!("who may come is limited by address, in {networks} networks");
        return Err(Unsaid { place: place.clone(), what, remedy: BY_ADDRESS });
    }
    let login = match found.login {
        Some(login) => {
            let lines = [settings.kind.as_ref(), settings.file.as_ref()];
            places.extend(lines.into_iter().flatten().map(|(_text, place)| place.clone()));
            Some(basic_auth(login, settings)?)
        }
        None => None,
    };
    Ok(Limits { places, networks: found.networks, login, free: found.free, local: found.local })
}

/// `basic_auth` for a login, where users and passwords stand in a file.
fn basic_auth(login: Login, settings: &LoginSettings) -> Result<BasicAuthDraft, Unsaid> {
    let unsaid = |place: &Place, what: String, remedy| Err(Unsaid { place: place.clone(), what, remedy });
    match &settings.kind {
        Some((kind, _place)) if kind == "basic" => {}
        Some((kind, place)) if kind == "digest" => {
            let remedy = "basic_auth = { file, realm } on a listener with TLS, with a file that `htpasswd -B` makes";
            return unsaid(place, format!("clients have to log in (AuthType {kind})"), remedy);
        }
        Some((kind, place)) if kind != "none" => {
            return unsaid(place, format!("clients have to log in (AuthType {kind})"), BY_SERVER);
        }
        _ => {
            let what = "clients have to log in, and no AuthType says how: Apache answers 500".to_owned();
            return unsaid(&login.place, what, "AuthType Basic and AuthUserFile; then import again");
        }
    }
    if let Some((line, place)) = settings.provider.as_ref().filter(|(line, _place)| !is_by_file(line)) {
        return unsaid(place, format!("clients have to log in, by `{line}`"), BY_SERVER);
    }
    let Some((file, _place)) = &settings.file else {
        let what = "clients have to log in, and no AuthUserFile says who they are".to_owned();
        return unsaid(&login.place, what, "AuthUserFile; then import again");
    };
    let realm: Option<String> = settings
        .realm
        .as_ref()
        .map(|realm| realm.chars().filter(|c| matches!(c, ' '..='~') && !['"', '\\'].contains(c)).collect());
    Ok(BasicAuthDraft { file: file.clone(), realm: realm.filter(|realm| !realm.is_empty()), users: login.users })
}

fn is_by_file(line: &str) -> bool {
    line.eq_ignore_ascii_case("AuthBasicProvider file")
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
            Ok(Let { networks: Networks::of(loopback), local: vec![place.clone()], ..Let::default() })
        }
        Demand::Login(place, users) => {
            let login = Login { place: place.clone(), users: users.clone() };
            Ok(Let { login: Some(login), ..Let::default() })
        }
        Demand::Other(unsaid) => Err(unsaid.clone()),
        Demand::Not(inner) => not(let_in(inner)?),
        Demand::All(demands) => {
            let found: Vec<_> = demands.iter().map(let_in).collect();
            if found.iter().flatten().any(|found| found.networks.is_nobody()) {
                return Ok(by_networks(Networks::nobody()));
            }
            found.into_iter().try_fold(Let::default(), |all, one| and(all, one?))
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

fn and(mut one: Let, mut other: Let) -> Result<Let, Unsaid> {
    one.local.append(&mut other.local);
    let networks = one.networks.and(&other.networks);
    let free = match (&one.login, &other.login) {
        (Some(login), Some(_)) if one.free.is_some() || other.free.is_some() => {
            let what = "clients have to log in, and others do for other reasons".to_owned();
            return Err(Unsaid { place: login.place.clone(), what, remedy: BY_SERVER });
        }
        _ => one.free.as_ref().or(other.free.as_ref()).map(|free| free.and(&networks)),
    };
    let login = match (one.login, other.login) {
        (Some(login), Some(another)) => {
            let users = match (login.users, another.users) {
                (Some(users), Some(others)) => Some(users.into_iter().filter(|user| others.contains(user)).collect()),
                (users, others) => users.or(others),
            };
            if users.as_ref().is_some_and(Vec::is_empty) {
                return Ok(Let { networks: Networks::nobody(), ..Let::default() });
            }
            Some(Login { place: login.place, users })
        }
        (login, another) => login.or(another),
    };
    Ok(Let { networks, login, free, local: one.local })
}

fn or(mut one: Let, mut other: Let) -> Result<Let, Unsaid> {
    if one.networks.is_nobody() {
        return Ok(other);
    }
    if other.networks.is_nobody() {
        return Ok(one);
    }
    one.local.append(&mut other.local);
    let networks = one.networks.or(&other.networks);
    let local = one.local;
    match (one.login, other.login) {
        (None, None) => Ok(Let { networks, login: None, free: None, local }),
        (Some(login), None) => {
            let free = one.free.map_or_else(|| other.networks.clone(), |free| free.or(&other.networks));
            Ok(Let { networks, login: Some(login), free: Some(free), local })
        }
        (None, Some(login)) => {
            let free = other.free.map_or_else(|| one.networks.clone(), |free| free.or(&one.networks));
            Ok(Let { networks, login: Some(login), free: Some(free), local })
        }
        (Some(login), Some(another)) => {
            let alike = one.networks == other.networks && one.free == other.free;
            if !alike && (login.users != another.users || one.free.is_some() || other.free.is_some()) {
                let what = "clients have to log in, some of them as others".to_owned();
                return Err(Unsaid { place: login.place, what, remedy: BY_SERVER });
            }
            let users = login.users.zip(another.users).map(|(mut users, others)| {
                users.extend(others);
                users
            });
            Ok(Let { networks, login: Some(Login { place: login.place, users }), free: one.free, local })
        }
    }
}

fn not(inner: Let) -> Result<Let, Unsaid> {
    match inner.login {
        Some(login) => {
            let what = "some users are kept out".to_owned();
            Err(Unsaid { place: login.place, what, remedy: "basic_auth = { file, realm, users } with those who may" })
        }
        None => Ok(Let { networks: inner.networks.not(), local: inner.local, ..Let::default() }),
    }
}
