//! How a request ends that a route does not let in after it has asked.

use ::http::Response;

use super::super::failure::RequestFailure;
use crate::http::ResponseBody;

/// What becomes of a request that is not let in.
pub(in crate::proxy) enum AccessEnd {
    /// It gets this response as it is; what the route says of its responses is carried out on it.
    Respond(Response<ResponseBody>),
    /// It failed.
    Failed(RequestFailure),
}
