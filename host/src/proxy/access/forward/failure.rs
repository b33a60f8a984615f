//! Why a server did not say who a client is.

use std::time::Duration;

use super::super::super::snapshot::NoSuchEndpoint;
use crate::cluster::SelectError;
use crate::upstream::{Broken, ExchangeCause, ExchangeError};

/// Most bytes of a response that go to a client: a page that says why, or where to log in. What sends clients elsewhere has
/// some hundred.
pub(super) const MOST_BYTES: usize = 64 << 10;

/// No answer, or none that says anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuthFailure {
    /// A fault of the gateway's own: the configuration is checked.
    #[error("the cluster does not exist")]
    NoSuchCluster,
    /// None of its endpoints may be asked.
    #[error("{0}")]
    NoEndpoint(#[from] SelectError),
    /// A fault of the gateway's own: choices are checked.
    #[error(transparent)]
    NoSuchEndpoint(#[from] NoSuchEndpoint),
    /// There was no response.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// Not all of the response came within this time.
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    /// The response broke off.
    #[error("{0}")]
    Broken(Broken),
    /// The response was longer than is passed on.
    #[error("its answer is longer than {} KiB", MOST_BYTES >> 10)]
    TooLong,
    /// It switched protocols, which it was not asked for.
    #[error("it switched protocols unasked")]
    Switched,
}

impl AuthFailure {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NoSuchCluster | Self::NoSuchEndpoint(_) => "this is a fault of the gateway: report it",
            Self::NoEndpoint(_) => {
                "is any endpoint of the cluster in use and healthy? its status is on the admin server"
            }
            Self::TimedOut(_) => "raise `timeout` in `forward_auth` of the route if it may take so long",
            Self::Broken(broken) => broken.remedy(),
            Self::TooLong => "let it answer with less, or send clients to its page with a redirect",
            Self::Switched => "mend it at the endpoint: nobody asked for a switch of protocols",
            Self::Exchange(error) => match &error.cause {
                ExchangeCause::Broken(broken) => broken.remedy(),
                ExchangeCause::Unreadable(unreadable) => unreadable.remedy(),
                ExchangeCause::Unsendable(unsendable) => unsendable.remedy(),
                ExchangeCause::TimedOut(_) => "raise `timeout` in `forward_auth` of the route if it may take so long",
                _ => "is it running, and is its address in the cluster right?",
            },
        }
    }
}
