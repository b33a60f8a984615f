//! What a balancer decides: an endpoint and how much the choice weighs, or a refusal.

use std::time::Duration;

use ::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::EndpointId;

/// The most that a lease weighs.
const MOST_UNITS: u16 = 1000;

/// The longest Retry-After of a refusal, in seconds: a day.
const LONGEST_WAIT: u32 = 86_400;

/// What a balancer decided for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ChoiceForm", into = "ChoiceForm")]
pub enum Choice {
    /// The endpoint gets it, and holds that many units more until it ends.
    Take(EndpointId, LeaseUnits),
    /// Nobody does.
    Refuse(BalancerRefusal),
}

impl Choice {
    /// One that weighs as much as a request does that nobody weighed.
    #[must_use]
    pub fn one(endpoint: EndpointId) -> Self {
        Self::Take(endpoint, LeaseUnits::ONE)
    }

    /// The endpoint, if one was chosen.
    #[must_use]
    pub fn endpoint(self) -> Option<EndpointId> {
        match self {
            Self::Take(endpoint, _) => Some(endpoint),
            Self::Refuse(_) => None,
        }
    }
}

/// As balancers say it that know no more than an id: none refuses.
impl From<Option<EndpointId>> for Choice {
    fn from(chosen: Option<EndpointId>) -> Self {
        chosen.map_or(Self::Refuse(BalancerRefusal::default()), Self::one)
    }
}

/// What one lease adds to the busyness of its endpoint: 1 to 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct LeaseUnits(u16);

impl LeaseUnits {
    /// What a request weighs that nobody weighed.
    pub const ONE: Self = Self(1);

    /// As a number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.into()
    }
}

impl TryFrom<u32> for LeaseUnits {
    type Error = ChoiceError;

    fn try_from(found: u32) -> Result<Self, ChoiceError> {
        match u16::try_from(found) {
            Ok(units @ 1..=MOST_UNITS) => Ok(Self(units)),
            _ => Err(ChoiceError::Units(found)),
        }
    }
}

impl From<LeaseUnits> for u32 {
    fn from(units: LeaseUnits) -> Self {
        units.get()
    }
}

/// How a balancer refuses a request. By default with 503 and no advice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RefusalFields", into = "RefusalFields")]
pub struct BalancerRefusal {
    is_too_many: bool,
    after: Option<u32>,
}

impl BalancerRefusal {
    /// A refusal with 429 (RFC 6585 §4) or 503 (RFC 9110 §15.6.4), and the seconds of its Retry-After.
    ///
    /// # Errors
    /// [`ChoiceError`] for another status, or more seconds than a day has.
    pub fn new(status: u32, after: Option<u32>) -> Result<Self, ChoiceError> {
        let is_too_many = match status {
            429 => true,
            503 => false,
            _ => return Err(ChoiceError::Status(status)),
        };
        match after {
            Some(seconds) if seconds > LONGEST_WAIT => Err(ChoiceError::After(seconds)),
            after => Ok(Self { is_too_many, after }),
        }
    }

    /// What the client gets.
    #[must_use]
    pub fn status(self) -> StatusCode {
        if self.is_too_many { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::SERVICE_UNAVAILABLE }
    }

    /// When the client is advised to ask again, in whole seconds.
    #[must_use]
    pub fn after(self) -> Option<Duration> {
        self.after.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// `503`; `429, Retry-After 7 s`
impl std::fmt::Display for BalancerRefusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.status().as_u16())?;
        self.after.map_or(Ok(()), |seconds| write!(formatter, ", Retry-After {seconds} s"))
    }
}

/// A number that a choice must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// More or fewer units than a lease weighs.
    #[error("expected `units` of 1 to {MOST_UNITS}, found {0}")]
    Units(u32),
    /// Not a status for it.
    #[error("expected a refusal with the status 429 or 503, found {0}")]
    Status(u32),
    /// Longer than a day.
    #[error("expected an `after` of at most {LONGEST_WAIT} seconds (a day), found {0}")]
    After(u32),
}

/// A choice in [`Recording`](super::Recording): a number or null where that says all.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ChoiceForm {
    Endpoint(EndpointId),
    Taken { endpoint: EndpointId, units: LeaseUnits },
    Refused(BalancerRefusal),
    Nobody,
}

/// A [`BalancerRefusal`] as it is written.
#[derive(Serialize, Deserialize)]
struct RefusalFields {
    status: u32,
    after: Option<u32>,
}

impl From<ChoiceForm> for Choice {
    fn from(form: ChoiceForm) -> Self {
        match form {
            ChoiceForm::Endpoint(endpoint) => Self::one(endpoint),
            ChoiceForm::Taken { endpoint, units } => Self::Take(endpoint, units),
            ChoiceForm::Refused(refusal) => Self::Refuse(refusal),
            ChoiceForm::Nobody => Self::Refuse(BalancerRefusal::default()),
        }
    }
}

impl From<Choice> for ChoiceForm {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Take(endpoint, LeaseUnits::ONE) => Self::Endpoint(endpoint),
            Choice::Take(endpoint, units) => Self::Taken { endpoint, units },
            Choice::Refuse(refusal) if refusal == BalancerRefusal::default() => Self::Nobody,
            Choice::Refuse(refusal) => Self::Refused(refusal),
        }
    }
}

impl From<BalancerRefusal> for RefusalFields {
    fn from(refusal: BalancerRefusal) -> Self {
        Self { status: refusal.status().as_u16().into(), after: refusal.after }
    }
}

impl TryFrom<RefusalFields> for BalancerRefusal {
    type Error = ChoiceError;

    fn try_from(RefusalFields { status, after }: RefusalFields) -> Result<Self, ChoiceError> {
        Self::new(status, after)
    }
}
