//! How a plugin can fail, typed, so that each kind is counted and handled on its own.

/// What went wrong inside a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The plugin ran past its deadline and was interrupted.
    Deadline,
    /// The plugin trapped: unreachable, out of bounds, division by zero, a panic.
    Trap,
    /// The plugin asked for more memory or table than it is allowed.
    Memory,
    /// The plugin returned something that the contract does not permit.
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

/// One failed call of a plugin. What raised it has counted and logged it; the caller decides what happens now.
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
