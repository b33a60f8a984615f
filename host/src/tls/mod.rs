//! Server side by SNI, client side per cluster.
//!
//! ```text
//! files ──▶ certificate ──▶ server: ServerTls ──▶ rustls::ServerConfig      (one per listener and generation; with
//!                      │                                                   rules by name, one for each of them)
//!                      └──▶ client: ClientTls ──▶ rustls::ClientConfig      (one per cluster and generation)
//! ```
//!
//! Configurations only: the handshakes happen where the sockets are. Files are read while a generation is prepared, so
//! a bad one changes nothing; a renewed certificate comes in with the next generation.

mod certificate;
mod client;
mod error;
mod explain;
mod known;
mod pinned;
mod rules;
mod selfsigned;
mod server;
mod subject;
mod unverified;

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};

pub use certificate::Identity;
pub use client::{PlatformRoots, client_config, server_name};
pub use error::TlsError;
pub use explain::{HandshakePeer, explain, has_no_protocol, refuses_protocols};
pub use rules::{RuledConfig, ServerConfigs, server_configs};
pub use selfsigned::{SelfSigned, SelfSignedError, self_signed};
pub use server::{Tickets, server_config};
pub use subject::shown;

/// Something that was built, and what the operator should know about it.
#[derive(Clone, Debug)]
pub struct Built<T> {
    /// It.
    pub value: T,
    /// Things that work but deserve a warning, one sentence each.
    pub warnings: Vec<String>,
}

/// The cryptography of every configuration here. Named at each use, because a process default can be set by anybody.
///
/// The hybrid post-quantum group comes first: recorded traffic stays secret even when elliptic curves fall.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let made = PROVIDER.get_or_init(|| {
        let kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
        Arc::new(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() })
    });
    Arc::clone(made)
}

#[cfg(test)]
mod tests;
