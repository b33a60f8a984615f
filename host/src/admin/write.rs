//! Members, changed: what is asked for, read and checked, and what came of it.
//!
//! | on | does |
//! |---|---|
//! | POST `…/endpoints` | adds a member |
//! | PATCH `…/endpoints?url=` | other state, weight, group |
//! | DELETE `…/endpoints?url=` | removes it |
//! | POST `…/endpoints/reset?url=` | forgets its failures |
//! | DELETE `/api/v1/changes?cluster=&url=` | what the file says again |

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde_json::json;

use super::answer::{AdminService, BODY_BYTES, closing, failure, json, refusal};
use super::page::Page;
use crate::config::{ChangeFault, Edit};
use crate::control::{ChangedView, Control, ControlError};
use crate::http::{Body, Target};

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What a query says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    url: Option<String>,
    cluster: Option<String>,
}

/// A call about members.
struct Call<'a> {
    peer: IpAddr,
    method: &'a Method,
    path: &'a str,
    /// Empty if the path names none.
    cluster: &'a str,
}

impl AdminService {
    /// Answers a call about members.
    pub(super) async fn members<B>(
        &self,
        peer: IpAddr,
        page: Page,
        cluster: &str,
        target: &Target,
        request: Request<B>,
    ) -> Response<Body>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let method = request.method().clone();
        let query = match query(target.query.as_deref().unwrap_or_default(), page.query(&method)) {
            Ok(query) => query,
            Err(fault) => return bad(&fault),
        };
        let body = if page.reads(&method) {
            if !is_json(request.headers()) {
                let error = "expected a JSON document with `content-type: application/json`";
                return closing(failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
            }
            match read(request.into_body()).await {
                Ok(body) => body,
                Err(response) => return response,
            }
        } else {
            Bytes::new()
        };
        let call = Call { peer, method: &method, path: page.path(), cluster };
        match (page, method.as_str()) {
            (Page::Endpoints, "GET" | "HEAD") => self.endpoints(cluster),
            (Page::Endpoints, "POST") => match Edit::add(&body, &self.control.folder()) {
                Ok(edit) => self.edit(&call, edit, StatusCode::CREATED).await,
                Err(fault) => bad(&fault),
            },
            (Page::Endpoints, "PATCH") => match query.url.as_deref().map(|url| Edit::set(url, &body)) {
                Some(Ok(edit)) => self.edit(&call, edit, StatusCode::OK).await,
                Some(Err(fault)) => bad(&fault),
                None => which(),
            },
            (Page::Endpoints, _) => match query.url {
                Some(url) => self.edit(&call, Edit::Remove(url), StatusCode::OK).await,
                None => which(),
            },
            (Page::Reset, _) => self.reset(&call, query.url.as_deref()),
            (_, "GET" | "HEAD") => json(StatusCode::OK, &self.control.changes()),
            _ => match (query.cluster, query.url) {
                (None, Some(_)) => failure(StatusCode::BAD_REQUEST, "`url` needs its `cluster`"),
                (None, None) => self.done(&call, StatusCode::OK, |control| control.undo()).await,
                (Some(cluster), url) => {
                    self.edit(&Call { cluster: &cluster, ..call }, Edit::Undo(url), StatusCode::OK).await
                }
            },
        }
    }

    fn endpoints(&self, cluster: &str) -> Response<Body> {
        let clusters = self.control.clusters();
        match clusters.iter().find(|known| known.name == cluster) {
            Some(found) => json(StatusCode::OK, &found.endpoints),
            None => refusal(&ControlError::Unknown {
                error: format!("no cluster `{cluster}`"),
                known: clusters.iter().map(|known| known.name.clone()).collect(),
            }),
        }
    }

    async fn edit(&self, call: &Call<'_>, edit: Edit, good: StatusCode) -> Response<Body> {
        let cluster = call.cluster.to_owned();
        self.done(call, good, move |control| control.change(&cluster, &edit)).await
    }

    /// Off this thread: a balancer is configured anew. It goes on if the caller leaves.
    async fn done(
        &self,
        call: &Call<'_>,
        good: StatusCode,
        change: impl FnOnce(&dyn Control) -> Result<ChangedView, ControlError> + Send + 'static,
    ) -> Response<Body> {
        let control = Arc::clone(&self.control);
        let Ok(outcome) = tokio::task::spawn_blocking(move || change(&*control)).await else {
            return failure(StatusCode::INTERNAL_SERVER_ERROR, "the change failed; the log says why");
        };
        call.log(
            outcome.as_ref().map(|done| (done.generation, done.changed.iter().map(ToString::to_string).collect())),
        );
        answer(good, outcome)
    }

    fn reset(&self, call: &Call<'_>, url: Option<&str>) -> Response<Body> {
        let outcome = self.control.reset(call.cluster, url);
        call.log(outcome.as_ref().map(|done| {
            let reset = done.reset.iter().map(|one| format!("{} {} to {}", one.endpoint, one.before, one.after));
            (done.generation, reset.collect())
        }));
        answer(StatusCode::OK, outcome)
    }
}

impl Call<'_> {
    /// Says who did what: each call that would change something leaves a line.
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

fn answer<T: Serialize>(good: StatusCode, outcome: Result<T, ControlError>) -> Response<Body> {
    match outcome {
        Ok(view) => json(good, &view),
        Err(refused) => refusal(&refused),
    }
}

fn which() -> Response<Body> {
    let hint = "say which endpoint: …/endpoints?url=ws://10.0.0.1:8080";
    json(StatusCode::BAD_REQUEST, &json!({ "error": "`url` is missing in the query", "hint": hint }))
}

fn bad(fault: &ChangeFault) -> Response<Body> {
    json(StatusCode::BAD_REQUEST, &json!({ "error": fault.message, "hint": fault.hint }))
}

/// Reads a query that may have the keys `known`, each once.
fn query(text: &str, known: &[&str]) -> Result<Query, ChangeFault> {
    let mut query = Query::default();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        let place = match &*key {
            "url" if known.contains(&"url") => &mut query.url,
            "cluster" if known.contains(&"cluster") => &mut query.cluster,
            _ => {
                let none = || "leave the query out".to_owned();
                let hint = if known.is_empty() { none() } else { format!("expected {}", known.join(", ")) };
                return Err(ChangeFault { message: format!("unknown key `{key}` in the query"), hint: Some(hint) });
            }
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(ChangeFault { message: format!("`{key}` is in the query twice"), hint: None });
        }
    }
    Ok(query)
}

/// A type that no page can send without asking first (Fetch, CORS-safelisted request-header).
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let media = one.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    media.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

async fn read<B>(body: B) -> Result<Bytes, Response<Body>>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let most = usize::try_from(BODY_BYTES).unwrap_or(usize::MAX);
    match tokio::time::timeout(BODY_TIME, Limited::new(body, most).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(closing(failure(StatusCode::PAYLOAD_TOO_LARGE, "a body has at most 64 KiB here")))
        }
        Ok(Err(error)) => Err(closing(failure(StatusCode::BAD_REQUEST, &format!("the body breaks off: {error}")))),
        Err(_elapsed) => Err(closing(failure(StatusCode::REQUEST_TIMEOUT, "the body took too long"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_an_endpoint_with_or_without_escapes() {
        for text in ["url=ws://10.0.0.1:8080/a", "url=ws%3A%2F%2F10.0.0.1%3A8080%2Fa"] {
            let read = query(text, &["url"]).ok();

            assert_eq!(read.and_then(|query| query.url).as_deref(), Some("ws://10.0.0.1:8080/a"), "{text}");
        }
        for (text, known) in [("url=a&url=b", &["url"][..]), ("ulr=a", &["url"]), ("url=a", &[])] {
            assert_eq!(bad(&query(text, known).unwrap_err()).status(), 400, "{text}");
        }
    }

    #[test]
    fn only_json_is_json() {
        for (value, good) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("text/plain; application/json", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);

            assert_eq!(is_json(&headers), good, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
