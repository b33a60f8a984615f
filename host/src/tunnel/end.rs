//! How tunnels end.

/// Why a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Both sides had said all.
    Complete,
    /// The client broke off.
    ClientGone,
    /// The endpoint broke off.
    EndpointGone,
    /// Nothing came either way for the idle limit.
    Idle,
    /// The client did not answer a ping of the gateway's.
    ClientSilent,
    /// The endpoint did not.
    EndpointSilent,
    /// The gateway drains.
    Drained,
    /// The drain deadline passed.
    Cut,
}

impl End {
    /// Word for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientGone => "client-gone",
            Self::EndpointGone => "endpoint-gone",
            Self::Idle => "idle",
            Self::ClientSilent => "client-silent",
            Self::EndpointSilent => "endpoint-silent",
            Self::Drained => "drained",
            Self::Cut => "cut",
        }
    }
}
