//! What a request and a response are, whichever version of HTTP carries them: bodies, targets, fields, upgrades.

mod claims;
mod fields;
mod forwarded;
mod hop;
mod list;
mod path;
mod pseudonym;
mod refused;
pub mod reply;
mod request;
mod request_body;
mod request_body_error;
mod response_body;
mod target;
mod target_error;
mod upgrade;

pub use fields::Fields;
pub use forwarded::{Forwarding, Peer, client_behind};
pub(super) use hop::named_by_connection;
pub use hop::strip_hop_by_hop;
pub use list::list;
pub(super) use path::{escape_path, escape_to};
pub use pseudonym::Pseudonym;
pub(super) use refused::SHOWN;
pub use refused::{Refused, Violation};
pub use request::{ClientUpgrade, InterimSink, ServerRequest, UpgradeFuture, UpgradeRequest};
pub use request_body::RequestBody;
pub use request_body_error::RequestBodyError;
pub use response_body::{BodyEnd, BodyObserver, BrokenBy, ResponseBody, ResponseBodyError};
pub(super) use target::RawQuery;
pub use target::{Target, read_target};
pub use target_error::TargetError;
pub(super) use upgrade::offered;
pub use upgrade::{Offer, switched_to};
