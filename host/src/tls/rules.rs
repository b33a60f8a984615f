//! Rules about client certificates by server name.

use std::sync::Arc;

use rustls::ServerConfig;
use sha2::{Digest as _, Sha256};

use super::Built;
use super::certificate::Identity;
use super::error::TlsError;
use super::server::{Clients, Tickets, names_of, server_config};
use crate::config::ServerTls;
use crate::net::{CertificateRules, ServerNames};

/// The configurations of a listener.
#[derive(Clone, Debug)]
pub enum ServerConfigs {
    /// Clients are asked for the same, whatever name they ask for.
    One(RuledConfig),
    /// They are asked for what the name says.
    ByName(ServerNames<RuledConfig>),
}

/// A configuration for the names that have its rules.
#[derive(Clone, Debug)]
pub struct RuledConfig {
    /// Which rules.
    pub rules: CertificateRules,
    /// Its certificates to show are those of all names.
    pub config: Arc<ServerConfig>,
}

/// Reads the files of a listener and makes its configurations: one for all names whose clients are asked for the same,
/// which is where the same certificates are trusted, in whichever file, and one is required or not. Clients are offered
/// `protocols`, the best first; session tickets come from `tickets`, and are good for names with the same rules alone.
///
/// # Errors
/// [`TlsError`] for the first file that cannot be used.
pub fn server_configs(
    tls: &ServerTls,
    tickets: &Tickets,
    protocols: &[&[u8]],
) -> Result<Built<ServerConfigs>, TlsError> {
    let Built { value: config, mut warnings } = server_config(tls, tickets, protocols)?;
    let own = RuledConfig { rules: rules_of(tls)?, config };
    if tls.by_name.iter().all(|named| named.client_ca == tls.client_ca) {
        return Ok(Built { value: ServerConfigs::One(own), warnings });
    }
    let mut names = ServerNames::new(own.clone());
    let mut known = vec![own];
    for named in &tls.by_name {
        let of_these = ServerTls { client_ca: named.client_ca.clone(), ..tls.clone() };
        let rules = rules_of(&of_these)?;
        let ruled = if let Some(ruled) = known.iter().find(|other| other.rules == rules) {
            ruled.clone()
        } else {
            let built = server_config(&of_these, tickets, protocols)?;
            warnings
                .extend(built.warnings.into_iter().filter(|warning| !warnings.contains(warning)).collect::<Vec<_>>());
            let ruled = RuledConfig { rules, config: built.value };
            known.push(ruled.clone());
            ruled
        };
        for name in names_of(named, &Identity::read(&named.certificate)?.value) {
            names.insert(&name, ruled.clone());
        }
    }
    let value = match known.as_slice() {
        [only] => ServerConfigs::One(only.clone()),
        _ => ServerConfigs::ByName(names),
    };
    Ok(Built { value, warnings })
}

fn rules_of(tls: &ServerTls) -> Result<CertificateRules, TlsError> {
    let Clients { verifier, policy } = Clients::read(tls.client_ca.as_ref(), &mut Vec::new())?;
    Ok(policy.map_or_else(CertificateRules::default, |(roots, is_required)| {
        let mut digest = Sha256::new();
        digest.update([u8::from(is_required)]);
        for root in roots {
            digest.update(root.len().to_be_bytes());
            digest.update(root);
        }
        CertificateRules::new(digest.finalize().into(), verifier)
    }))
}
