//! What goes back to the client.

use ::http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Effects, Fault, RequestFacts, RouteId, Scheme, wire};

/// Fields of one response that a rewriter is shown, and edits that it may make of them.
pub const SHOWN_FIELDS: usize = 256;

/// Bytes of their values, all together: more than the head of a response has, unless `limits.head` of its cluster was
/// raised.
pub const SHOWN_BYTES: usize = 512 << 10;

/// Maps response headers back to what the client may see.
pub trait Rewriter: Send + Sync {
    /// Names of the headers it wants to see; a response without any of them is never shown to it, unless it
    /// [`sees_all`](Self::sees_all).
    fn interest(&self) -> &[HeaderName];

    /// Whether it is shown every response.
    fn sees_all(&self) -> bool {
        false
    }

    /// Decides the edits for one response. `fields` are those of [`Self::interest`], in order, and no more than
    /// [`SHOWN_FIELDS`] and [`SHOWN_BYTES`] allow.
    ///
    /// # Errors
    /// A [`Fault`] if the rewriter failed; the response must then be withheld (503): it may carry inner names.
    fn rewrite(
        &self,
        context: &ResponseContext<'_>,
        status: StatusCode,
        fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Rewritten, Fault>;
}

/// Edits of one response, and what was done beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The edits.
    pub edits: Vec<HeaderEdit>,
    /// Notes.
    pub effects: Effects,
}

/// What a rewriter knows about the exchange.
#[derive(Clone, Copy, Debug)]
pub struct ResponseContext<'a> {
    /// How the client spoke to the gateway.
    pub scheme: Scheme,
    /// The client's Host, port included if it was sent.
    pub host: &'a str,
    /// The client's path, without query.
    pub path: &'a str,
    /// The `[[route]]` that applied.
    pub route: Option<RouteId>,
    /// URL of the endpoint that responded, as configured.
    pub endpoint: &'a str,
    /// The request, as edits of its deciders have left it; none for a made-up response.
    pub request: Option<&'a RequestFacts>,
}

/// One change to the response head, already checked: no hop-by-hop, framing or handshake field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderEdit {
    /// A new value for the field at this index of the fields shown.
    Replace(usize, #[serde(with = "wire::bytes")] HeaderValue),
    /// Drop the field at this index.
    Remove(usize),
    /// One more field.
    Add(#[serde(with = "wire::text")] HeaderName, #[serde(with = "wire::bytes")] HeaderValue),
}
