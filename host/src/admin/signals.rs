//! `POST /api/v1/clusters/{name}/signals`: an endpoint, or a program that knows it, reports how it is.

use ::http::{Response, StatusCode};
use serde_json::json;

use super::call::Call;
use super::reply::{failure, json};
use crate::control::{Operate, Push, PushError};
use crate::http::ResponseBody;

pub(super) fn push(control: &dyn Operate, call: &Call) -> Response<ResponseBody> {
    let push = match serde_json::from_slice::<Push>(&call.document) {
        Ok(push) => push,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match control.push(&call.name, &push) {
        Ok(taken) => json(StatusCode::OK, &json!({ "taken": taken })),
        Err(error @ PushError::NoCluster) => failure(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error @ PushError::NoEndpoint) => {
            let error = format!("{error}; GET /api/v1/clusters shows how they are spelt");
            failure(StatusCode::NOT_FOUND, &error)
        }
        Err(error @ PushError::Signal { .. }) => failure(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}
