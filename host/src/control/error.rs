//! Why nothing was changed or taken.

use serde::Serialize;

/// Nothing has changed, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no generation before the live one.
    #[error("no earlier generation to return to")]
    NoEarlier,
    /// What the call is about is not there.
    #[error("{error}")]
    Unknown {
        /// What is missing.
        error: String,
        /// What there is.
        known: Vec<String>,
    },
    /// It cannot be done in the state that things are in.
    #[error("{error}")]
    Conflict {
        /// Why.
        error: String,
        /// What to do.
        hint: Option<&'static str>,
    },
    /// The system did not let it be done.
    #[error("{0}")]
    Failed(String),
    /// What would have to be mended; at least one.
    #[error("refused, nothing has changed")]
    Faults(Vec<FaultView>),
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultView {
    /// Where and what.
    pub message: String,
    /// The remedy, if one is known.
    pub hint: Option<String>,
}

/// Why no signal was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// No such cluster.
    #[error("no such cluster")]
    NoCluster,
    /// The cluster has no such endpoint.
    #[error("the cluster has no such endpoint")]
    NoEndpoint,
    /// A signal that cannot be taken.
    #[error("signal {signal:?}: {why}")]
    Signal {
        /// Its name.
        signal: String,
        /// Why not.
        why: String,
    },
}
