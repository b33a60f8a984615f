//! Members: shown, changed, and what came of it.

use std::net::IpAddr;
use std::sync::Arc;

use ::http::{Method, Response, StatusCode};
use serde_json::json;

use super::call::{Call, not_understood};
use super::operation::OperationKind;
use super::reply::{failure, json, outcome, panicked, refusal};
use crate::config::Edit;
use crate::control::{ChangedView, Control, ControlError, Inspect, Operate};
use crate::http::ResponseBody;

/// Who changed what, for the log: each call that would change something leaves a line.
struct AuditLine {
    peer: IpAddr,
    method: Method,
    path: &'static str,
    /// Empty if every cluster is meant.
    cluster: String,
}

/// The endpoints of the cluster that the call names.
pub(super) fn list(control: &dyn Inspect, cluster: &str) -> Response<ResponseBody> {
    let clusters = control.clusters();
    match clusters.iter().find(|known| known.name == cluster) {
        Some(found) => json(StatusCode::OK, &found.endpoints),
        None => refusal(&ControlError::Unknown {
            error: format!("no cluster `{cluster}`"),
            known: clusters.iter().map(|known| known.name.clone()).collect(),
        }),
    }
}

/// Adds, changes or removes a member, or takes changes back.
pub(super) async fn edit(control: &Arc<dyn Control>, call: Call) -> Response<ResponseBody> {
    let Call { peer, method, operation, name: cluster, query, document } = call;
    let audit = |cluster| AuditLine { peer, method, path: operation.path, cluster };
    let (edit, cluster) = match operation.kind {
        OperationKind::AddEndpoint => match Edit::add(&document, &control.folder()) {
            Ok(edit) => (edit, cluster),
            Err(fault) => return not_understood(&fault),
        },
        OperationKind::ChangeEndpoint => match query.url.as_deref().map(|url| Edit::set(url, &document)) {
            Some(Ok(edit)) => (edit, cluster),
            Some(Err(fault)) => return not_understood(&fault),
            None => return no_url(),
        },
        OperationKind::RemoveEndpoint => match query.url {
            Some(url) => (Edit::Remove(url), cluster),
            None => return no_url(),
        },
        _ => match (query.cluster, query.url) {
            (None, Some(_)) => return failure(StatusCode::BAD_REQUEST, "`url` needs its `cluster`"),
            (None, None) => {
                return apply(control, audit(String::new()), StatusCode::OK, |control| control.undo()).await;
            }
            (Some(cluster), url) => (Edit::Undo(url), cluster),
        },
    };
    let good = if operation.kind == OperationKind::AddEndpoint { StatusCode::CREATED } else { StatusCode::OK };
    let audit = audit(cluster.clone());
    apply(control, audit, good, move |control| control.change(&cluster, &edit)).await
}

/// Forgets failures.
pub(super) fn reset(control: &dyn Operate, call: Call) -> Response<ResponseBody> {
    let reset = control.reset(&call.name, call.query.url.as_deref());
    let audit = AuditLine { peer: call.peer, method: call.method, path: call.operation.path, cluster: call.name };
    audit.log(reset.as_ref().map(|done| {
        let reset = done.reset.iter().map(|one| format!("{} {} to {}", one.endpoint, one.before, one.after));
        (done.generation, reset.collect())
    }));
    outcome(StatusCode::OK, reset)
}

/// Off this thread: a balancer is configured anew. It goes on if the caller leaves.
async fn apply(
    control: &Arc<dyn Control>,
    audit: AuditLine,
    good: StatusCode,
    change: impl FnOnce(&dyn Control) -> Result<ChangedView, ControlError> + Send + 'static,
) -> Response<ResponseBody> {
    let control = Arc::clone(control);
    let Ok(changed) = tokio::task::spawn_blocking(move || change(&*control)).await else { return panicked() };
    audit.log(changed.as_ref().map(|done| (done.generation, done.changed.iter().map(ToString::to_string).collect())));
    outcome(good, changed)
}

impl AuditLine {
    fn log(&self, outcome: Result<(u64, Vec<String>), &ControlError>) {
        let Self { peer, method, path, cluster } = self;
        match outcome {
            Ok((generation, changed)) => {
                let changed = changed.join(", ");
                tracing::info!(%peer, %method, path, cluster, generation, changed, "changed by an admin call");
            }
            Err(refused) => tracing::warn!(%peer, %method, path, cluster, ?refused, "an admin call changed nothing"),
        }
    }
}

fn no_url() -> Response<ResponseBody> {
    let hint = "say which endpoint: …/endpoints?url=ws://10.0.0.1:8080";
    json(StatusCode::BAD_REQUEST, &json!({ "error": "`url` is missing in the query", "hint": hint }))
}
