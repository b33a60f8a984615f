//! Why requests and tunnels end.

/// Why a request ended, where that was not with a response of its own; or a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessEnding {
    /// The request is none that is served.
    Refused,
    /// The request came by the handshake of a name with other rules about client certificates.
    Misdirected,
    /// The request came through this gateway too often.
    Loop,
    /// The route does not let clients of this address in.
    ClientDenied,
    /// The route does not let pages of this origin switch protocols.
    OriginDenied,
    /// The route asks for name and password, and the request has none.
    LoginMissing,
    /// The route lets nobody of this name and password in.
    LoginWrong,
    /// Too many logins were under way to try this one.
    LoginTooMany,
    /// Whom the route asks who its clients are does not let this one in.
    AuthDenied,
    /// Whom the route asks who its clients are gave no answer.
    AuthUnavailable,
    /// No endpoint could take the request.
    NoEndpoint,
    /// The balancer chose an endpoint that does not exist.
    NoSuchEndpoint,
    /// No endpoint could be reached.
    Unreachable,
    /// The endpoint broke off.
    EndpointGone,
    /// The endpoint's response could not be read.
    Unreadable,
    /// The endpoint did not respond in time.
    TimedOut,
    /// The endpoint switched to a protocol that it was not asked for.
    SwitchRefused,
    /// The endpoint sent more fields than the rewriter is shown.
    TooMuch,
    /// The client broke off.
    ClientGone,
    /// The client sent nothing of its body, or took nothing of the response, for too long.
    ClientStalled,
    /// A plugin ran past its deadline.
    PluginDeadline,
    /// A plugin trapped.
    PluginTrap,
    /// A plugin asked for more memory than it is allowed.
    PluginMemory,
    /// A plugin returned what its contract does not permit.
    PluginAnswer,
    /// A plugin could not be called.
    PluginUnavailable,
    /// Both sides of a tunnel had sent all.
    Complete,
    /// Nothing came through a tunnel for too long.
    Idle,
    /// The client of a tunnel did not answer a ping.
    ClientSilent,
    /// The endpoint of one did not.
    EndpointSilent,
    /// The gateway drained, and a tunnel was closed politely.
    Drained,
    /// The gateway's drain deadline passed.
    Cut,
}

impl AccessEnding {
    /// The word for it in a line. Operators search for these: they do not change.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Misdirected => "misdirected",
            Self::Loop => "loop",
            Self::ClientDenied => "client-denied",
            Self::OriginDenied => "origin-denied",
            Self::LoginMissing => "login-missing",
            Self::LoginWrong => "login-wrong",
            Self::LoginTooMany => "login-too-many",
            Self::AuthDenied => "auth-denied",
            Self::AuthUnavailable => "auth-unavailable",
            Self::NoEndpoint => "no-endpoint",
            Self::NoSuchEndpoint => "no-such-endpoint",
            Self::Unreachable => "unreachable",
            Self::EndpointGone => "endpoint-gone",
            Self::Unreadable => "unreadable",
            Self::TimedOut => "timed-out",
            Self::SwitchRefused => "switch-refused",
            Self::TooMuch => "too-much",
            Self::ClientGone => "client-gone",
            Self::ClientStalled => "client-stalled",
            Self::PluginDeadline => "deadline",
            Self::PluginTrap => "trap",
            Self::PluginMemory => "memory",
            Self::PluginAnswer => "answer",
            Self::PluginUnavailable => "unavailable",
            Self::Complete => "complete",
            Self::Idle => "idle",
            Self::ClientSilent => "client-silent",
            Self::EndpointSilent => "endpoint-silent",
            Self::Drained => "drained",
            Self::Cut => "cut",
        }
    }
}
