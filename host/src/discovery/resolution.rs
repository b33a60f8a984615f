//! What a lookup comes to.

use std::time::Duration;

use hickory_resolver::net::NetError;

use super::name::FoundAddress;

/// One lookup, with all its questions.
pub(super) const LONGEST_LOOKUP: Duration = Duration::from_secs(10);

/// What a name has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolution {
    /// At least one.
    pub(super) found: Vec<FoundAddress>,
    /// How long it holds.
    pub(super) ttl: Duration,
}

/// No address was had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LookupError {
    /// No name server responded in time.
    #[error("no answer within {LONGEST_LOOKUP:?}")]
    TimedOut,
    /// A response with nothing in it.
    #[error("it has no address")]
    Nothing,
    /// What the resolver says.
    #[error("{0}")]
    Resolver(String),
}

impl From<NetError> for LookupError {
    fn from(error: NetError) -> Self {
        Self::Resolver(error.to_string())
    }
}
