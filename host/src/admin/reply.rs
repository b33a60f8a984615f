//! Responses: JSON for programs and people, a line of text for probes.

use ::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use crate::control::ControlError;
use crate::http::ResponseBody;
use crate::text;

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<ResponseBody> {
    match serde_json::to_string_pretty(value) {
        Ok(document) => {
            // Mostly read in a terminal.
            let mut shown = String::with_capacity(document.len().saturating_add(1));
            text::push_json(&mut shown, &document);
            respond(status, "application/json", shown + "\n")
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the response cannot be written as JSON\n"),
    }
}

/// `good` with what was done, or why nothing was.
pub(super) fn outcome<T: Serialize>(good: StatusCode, outcome: Result<T, ControlError>) -> Response<ResponseBody> {
    match outcome {
        Ok(done) => json(good, &done),
        Err(error) => refusal(&error),
    }
}

pub(super) fn refusal(error: &ControlError) -> Response<ResponseBody> {
    let text = error.to_string();
    match error {
        ControlError::NoEarlier => failure(StatusCode::CONFLICT, &text),
        ControlError::Unknown { known, .. } => json(StatusCode::NOT_FOUND, &json!({ "error": text, "known": known })),
        ControlError::Conflict { hint, .. } => json(StatusCode::CONFLICT, &json!({ "error": text, "hint": hint })),
        ControlError::Failed(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, &text),
        ControlError::Faults(faults) => {
            json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": text, "faults": faults }))
        }
    }
}

pub(super) fn failure(status: StatusCode, error: &str) -> Response<ResponseBody> {
    json(status, &json!({ "error": error }))
}

/// What a panic in a change that ran on another thread is shown as.
pub(super) fn panicked() -> Response<ResponseBody> {
    failure(StatusCode::INTERNAL_SERVER_ERROR, "the change failed; the log says why")
}

pub(super) fn plain(status: StatusCode, text: &str) -> Response<ResponseBody> {
    respond(status, "text/plain; charset=utf-8", text.to_owned())
}

/// The connection ends with it: strangers do not keep one of the few places.
pub(super) fn closing(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(super) fn respond(status: StatusCode, kind: &'static str, text: String) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
