//! What outlives every generation.

use std::sync::Arc;

use crate::cluster::Registry;
use crate::http::Pseudonym;
use crate::lifecycle::{Drain, Workers};
use crate::plugin::Runtime;
use crate::policy::DecisionObserver;
use crate::proxy::{Observers, PasswordChecks};
use crate::tls;

/// Set up once, when the process starts.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) workers: Workers,
    pub(super) drain: Drain,
    pub(super) registry: Arc<Registry>,
    pub(super) runtime: Arc<Runtime>,
    pub(super) tickets: tls::Tickets,
    pub(super) observers: Observers,
    pub(super) pseudonym: Pseudonym,
    /// Knows logins over reloads.
    pub(super) password_checks: Arc<PasswordChecks>,
    /// Is shown what plugins decide, if anybody wants to see it.
    pub(super) decisions: Option<Arc<dyn DecisionObserver>>,
}
