//! Requests whose clients have to show other certificates than they did at their handshake (RFC 9110 §15.5.20).

use std::collections::BTreeMap;

use super::{Client, ListenerKey};
use crate::net::{Authority, CertificateRules, ServerNames, ShownCertificate};

/// Which rules about client certificates hold, of each listener that has any.
pub type RulesByListener = BTreeMap<ListenerKey, ListenerRules>;

/// Which rules about client certificates a listener has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerRules {
    /// The same for every name.
    One(CertificateRules),
    /// Those of the name.
    ByName(ServerNames<CertificateRules>),
}

/// Why a request needs another handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misdirected {
    /// It is for a name with other rules than that of the handshake.
    Name,
    /// The handshake would not go through any more.
    Outdated,
}

/// Refuses a request for a name that has other rules than the name of the handshake, and one by a handshake that would
/// not go through any more. No name has the rules of the listener; a request that names none (HTTP/1.0) is for the name
/// of the handshake.
pub(super) fn check(
    rules: &RulesByListener,
    client: &Client,
    asked_for: Option<&Authority>,
) -> Result<(), Misdirected> {
    // Nearly always: no listener has such rules.
    if rules.is_empty() {
        return Ok(());
    }
    let live = match rules.get(&client.listener) {
        None => return Ok(()),
        Some(ListenerRules::One(rules)) => rules,
        Some(ListenerRules::ByName(names)) => {
            let own = names.pick(client.sni.as_deref());
            if let Some(authority) = asked_for {
                // As routes see it.
                let host = authority.bare_host().trim_end_matches('.').to_ascii_lowercase();
                if names.pick(Some(&host)) != own {
                    return Err(Misdirected::Name);
                }
            }
            own
        }
    };
    match &client.shown {
        Some(shown) if shown.satisfies(live) => Ok(()),
        // It was asked for nothing.
        None if ShownCertificate::default().satisfies(live) => Ok(()),
        _ => Err(Misdirected::Outdated),
    }
}
