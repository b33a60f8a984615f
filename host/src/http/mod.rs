//! HTTP with clients: neutral messages, and a server for each version that carries them.
//!
//! | folder | holds |
//! |---|---|
//! | `message/` | what a request and a response are, whichever version carries them |
//! | `http2/` | what both sides of HTTP/2 share: frames seen below the library, streams as tunnels and as bodies, rules for fields |
//! | `server/http1/` | serving HTTP/1.1: the only place where hyper reads from clients and writes to them |
//! | `server/http2/` | serving HTTP/2, over the `h2` library |

mod http2;
mod message;
mod server;

pub use http2::{
    FrameBudget, FrameHead, FrameScanner, FrameType, Http2Body, Http2Duplex, SMALL_PIECES, Unfinished, WatchedStream,
    Wire, WireFault, WireSide, check_fields, join_cookies, poll_room, reset_word, strip_for_http2,
};
pub use message::{
    BodyEnd, BodyObserver, BrokenBy, ClientUpgrade, Fields, Forwarding, InterimSink, LastOfConnection, Offer, Peer,
    Pseudonym, RefusalForm, Refused, RequestBody, RequestBodyError, ResponseBody, ResponseBodyError, ServerRequest,
    Target, TargetError, UpgradeFuture, UpgradeNeed, UpgradeRequest, Violation, client_behind, grpc, is_look_alike,
    is_secure_behind, keep_end_to_end, list, read_target, reads_as, remove_look_alikes, reply, strip_hop_by_hop,
    strip_request_trailers, strip_response_trailers, switched_to,
};
pub use server::error::ServeError;
pub use server::http1::{Chunks, Framing, MalformedChunks, Passed, end_of_lines, length_from, serve};
pub use server::http2::{Multiplexed, StreamOffer};
pub use server::limits::{ClientLimits, HttpVersions};
pub use server::linger::linger;
pub use server::served::Served;
