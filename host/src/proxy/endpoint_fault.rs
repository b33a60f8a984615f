//! What an endpoint did wrong, told to the operator at once: why a client got a 502 or 504, and what to do about it.

use std::fmt::Display;

use super::attempt::AttemptError;
use super::record::Record;
use crate::http::ResponseBodyError;
use crate::telemetry::limited;

/// A fault of the endpoint that has a request.
pub(super) struct EndpointFault<'a> {
    /// One word: each kind is told by itself.
    kind: &'static str,
    what: &'a dyn Display,
    remedy: &'static str,
}

impl<'a> EndpointFault<'a> {
    /// Why an attempt did not lead to an answer; none if it was not the endpoint's doing, or is told elsewhere.
    pub(super) fn of_attempt(error: &'a AttemptError) -> Option<Self> {
        let (kind, remedy) = match error {
            AttemptError::Broken(broken) => (broken.kind(), broken.remedy()),
            AttemptError::Unreadable(unreadable) => (unreadable.kind(), unreadable.remedy()),
            AttemptError::TimedOut(_) => {
                ("timed-out", "raise `response` in the `timeouts` of route or cluster if it may take so long")
            }
            AttemptError::Select(_)
            | AttemptError::Connect(_)
            | AttemptError::ClientGone
            | AttemptError::ClientStalled
            | AttemptError::Target
            | AttemptError::NoSuchEndpoint(_) => return None,
        };
        Some(Self { kind, what: error, remedy })
    }

    /// How an answer that was on its way broke off.
    pub(super) fn of_body(broken: &'a ResponseBodyError) -> Self {
        Self { kind: broken.kind, what: broken, remedy: broken.remedy }
    }

    /// A switch to another protocol that nobody asked for.
    pub(super) fn of_switch(wrong: &'a impl Display) -> Self {
        let remedy = "mend it at the endpoint: a 101 answers an Upgrade that names its protocol (RFC 9110 §7.8)";
        Self { kind: "switch", what: wrong, remedy }
    }

    /// Writes the line: one a second for each endpoint and kind.
    pub(super) fn tell(&self, record: &Record) {
        let Self { kind, what, remedy } = self;
        let (endpoint, (route, cluster)) = (record.endpoint(), record.way());
        limited!(warn, of: (endpoint, kind), endpoint, route, cluster, fault = kind, why = %what, remedy, "endpoint failed a request");
    }
}
