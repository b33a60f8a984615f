//! What a role brings with it.

use std::sync::Arc;

use super::super::artifact::Artifact;
use super::super::error::LoadErrorKind;
use super::super::role::RoleContract;
use super::trial_inputs::TrialInputs;

/// The roles, for whoever does something of its own with each: a new one does not compile until that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// Which endpoint gets the next one.
    Balancer,
    /// Which cluster and which path.
    Router,
    /// What goes back to the client.
    Rewriter,
}

/// All that a role brings with it, beside its own constructor of `Artifact`.
pub(super) struct RoleSpec {
    pub(super) contract: RoleContract,
    pub(super) kind: RoleKind,
    /// Configures the plugin in this role and tries it out, without serving anything. Returns what was done, for
    /// people.
    pub(super) try_out: fn(&Arc<Artifact>, &TrialInputs) -> Result<String, LoadErrorKind>,
}
