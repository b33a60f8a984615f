//! What an error of a stream means for the request that it carries.

use h2::Reason;

use super::super::unreadable::Unreadable;
use super::super::{Broken, ExchangeCause, ExchangeError, Unsendable};
use super::connection::StreamCount;
use crate::http::reset_word;

/// What ended a stream before its time.
#[derive(Debug)]
pub(super) enum StreamFault {
    /// The endpoint has not acted on the request and never will (RFC 9113 §8.7): it reset it with REFUSED_STREAM, or sent
    /// GOAWAY with the number of an earlier stream.
    Refused,
    /// It wants to be asked over HTTP/1.1 (RFC 9113 §7).
    Http1Required,
    /// What it sent breaks the rules of HTTP/2.
    Malformed(String),
    /// It broke off.
    Broken(Broken),
}

impl StreamFault {
    pub(super) fn of(error: h2::Error, streams: &StreamCount) -> Self {
        if let Some(why) = streams.given_up() {
            return Self::Broken(Broken::GivenUp(why));
        }
        match error.reason() {
            Some(Reason::HTTP_1_1_REQUIRED) if error.is_remote() => Self::Http1Required,
            // A stream sees the endpoint's GOAWAY as its own end only where its number is above that of the last one
            // that the endpoint may have acted on.
            Some(_) if error.is_go_away() && error.is_remote() => Self::refused(streams),
            Some(Reason::REFUSED_STREAM) if error.is_reset() && error.is_remote() => Self::refused(streams),
            Some(_) if error.is_remote() => Self::Broken(Broken::Reset(reset_word(&error))),
            Some(_) => Self::Malformed(reset_word(&error)),
            None => match error.into_io() {
                Some(error) => Self::Broken(Broken::Io(error)),
                None => Self::Broken(Broken::Closed),
            },
        }
    }

    fn refused(streams: &StreamCount) -> Self {
        streams.refused();
        Self::Refused
    }

    /// How a response that was on its way broke off.
    pub(super) fn into_broken(self) -> Broken {
        match self {
            Self::Refused => Broken::Reset("after its response had begun".to_owned()),
            Self::Http1Required => Broken::Reset("the peer reset the stream with HTTP_1_1_REQUIRED".to_owned()),
            Self::Malformed(what) => Broken::Malformed(what),
            Self::Broken(broken) => broken,
        }
    }

    /// Why there is no response, where the body cannot be made whole again.
    pub(super) fn into_error(self) -> ExchangeError {
        match self {
            Self::Refused => ExchangeError::of_endpoint(ExchangeCause::Refused),
            Self::Http1Required => ExchangeError::of_endpoint(ExchangeCause::Unsendable(Unsendable::Http1Required)),
            Self::Malformed(what) => ExchangeError::unreadable(Unreadable::Malformed(what)),
            Self::Broken(broken) => ExchangeError::broken(broken),
        }
    }
}
