//! What may be decided, by a plugin or by native code: pure types and the traits [`Router`], [`Balancer`] and
//! [`Rewriter`].
//!
//! No wasm here, no sockets: a native stand-in and a plugin look alike to the rest of the gateway.

mod balancer;
mod choice;
mod connection;
mod effects;
mod endpoint;
mod fault;
mod ids;
mod json_members;
mod observer;
mod preview;
mod recording;
mod request;
mod rewriter;
mod router;
mod wire;

pub use balancer::{
    Balancer, CallMeter, ClusterNumbers, LeaseEnding, LeastBusy, MeteredCalls, Metric, Outcome, PickRequest,
    UnusedNumbers,
};
pub use choice::{BalancerRefusal, Choice, ChoiceError, LeaseUnits};
pub use connection::{ArrivalFacts, CertificateFacts, CertificateText};
pub use effects::{Effects, ExchangeEffects, HeadEdit, HeadSide, NOTE_BYTES, NOTES_OF_A_CALL, Note};
pub use endpoint::Endpoint;
pub use fault::{Fault, FaultKind};
pub use ids::{ClusterId, EndpointId, EndpointIds, RouteId};
pub use observer::{DeciderLabel, DecisionObserver, Observation, Observed, ObservedDecider, ShownResponse};
pub use preview::{BodySight, BodyStart, SightError};
pub use recording::{Decided, Recording, RecordingError};
pub use request::{RequestFacts, Scheme};
pub use rewriter::{HeaderEdit, ResponseContext, Rewriter, Rewritten, SHOWN_BYTES, SHOWN_FIELDS};
pub use router::{Decision, DirectResponse, ForwardTarget, Routed, Router};
