//! Plugins as the gateway sees them: the traits of `policy`, with everything that a plugin returns checked as if
//! hostile.
//!
//! A role is one file here, one entry of [`ROLES`] and one of [`RoleKind`], which has the compiler ask for what the
//! workbench does with each. Everything else walks that list: what a component is by its
//! exports, what the short names of a bare module mean, what is counted and shown, and what `plugin check` tries.

mod balancer;
mod balancing;
mod choosing;
mod decision;
mod fuzzing;
mod header_edits;
mod per_worker;
mod previewing;
mod rewriter;
mod route_cache;
mod router;
mod spec;
mod trial_inputs;
mod trial_picks;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use fuzzing::try_answers;

use super::artifact::Artifact;
use super::contract::{DESCRIBE, Interface};
use super::error::LoadError;
use super::role::{RoleContract, RoleName, exportable, filling};
pub use decision::RouterPlace;
pub use spec::RoleKind;
use spec::RoleSpec;
pub use trial_inputs::{MADE_UP_CLUSTER, TrialInputs};

/// Every role that there is.
static ROLES: [&RoleSpec; 3] = [&balancer::ROLE, &router::ROLE, &rewriter::ROLE];

/// What plugins export to fill the roles.
pub(super) fn contracts() -> Vec<&'static RoleContract> {
    ROLES.iter().map(|role| &role.contract).collect()
}

/// Every role that a plugin can have.
#[must_use]
pub fn role_names() -> Vec<RoleName> {
    ROLES.iter().map(|role| role.contract.name).collect()
}

/// Which of the roles `name` is; none for one that is not of the gateway's own.
#[must_use]
pub fn role_kind(name: RoleName) -> Option<RoleKind> {
    ROLES.iter().find(|role| role.contract.name == name).map(|role| role.kind)
}

/// An interface of the contract that a plugin may export.
#[derive(Clone, Copy, Debug)]
pub struct ContractInterface {
    /// `balancer`, `feedback`.
    pub name: &'static str,
    /// Its functions.
    pub functions: &'static [&'static str],
    /// Whether it makes a plugin one of a role.
    pub fills_role: bool,
}

/// Every interface that a plugin may export: of each role its own first.
#[must_use]
pub fn contract_interfaces() -> Vec<ContractInterface> {
    let contracts = contracts();
    let fills_role = |name| filling(&contracts).any(|interface| interface.name == name);
    let all = exportable(&contracts);
    all.map(|&Interface { name, functions }| ContractInterface { name, functions, fills_role: fills_role(name) })
        .collect()
}

impl Artifact {
    /// Interfaces that it could export beside its roles, and does not.
    #[must_use]
    pub fn without(&self) -> Vec<&'static str> {
        let mine = ROLES.iter().map(|role| &role.contract).filter(|contract| self.roles().contains(&contract.name));
        let mut exported: BTreeSet<_> = self.compiled.interface.exported().collect();
        mine.flat_map(|contract| contract.optional)
            .chain([&DESCRIBE])
            .map(|interface| interface.name)
            .filter(|name| exported.insert(name))
            .collect()
    }

    /// Configures the plugin in one of its roles and tries it out, without serving anything. Returns what was done, for
    /// people.
    ///
    /// # Errors
    /// If the plugin has no such role, refuses its configuration, or fails the self-test.
    pub fn try_out(self: &Arc<Self>, role: RoleName, inputs: &TrialInputs) -> Result<String, LoadError> {
        let spec = ROLES.iter().find(|spec| spec.contract.name == role);
        self.note(match spec {
            Some(spec) => (spec.try_out)(self, inputs),
            None => Err(self.lacks(role)),
        })
    }
}
