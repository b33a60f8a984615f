//! How a plugin can fail, typed, so that each kind is counted and answered on its own.

/// What went wrong inside a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// It ran past its deadline and was interrupted.
    Deadline,
    /// It trapped: unreachable, out of bounds, division by zero, a panic.
    Trap,
    /// It asked for more memory or table than it is allowed.
    Memory,
    /// It answered something the contract does not permit.
    Answer,
    /// No instance could be made, or the plugin is put aside after repeated faults.
    Unavailable,
}

impl FaultKind {
    /// Label in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Trap => "trap",
            Self::Memory => "memory",
            Self::Answer => "answer",
            Self::Unavailable => "unavailable",
        }
    }
}

/// One failed call of a plugin. Already counted and logged by whoever raised it; the caller only decides what now.
#[derive(Clone, Debug, thiserror::Error)]
#[error("plugin {plugin}: {kind}: {detail}", kind = kind.as_str())]
pub struct Fault {
    /// Name of the plugin, as configured.
    pub plugin: std::sync::Arc<str>,
    /// What went wrong.
    pub kind: FaultKind,
    /// The sentence for the log: what was expected, what was found, the plugin's own backtrace if it trapped.
    pub detail: String,
}
