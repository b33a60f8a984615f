//! Requests for a name whose clients have to show other certificates than the client was asked for at its handshake
//! (RFC 9110 §15.5.20).

use std::collections::BTreeMap;

use super::{Client, ListenerKey};
use crate::net::{Authority, CertificateRules, ServerNames};

/// Which rules about client certificates a server name has, of each listener where not all names have the same.
pub type RulesByListener = BTreeMap<ListenerKey, ServerNames<CertificateRules>>;

/// Whether the name that is asked for has other rules than the name of the handshake. No name has those of the listener;
/// a request that names none (HTTP/1.0) is for the name of the handshake.
pub(super) fn is_misdirected(rules: &RulesByListener, client: &Client, asked_for: Option<&Authority>) -> bool {
    // Nearly always: no listener has such rules.
    if rules.is_empty() {
        return false;
    }
    let (Some(names), Some(authority)) = (rules.get(&client.listener), asked_for) else { return false };
    // As routes see it.
    let host = authority.bare_host().trim_end_matches('.').to_ascii_lowercase();
    names.pick(Some(&host)) != names.pick(client.sni.as_deref())
}
