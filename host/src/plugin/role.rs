//! What a role is to whoever reads, counts or shows plugins: its name, and what a plugin exports to fill it.
//!
//! The roles themselves are files in `roles/`; nothing here names one.

use std::collections::BTreeSet;
use std::fmt;

use super::contract::{DESCRIBE, Interface};

/// Name of what a plugin may decide, as in the contract, logs and metrics: `balancer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(&'static str);

impl RoleName {
    pub(super) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// What a plugin exports to fill a role.
#[derive(Debug)]
pub(super) struct RoleContract {
    pub(super) name: RoleName,
    /// Each makes a plugin one of the role, and a plugin has one of them; the first has the name of the role.
    pub(super) filled_by: &'static [Interface],
    /// For a plugin of the role to have or not.
    pub(super) optional: &'static [Interface],
}

/// All roles that the gateway knows.
pub(super) type RoleContracts = [&'static RoleContract];

/// Every interface that a plugin may export, once, however many roles it stands beside.
pub(super) fn exportable(roles: &RoleContracts) -> impl Iterator<Item = &Interface> {
    let mut known = BTreeSet::new();
    let all = roles.iter().flat_map(|role| role.filled_by.iter().chain(role.optional)).chain([&DESCRIBE]);
    all.filter(move |interface| known.insert(interface.name))
}

/// The interfaces by which roles are filled.
pub(super) fn filling(roles: &RoleContracts) -> impl Iterator<Item = &'static Interface> {
    roles.iter().flat_map(|role| role.filled_by)
}

/// The functions by which a bare module shows what it decides: those of [`filling`] that are theirs alone.
pub(super) fn own_functions(roles: &RoleContracts) -> impl Iterator<Item = &'static str> {
    filling(roles).filter_map(Interface::own)
}
