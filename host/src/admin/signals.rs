//! `POST /api/v1/clusters/{cluster}/signals`: an endpoint, or somebody who knows it, says how it is.

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::json;

use super::answer::{closing, failure, json};
use crate::control::{Operate, Push, PushError};
use crate::http::Body;

/// Longest body, in bytes: far more than 32 numbers and their names need.
const BODY_BYTES: usize = 16 * 1024;

/// How long the body may take.
const BODY_TIME: std::time::Duration = std::time::Duration::from_secs(10);

/// The cluster in `path`, if it is one of these paths.
pub(super) fn cluster_in(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/api/v1/clusters/")?.strip_suffix("/signals")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Answers a caller who has been let in.
pub(super) async fn answer<B>(control: &dyn Operate, cluster: &str, request: Request<B>) -> Response<Body>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if request.method() != Method::POST {
        let mut response = failure(StatusCode::METHOD_NOT_ALLOWED, "expected POST");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let body = Limited::new(request.into_body(), BODY_BYTES).collect();
    let body = match tokio::time::timeout(BODY_TIME, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return closing(failure(StatusCode::PAYLOAD_TOO_LARGE, "expected at most 16 KiB"));
        }
        Ok(Err(_)) => return closing(failure(StatusCode::BAD_REQUEST, "the body was broken off")),
        Err(_elapsed) => return closing(failure(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    };
    let push = match serde_json::from_slice::<Push>(&body) {
        Ok(push) => push,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match control.push(cluster, &push) {
        Ok(taken) => json(StatusCode::OK, &json!({ "taken": taken })),
        Err(error @ PushError::NoCluster) => failure(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error @ PushError::NoEndpoint) => {
            let error = format!("{error}; GET /api/v1/clusters shows how they are spelt");
            failure(StatusCode::NOT_FOUND, &error)
        }
        Err(error) => failure(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}
