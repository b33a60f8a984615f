//! Reload and rollback.

use std::sync::Arc;

use ::http::{Response, StatusCode};

use super::call::Call;
use super::reply::{outcome, panicked};
use crate::control::{Control, ControlError, GenerationView};
use crate::http::ResponseBody;

/// Off this thread: it may compile for seconds, and the others want their responses. It goes on if the caller leaves.
pub(super) async fn replace(
    control: &Arc<dyn Control>,
    call: &Call,
    replace: fn(&dyn Control) -> Result<GenerationView, ControlError>,
) -> Response<ResponseBody> {
    tracing::info!(peer = %call.peer, path = call.operation.path, "asked for by an admin call");
    let control = Arc::clone(control);
    match tokio::task::spawn_blocking(move || replace(&*control)).await {
        Ok(replaced) => outcome(StatusCode::OK, replaced),
        Err(_panicked) => panicked(),
    }
}
