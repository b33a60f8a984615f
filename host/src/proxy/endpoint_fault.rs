//! What an endpoint did wrong, logged at once: why a client got a 502 or 504, and what to do about it.

use std::fmt::Display;

use super::record::RequestRecord;
use crate::http::ResponseBodyError;
use crate::telemetry::limited;
use crate::upstream::ExchangeCause;

/// A fault of the endpoint that has a request.
pub(super) struct EndpointFault<'a> {
    /// One word: each kind is logged by itself.
    kind: &'static str,
    what: &'a dyn Display,
    remedy: &'static str,
}

impl<'a> EndpointFault<'a> {
    /// Why an exchange did not lead to a response; none if it was not the endpoint's doing, or is logged elsewhere.
    pub(super) fn of_exchange(cause: &'a ExchangeCause) -> Option<Self> {
        let (kind, remedy) = match cause {
            ExchangeCause::Broken(broken) => (broken.kind(), broken.remedy()),
            ExchangeCause::Unreadable(unreadable) => (unreadable.kind(), unreadable.remedy()),
            ExchangeCause::TimedOut(_) => {
                ("timed-out", "raise `response` in the `timeouts` of route or cluster if it may take so long")
            }
            ExchangeCause::Unsendable(what) => ("unsendable", what.remedy()),
            ExchangeCause::Refused => ("refused", "raise its limit of streams or requests, if it was not about to end"),
            ExchangeCause::Connect(_) | ExchangeCause::BodyStalled | ExchangeCause::BodyBroken(_) => return None,
        };
        Some(Self { kind, what: cause, remedy })
    }

    /// How a response that was on its way broke off.
    pub(super) fn of_body(broken: &'a ResponseBodyError) -> Self {
        Self { kind: broken.kind, what: broken, remedy: broken.remedy }
    }

    /// A switch to another protocol that the client did not ask for.
    pub(super) fn of_switch(wrong: &'a impl Display) -> Self {
        let remedy = "mend it at the endpoint: a 101 answers an Upgrade that names its protocol (RFC 9110 §7.8)";
        Self { kind: "switch", what: wrong, remedy }
    }

    /// Writes the line: one a second for each endpoint and kind.
    pub(super) fn log(&self, endpoint: Option<&str>, record: &RequestRecord) {
        let Self { kind, what, remedy } = self;
        let (route, cluster) = record.route_and_cluster();
        limited!(
            warn, of: (endpoint, kind), endpoint, route, cluster, fault = kind, why = %what, remedy,
            "endpoint failed a request"
        );
    }
}
