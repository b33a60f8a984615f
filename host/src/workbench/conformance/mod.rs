//! The tests of the contract: made-up inputs of every kind that a gateway may hand to a plugin, on real instances.
//!
//! A test fails where the plugin does what the contract does not permit, or what no operator can want. What a plugin may
//! rightly do – refuse a cluster, choose by chance – makes a test not applicable, with the reason.

mod balancer;
mod cluster;
mod growth;
mod leftovers;
mod rewriter;
mod router;
mod state;
mod subject;

use serde::Serialize;

use super::json;
use super::made_up::ConfiguredPlugin;
use crate::plugin::{PluginFile, RoleKind, RoleName, Runtime, role_kind};

pub use subject::ConformanceBounds;
use subject::{EndedEarly, Subject};

/// What came of all tests.
#[derive(Clone, Debug, Serialize)]
pub struct ConformanceReport {
    /// In the order in which they were made.
    pub tests: Vec<ConformanceTest>,
}

impl ConformanceReport {
    /// Tests that have failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.tests.iter().filter(|test| matches!(test.verdict, Verdict::Failed { .. })).count()
    }
}

/// One test.
#[derive(Clone, Debug, Serialize)]
pub struct ConformanceTest {
    /// The role that was tested.
    #[serde(serialize_with = "json::role_name")]
    pub role: RoleName,
    /// What the plugin had to cope with.
    pub name: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// All that the plugin returned is within the contract.
    Passed,
    /// Something was not.
    Failed {
        /// What was given, and what was returned.
        why: String,
    },
    /// The plugin need not cope with it.
    NotApplicable {
        /// Why not.
        why: String,
    },
}

/// Runs the tests of `roles`, each of which the plugin has.
pub(super) fn run(
    runtime: &Runtime,
    file: &PluginFile<'_>,
    plugin: &ConfiguredPlugin,
    roles: &[RoleName],
    bounds: &ConformanceBounds,
) -> ConformanceReport {
    let mut tests = Vec::new();
    for role in roles {
        let subject = Subject { runtime, file, plugin, role: *role, bounds };
        let of_role = match role_kind(*role) {
            Some(RoleKind::Balancer) => balancer::TESTS,
            Some(RoleKind::Router) => router::TESTS,
            Some(RoleKind::Rewriter) => rewriter::TESTS,
            None => &[],
        };
        for (name, test) in of_role {
            let verdict = match test(&subject) {
                Ok(()) => Verdict::Passed,
                Err(EndedEarly::Failed(why)) => Verdict::Failed { why },
                Err(EndedEarly::NotApplicable(why)) => Verdict::NotApplicable { why },
            };
            tests.push(ConformanceTest { role: *role, name, verdict });
        }
    }
    ConformanceReport { tests }
}

#[cfg(test)]
mod tests;
