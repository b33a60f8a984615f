//! The vocabulary of the wire: streams of every kind, socket options, authorities, values by server name, what
//! clients are asked for about certificates, protocols to switch to, the gateway's own header fields, values of fields
//! with variables, request lines, methods that may be repeated, origins of pages, descriptors that are kept.

mod authority;
mod certificate_rules;
mod duplex;
mod fields;
mod hangup;
mod header_template;
mod method;
mod reserve;
mod scratch;
mod server_names;
mod socket;
mod stream;
mod target;
mod upgrade;
mod web_origin;

pub use authority::{Authority, NoAuthority};
pub use certificate_rules::{CertificateRules, ShownCertificate};
pub use duplex::{Duplex, DuplexStream, PeerGone, ResetReason};
pub use fields::{CDN_LOOP, HOP_BY_HOP, Underscores, is_reserved};
pub use hangup::{Ended, Hangup};
pub use header_template::{
    FieldEdit, FieldEditKind, HeaderTemplate, HeaderVariable, ROUTE_OF_RESPONSE, UnknownVariable, joined,
};
pub use method::is_idempotent;
pub use reserve::{RESERVE, Reserve, is_no_descriptor};
pub use scratch::with_scratch;
pub use server_names::ServerNames;
pub use socket::{
    ACCEPTED_SEND_AT_ONCE, bind_datagrams, bind_hint, bind_shared, descriptor_limit, is_own, probe,
    raise_descriptor_limit,
};
pub use stream::{Socket, Stream};
pub use target::is_target;
pub use upgrade::{NoProtocol, ProtocolName, UpgradeProtocol};
pub use web_origin::{AllowedOrigin, NoWebOrigin, SentOrigin, WebOrigin};
