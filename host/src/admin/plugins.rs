//! `PUT /api/v1/plugins/{name}/table`: what a plugin looks up, all of it anew.

use std::sync::Arc;

use ::http::{Response, StatusCode};

use super::call::Call;
use super::reply::{outcome, panicked};
use crate::control::Control;
use crate::http::ResponseBody;

/// Off this thread: millions of lines take a second. It goes on if the caller leaves.
pub(super) async fn fill(control: &Arc<dyn Control>, call: Call) -> Response<ResponseBody> {
    let Call { peer, operation, name, document, .. } = call;
    let (control, plugin) = (Arc::clone(control), name.clone());
    let filled = tokio::task::spawn_blocking(move || control.fill_table(&plugin, document)).await;
    let Ok(filled) = filled else { return panicked() };
    match &filled {
        Ok(table) => {
            let (entries, version) = (table.entries, &table.version);
            tracing::info!(%peer, path = operation.path, plugin = name, entries, version, "table filled by an admin call");
        }
        Err(refused) => {
            tracing::warn!(%peer, path = operation.path, plugin = name, ?refused, "an admin call changed nothing");
        }
    }
    outcome(StatusCode::OK, filled)
}
