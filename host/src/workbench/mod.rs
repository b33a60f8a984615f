//! What can be done with a plugin without serving anything: try it as the gateway would, and put it to the tests of
//! the contract.
//!
//! ```text
//! file ─▶ check: load, configure, self-test, as `run` does ─┬─▶ what it is, what it costs, what it said
//!                                                           ╰─▶ conformance: made-up inputs for each role
//! ```

mod anatomy;
mod bench;
mod check;
mod conformance;
mod difference;
mod exports;
mod features;
mod file;
mod json;
mod made_up;
mod printed;
mod settings;
mod speed;
mod times;

pub use anatomy::{Anatomy, AnatomyError, FileKind, SectionBytes, inspect};
pub use bench::{BenchError, BenchOptions, BenchReport, BenchRow, CallCost, RoleBench, bench};
pub use check::{CheckError, CheckOptions, CheckReport, RoleTrial, check};
pub use conformance::{ConformanceBounds, ConformanceReport, ConformanceTest, Verdict};
pub use difference::{AnatomyChange, difference};
pub use exports::ContractExports;
pub use printed::PrintedLine;
pub use settings::{SettingsError, TrialSettings, TriedTable};
pub use speed::SlowestCall;
pub use times::CallTimes;

// What a plugin is tried with is said in these words.
pub use crate::plugin::{PluginLimits, RoleName, role_names};
