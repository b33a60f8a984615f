//! Why a configuration cannot go live.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnose::FileFaults;
use crate::files::ReadError;
use crate::net;
use crate::plugin::LoadError;
use crate::proxy::PasswordFileFault;
use crate::tls::TlsError;

/// Why a configuration cannot go live.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A plugin was refused.
    #[error("{0}")]
    Plugin(#[from] LoadError),
    /// A plugin is refused, or refuses its configuration, for which there is a place in the file.
    #[error("{faults}")]
    PluginConfig {
        /// Its name.
        plugin: Arc<str>,
        /// What is wrong with it, or what it objects to.
        faults: FileFaults,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// A file of passwords cannot be used.
    #[error("{}:{fault}", path.display())]
    Passwords {
        /// Which.
        path: PathBuf,
        /// Its line, and what is wrong with it.
        #[source]
        fault: PasswordFileFault,
    },
    /// A certificate, key or CA file cannot be used.
    #[error("{context}: {}", whole(source))]
    Tls {
        /// Whose: `listener 0.0.0.0:443`, `cluster chat`.
        context: String,
        /// What is wrong with it.
        #[source]
        source: TlsError,
    },
    /// A listener's address cannot be bound.
    #[error("cannot listen on {address}: {source}{}", net::bind_hint(source, "-ltnp"))]
    Bind {
        /// Which.
        address: SocketAddr,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
}

impl PrepareError {
    /// What to do about it, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tls { source, .. } => source.hint(),
            Self::Passwords { fault, .. } => Some(fault.hint()),
            _ => None,
        }
    }

    /// The plugin that is refused, if one is.
    pub(super) fn plugin(&self) -> Option<&str> {
        match self {
            Self::Plugin(error) => Some(&error.plugin),
            Self::PluginConfig { plugin, .. } => Some(plugin),
            _ => None,
        }
    }

    /// The address of a listener, if it is at fault because another process listens there.
    pub(super) fn address_in_use(&self) -> Option<SocketAddr> {
        match self {
            Self::Bind { address, source } if source.kind() == std::io::ErrorKind::AddrInUse => Some(*address),
            _ => None,
        }
    }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
