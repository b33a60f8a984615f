//! What goes wrong with a request, and what it comes to: one table of statuses, sentences and words of the access log.

use std::borrow::Cow;
use std::time::Duration;

use ::http::{HeaderValue, Response, StatusCode, header};

use super::access::{Denied, LoginFault};
use super::head::Withheld;
use super::misdirected::Misdirected;
use super::snapshot::NoSuchEndpoint;
use super::tls_redirect::NowhereToSend;
use crate::cluster::SelectError;
use crate::http::{LastOfConnection, ResponseBody, TargetError, Violation, reply};
use crate::policy::{Fault, FaultKind};
use crate::telemetry::AccessEnding;
use crate::tunnel::End;
use crate::upstream::{ConnectError, ConnectFault, ExchangeCause, ExchangeError, Unsendable};

/// After which a client may try to log in again: a few passwords have been tried by then.
const LOGIN_AGAIN: Duration = Duration::from_secs(5);

/// Why a request gets a response of the gateway's own.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestFailure {
    /// Its bytes are no request that is served.
    #[error("{}", .0.explain())]
    Violation(Violation),
    /// Its target is none that is served.
    #[error(transparent)]
    Target(TargetError),
    /// It came by the wrong handshake.
    #[error("another handshake is needed: {0:?}")]
    Misdirected(Misdirected),
    /// The number of hops that it may go on for cannot be read.
    #[error("Max-Forwards is not one number")]
    MaxForwards,
    /// Its client would have to be sent to TLS, and it does not say where.
    #[error("its client is to be sent to TLS, and there is nowhere to: {0:?}")]
    NoTls(NowhereToSend),
    /// No route leads there.
    #[error("no route leads there")]
    Unmatched,
    /// The router failed.
    #[error(transparent)]
    Router(Fault),
    /// The router decided for a cluster that does not exist. A fault of the gateway's own: decisions are checked.
    #[error("the cluster that was decided for does not exist")]
    NoSuchCluster,
    /// It has come through this gateway too often.
    #[error("its route leads back to this gateway")]
    Loop,
    /// Its route lets others in.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Its route asks for a name and a password.
    #[error(transparent)]
    Login(#[from] LoginFault),
    /// Its route asks who its client is, and got no answer.
    #[error("it was not found out whether its route lets its client in")]
    Unchecked,
    /// No endpoint may take it.
    #[error("no endpoint: {0}")]
    NoEndpoint(#[from] SelectError),
    /// The endpoint that was chosen does not exist.
    #[error(transparent)]
    NoSuchEndpoint(#[from] NoSuchEndpoint),
    /// What the router asked to send is no request target.
    #[error("the routed path is no request target")]
    RoutedPath,
    /// This became of the last endpoint that was tried.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The endpoint switched to a protocol that it was not asked for.
    #[error("{0}")]
    Switch(String),
    /// The request is one to switch protocols, and its route does not let it.
    #[error("the route does not let protocols be switched to this one")]
    NoSwitch,
    /// The request is one to switch protocols, and the endpoint responded as to any other.
    #[error("the endpoint did not switch protocols")]
    NotSwitched,
    /// The response must not go out.
    #[error(transparent)]
    Withheld(#[from] Withheld),
}

/// What a failure comes to.
struct FailureRow {
    status: StatusCode,
    sentence: Cow<'static, str>,
    ending: Option<AccessEnding>,
}

impl RequestFailure {
    /// The table.
    fn row(&self) -> FailureRow {
        use AccessEnding as Ending;
        use StatusCode as Status;
        let unroutable = "the request could not be routed";
        let (status, sentence, ending) = match self {
            Self::Violation(violation) => (violation.status(), violation.explain(), Some(Ending::Refused)),
            Self::Target(error) => {
                let sentence = error.to_string().into();
                return FailureRow { status: error.status(), sentence, ending: Some(Ending::Refused) };
            }
            Self::Misdirected(Misdirected::Name) => {
                let sentence = "this name asks for other client certificates: open a connection of its own for it";
                (Status::MISDIRECTED_REQUEST, sentence, Some(Ending::Misdirected))
            }
            Self::Misdirected(Misdirected::Outdated) => {
                let sentence = "this name asks for another client certificate by now: open another connection";
                (Status::MISDIRECTED_REQUEST, sentence, Some(Ending::Misdirected))
            }
            Self::MaxForwards => (Status::BAD_REQUEST, "Max-Forwards is not one number", None),
            Self::NoTls(NowhereToSend::NoHost) => {
                (Status::BAD_REQUEST, "a request here has to name its Host, which is to be had over TLS", None)
            }
            Self::NoTls(NowhereToSend::NoValue) => (Status::BAD_REQUEST, "this is to be had over TLS", None),
            Self::Unmatched => (Status::NOT_FOUND, "no route leads there", None),
            Self::Router(fault) => (Status::SERVICE_UNAVAILABLE, unroutable, Some(ending_of_plugin(fault.kind))),
            Self::NoSuchCluster => (Status::SERVICE_UNAVAILABLE, unroutable, None),
            Self::Loop => {
                let sentence = "the request has come through this gateway too often: its route leads back here";
                (Status::LOOP_DETECTED, sentence, Some(Ending::Loop))
            }
            Self::Denied(denied) => (Status::FORBIDDEN, denied.sentence(), Some(denied.ending())),
            Self::Login(fault) => {
                let status =
                    if fault.challenge().is_some() { Status::UNAUTHORIZED } else { Status::SERVICE_UNAVAILABLE };
                (status, fault.sentence(), Some(fault.ending()))
            }
            Self::Unchecked => {
                let sentence = "it cannot be found out now who may use this: ask again later";
                (Status::SERVICE_UNAVAILABLE, sentence, Some(Ending::AuthUnavailable))
            }
            Self::NoEndpoint(SelectError::Refused(refusal)) if refusal.status() == Status::TOO_MANY_REQUESTS => {
                (Status::TOO_MANY_REQUESTS, "this is more than is taken now: ask again later", Some(Ending::NoEndpoint))
            }
            Self::NoEndpoint(_) => {
                (Status::SERVICE_UNAVAILABLE, "no endpoint can take this request now", Some(Ending::NoEndpoint))
            }
            Self::NoSuchEndpoint(_) => (Status::SERVICE_UNAVAILABLE, unroutable, Some(Ending::NoSuchEndpoint)),
            Self::RoutedPath => (Status::SERVICE_UNAVAILABLE, unroutable, Some(Ending::PluginAnswer)),
            Self::Exchange(error) => return FailureRow::of_exchange(&error.cause),
            Self::Switch(_) => {
                let sentence = "the endpoint switched to a protocol nobody asked for";
                (Status::BAD_GATEWAY, sentence, Some(Ending::SwitchRefused))
            }
            // The status that RFC 9220 §3 has for a protocol which is not known.
            Self::NoSwitch => {
                (Status::NOT_IMPLEMENTED, "this route does not switch to that protocol", Some(Ending::SwitchRefused))
            }
            Self::NotSwitched => {
                (Status::BAD_GATEWAY, "the endpoint did not switch protocols", Some(Ending::SwitchRefused))
            }
            Self::Withheld(Withheld::Fault(fault)) => {
                let ending = ending_of_plugin(fault.kind);
                (Status::SERVICE_UNAVAILABLE, "the response could not be mapped back", Some(ending))
            }
            Self::Withheld(Withheld::TooMuch { .. }) => {
                let sentence = "the endpoint sent more fields than can be mapped back";
                (Status::BAD_GATEWAY, sentence, Some(Ending::TooMuch))
            }
        };
        FailureRow { status, sentence: sentence.into(), ending }
    }

    /// Whether what follows on the connection cannot be trusted, or would fail as well: it ends with the response.
    fn ends_connection(&self) -> bool {
        matches!(self, Self::Violation(_) | Self::Target(_) | Self::Misdirected(Misdirected::Outdated))
    }

    /// The response that the client gets.
    pub(super) fn response(&self) -> Response<ResponseBody> {
        let FailureRow { status, sentence, .. } = self.row();
        let sentence_of = if self.ends_connection() { reply::last_sentence } else { reply::sentence };
        let mut response = sentence_of(status, &sentence);
        if let Self::NoEndpoint(SelectError::Refused(refusal)) = self
            && let Some(after) = refusal.after()
        {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        if let Self::Login(fault) = self {
            let headers = response.headers_mut();
            match fault.challenge() {
                Some(challenge) => headers.insert(header::WWW_AUTHENTICATE, challenge.clone()),
                None => headers.insert(header::RETRY_AFTER, HeaderValue::from(LOGIN_AGAIN.as_secs())),
            };
        }
        if matches!(self, Self::Misdirected(Misdirected::Outdated)) {
            response.extensions_mut().insert(LastOfConnection);
        }
        response
    }

    /// Whether its client sent nothing for too long.
    pub(super) fn is_stalled(&self) -> bool {
        matches!(self, Self::Exchange(ExchangeError { cause: ExchangeCause::BodyStalled, .. }))
    }

    /// The sentence of that response.
    pub(super) fn sentence(&self) -> Cow<'static, str> {
        self.row().sentence
    }

    /// How it ends the request; none where that has a response as any other.
    pub(super) fn ending(&self) -> Option<AccessEnding> {
        self.row().ending
    }
}

impl FailureRow {
    /// The rows of what became of an endpoint.
    fn of_exchange(cause: &ExchangeCause) -> Self {
        use AccessEnding as Ending;
        use StatusCode as Status;
        let (status, sentence, ending) = match cause {
            ExchangeCause::Connect(ConnectError { fault: ConnectFault::TimedOut(_), .. }) => {
                (Status::GATEWAY_TIMEOUT, "no endpoint could be reached in time", Ending::Unreachable)
            }
            ExchangeCause::Connect(_) => {
                (Status::SERVICE_UNAVAILABLE, "no endpoint could be reached", Ending::Unreachable)
            }
            ExchangeCause::Refused => {
                (Status::SERVICE_UNAVAILABLE, "the endpoint took no more requests", Ending::Unreachable)
            }
            ExchangeCause::Unsendable(Unsendable::Websocket | Unsendable::WebsocketEitherWay(_)) => {
                (Status::BAD_GATEWAY, "the endpoint takes no websockets", Ending::SwitchRefused)
            }
            ExchangeCause::Unsendable(Unsendable::Http1Required) => {
                (Status::BAD_GATEWAY, "the endpoint takes this request over HTTP/1.1 alone", Ending::Unreadable)
            }
            ExchangeCause::Unsendable(Unsendable::Streams) => {
                (Status::SERVICE_UNAVAILABLE, "the endpoint takes no requests now", Ending::Unreachable)
            }
            ExchangeCause::Unsendable(Unsendable::Head(_)) => {
                (Status::BAD_REQUEST, "the endpoint cannot be asked for such a host or path", Ending::Refused)
            }
            ExchangeCause::Broken(_) => {
                (Status::BAD_GATEWAY, "the endpoint broke off before it answered", Ending::EndpointGone)
            }
            ExchangeCause::Unreadable(_) => {
                (Status::BAD_GATEWAY, "the endpoint's answer could not be read", Ending::Unreadable)
            }
            ExchangeCause::TimedOut(_) => {
                (Status::GATEWAY_TIMEOUT, "the endpoint did not answer in time", Ending::TimedOut)
            }
            ExchangeCause::BodyStalled => {
                (Status::REQUEST_TIMEOUT, "the request body did not come in time", Ending::ClientStalled)
            }
            ExchangeCause::BodyBroken(_) => {
                (Status::BAD_REQUEST, "the request body was broken off", Ending::ClientGone)
            }
        };
        Self { status, sentence: sentence.into(), ending: Some(ending) }
    }
}

/// How a plugin's fault ends the request that it was called for.
fn ending_of_plugin(kind: FaultKind) -> AccessEnding {
    match kind {
        FaultKind::Deadline => AccessEnding::PluginDeadline,
        FaultKind::Trap => AccessEnding::PluginTrap,
        FaultKind::Memory => AccessEnding::PluginMemory,
        FaultKind::Answer => AccessEnding::PluginAnswer,
        FaultKind::Unavailable => AccessEnding::PluginUnavailable,
    }
}

/// How a tunnel's end is written down.
pub(super) fn ending_of_tunnel(end: End) -> AccessEnding {
    match end {
        End::Complete => AccessEnding::Complete,
        End::ClientGone => AccessEnding::ClientGone,
        End::EndpointGone => AccessEnding::EndpointGone,
        End::Idle => AccessEnding::Idle,
        End::ClientSilent => AccessEnding::ClientSilent,
        End::EndpointSilent => AccessEnding::EndpointSilent,
        End::Drained => AccessEnding::Drained,
        End::Cut => AccessEnding::Cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::EndpointId;

    #[test]
    fn a_choice_that_does_not_exist_is_reported_as_that() {
        let failure = RequestFailure::from(NoSuchEndpoint(EndpointId(3)));

        assert_eq!(failure.to_string(), "the cluster has no endpoint with the id 3");
        let FailureRow { status, ending, .. } = failure.row();
        assert_eq!((status, ending), (StatusCode::SERVICE_UNAVAILABLE, Some(AccessEnding::NoSuchEndpoint)));
    }

    #[test]
    fn only_what_cannot_be_read_ends_the_connection() {
        for (failure, ends) in [
            (RequestFailure::Violation(Violation::Head), true),
            (RequestFailure::Target(TargetError::HostMissing), true),
            (RequestFailure::Misdirected(Misdirected::Outdated), true),
            (RequestFailure::Misdirected(Misdirected::Name), false),
            (RequestFailure::Unmatched, false),
            (RequestFailure::MaxForwards, false),
        ] {
            assert_eq!(failure.ends_connection(), ends, "{failure}");
        }
    }
}
