//! Whom a route asks who its clients are.

use std::time::Duration;

use ::http::HeaderName;

use crate::policy::ClusterId;

/// A server that is asked for every request of a route, before that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardAuth {
    /// Where it is.
    pub cluster: ClusterId,
    /// What is asked for there: a path, and perhaps a query.
    pub path: Box<str>,
    /// Fields of its response that go on with the request. No client's own get through.
    pub headers: Box<[HeaderName]>,
    /// To the end of its response.
    pub timeout: Duration,
}
