//! One call: who it is, what it wants, what it gets.

use std::net::IpAddr;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::access::{self, Call, Denial, Origin, Purpose, Rule};
use super::page::Page;
use super::places::Place;
use super::signals;
use super::token::TokenFile;
use crate::control::{Control, ControlError, GenerationView, Readiness};
use crate::http::{Body, Target, read_target};
use crate::telemetry::CONTENT_TYPE;
use crate::text;

/// Longest body.
pub(super) const BODY_BYTES: u64 = 64 * 1024;

/// What every call is answered from.
pub(super) struct AdminService {
    pub(super) control: Arc<dyn Control>,
    /// None lets callers on this machine in.
    pub(super) token: Option<Arc<TokenFile>>,
}

impl AdminService {
    /// Answers one call, on a connection that holds `place`.
    pub(super) async fn answer<B>(&self, peer: IpAddr, place: &Place, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let target = match read_target(&request) {
            Ok(target) => target,
            Err(error) => return closing(failure(error.status(), &error.to_string())),
        };
        let page = Page::find(&target.path).map(|(page, _)| page);
        match self.admit(peer, page, &target, &request) {
            Err(denial) => {
                tracing::debug!(%peer, path = target.path, %denial, "admin call turned away");
                denied(denial)
            }
            Ok(Purpose::Probe) => closing(self.reply(peer, &target, request).await),
            Ok(Purpose::Look | Purpose::Change) => match place.call() {
                Some(_until_answered) => self.reply(peer, &target, request).await,
                None => {
                    closing(failure(StatusCode::SERVICE_UNAVAILABLE, "64 calls are under way here; try again soon"))
                }
            },
        }
    }

    /// Answers a call that was let in.
    async fn reply<B>(&self, peer: IpAddr, target: &Target, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if announced(request.headers()) > BODY_BYTES {
            return closing(failure(StatusCode::PAYLOAD_TOO_LARGE, "a body has at most 64 KiB here"));
        }
        if let Some(cluster) = signals::cluster_in(&target.path) {
            return signals::answer(&*self.control, cluster, request).await;
        }
        let Some((page, cluster)) = Page::find(&target.path) else { return unknown() };
        if !page.takes(request.method()) {
            let mut response = failure(StatusCode::METHOD_NOT_ALLOWED, &format!("expected {}", page.methods()));
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(page.methods()));
            return response;
        }
        match page {
            Page::Endpoints | Page::Reset | Page::Changes => self.members(peer, page, &cluster, target, request).await,
            _ => {
                drop(request);
                self.show(peer, page).await
            }
        }
    }

    /// Lets a call in, and says what for.
    fn admit<B>(
        &self,
        peer: IpAddr,
        page: Option<Page>,
        target: &Target,
        request: &Request<B>,
    ) -> Result<Purpose, Denial> {
        let purpose = match (request.method(), page) {
            (&Method::GET | &Method::HEAD, Some(page)) if page.is_probe() => Purpose::Probe,
            (&Method::GET | &Method::HEAD, _) => Purpose::Look,
            _ => Purpose::Change,
        };
        let rule = match &self.token {
            None => Rule::Loopback,
            Some(_) if purpose == Purpose::Probe => Rule::Bearer(None),
            Some(file) => Rule::Bearer(file.token()),
        };
        let call = Call {
            peer,
            purpose,
            authority: target.authority.as_ref(),
            origin: origin(request.headers()),
            cross_site: is_cross_site(request.headers()),
            bearer: bearer(request.headers()),
        };
        access::decide(&rule, &call).map(|()| purpose)
    }

    async fn show(&self, peer: IpAddr, page: Page) -> Response<Body> {
        let control = &self.control;
        match page {
            Page::Health => plain(StatusCode::OK, "ok"),
            Page::Ready => match control.readiness() {
                Readiness::Serving(generation) => plain(StatusCode::OK, &format!("ready, generation {generation}\n")),
                Readiness::Starting => plain(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
                Readiness::Draining => plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            },
            Page::Metrics => match control.metrics() {
                Ok(text) => respond(StatusCode::OK, CONTENT_TYPE, text),
                Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the numbers cannot be written"),
            },
            Page::Clusters => json(StatusCode::OK, &control.clusters()),
            Page::Plugins => json(StatusCode::OK, &control.plugins()),
            Page::Generations => json(StatusCode::OK, &control.generations()),
            Page::Rollback => self.change(peer, page, |control| control.rollback()).await,
            Page::Reload => self.change(peer, page, |control| control.reload()).await,
            Page::Changes => json(StatusCode::OK, &control.changes()),
            Page::Endpoints | Page::Reset => unknown(),
        }
    }

    /// Off this thread: it may compile for seconds, and the others want their answers. It goes on if the caller leaves.
    async fn change(
        &self,
        peer: IpAddr,
        page: Page,
        change: fn(&dyn Control) -> Result<GenerationView, ControlError>,
    ) -> Response<Body> {
        tracing::info!(%peer, path = page.path(), "asked for by an admin call");
        let control = self.control.clone();
        match tokio::task::spawn_blocking(move || change(&*control)).await {
            Ok(Ok(generation)) => json(StatusCode::OK, &generation),
            Ok(Err(refused)) => refusal(&refused),
            Err(_panicked) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the change failed; the log says why"),
        }
    }
}

/// Bytes that the body will have, as announced. One without an announcement is not read either.
fn announced(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.map_or(0, |length| length.parse().unwrap_or(u64::MAX))
}

/// What a browser says of who sends it (Fetch Metadata). `same-site` is another origin, too.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let own = |said: &HeaderValue| matches!(said.as_bytes(), b"same-origin" | b"none");
    headers.get_all("sec-fetch-site").iter().any(|said| !own(said))
}

fn origin(headers: &HeaderMap) -> Origin<'_> {
    let mut named = headers.get_all(header::ORIGIN).iter();
    match (named.next(), named.next()) {
        (None, _) => Origin::Unnamed,
        (Some(origin), None) => Origin::Named(origin.as_bytes()),
        (Some(_), Some(_)) => Origin::Unclear,
    }
}

/// The token of the one `Authorization: Bearer` (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn denied(denial: Denial) -> Response<Body> {
    let mut response = closing(failure(denial.status(), &denial.to_string()));
    if denial.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer realm=\"tidegate\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn unknown() -> Response<Body> {
    json(StatusCode::NOT_FOUND, &json!({ "error": "no such path", "paths": Page::ALL.map(Page::path) }))
}

pub(super) fn refusal(error: &ControlError) -> Response<Body> {
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

pub(super) fn failure(status: StatusCode, error: &str) -> Response<Body> {
    json(status, &json!({ "error": error }))
}

/// The connection ends with it: strangers do not keep one of the few places.
pub(super) fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    match serde_json::to_string_pretty(value) {
        Ok(document) => {
            // Mostly read in a terminal.
            let mut shown = String::with_capacity(document.len().saturating_add(1));
            text::push_json(&mut shown, &document);
            respond(status, "application/json", shown + "\n")
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written as JSON\n"),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    respond(status, "text/plain; charset=utf-8", text.to_owned())
}

fn respond(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
