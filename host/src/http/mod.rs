//! HTTP with clients: neutral messages, and a server for each version that carries them.
//!
//! | folder | holds |
//! |---|---|
//! | `message/` | what a request and a response are, whichever version carries them |
//! | `server/http1/` | serving HTTP/1.1: the only place where hyper reads from clients and writes to them |

mod message;
mod server;

pub use message::{
    BodyEnd, BodyObserver, BrokenBy, ClientUpgrade, Fields, Forwarding, InterimSink, Offer, Peer, Pseudonym, Refused,
    RequestBody, RequestBodyError, ResponseBody, ResponseBodyError, ServerRequest, Target, TargetError, UpgradeFuture,
    UpgradeRequest, Violation, client_behind, list, read_target, reply, strip_hop_by_hop, switched_to,
};
pub use server::http1::{
    Chunks, ClientLimits, Framing, MalformedChunks, Passed, ServeError, end_of_lines, length_from, linger, serve,
};
