//! One call: who it is, what it wants, what it gets.

use std::net::IpAddr;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;
use tokio::sync::Semaphore;

use super::access::{self, BrowserOrigin, Caller, Denial, Purpose, Rule};
use super::call::{Call, too_large};
use super::operation::{OperationKind, Resource, paths};
use super::reply::{closing, failure, json, plain, respond};
use super::slots::CallerSlot;
use super::token::TokenFile;
use super::{generations, members, plugins, signals};
use crate::control::{Control, Readiness};
use crate::http::{ResponseBody, Target, read_target};
use crate::telemetry::CONTENT_TYPE;

/// Longest body that a call may announce, in KiB, whether it is read or not, but for documents that may be longer.
const BODY_KIB: usize = 64;

/// What every call is served from.
pub(super) struct AdminService {
    pub(super) control: Arc<dyn Control>,
    /// None lets callers on this machine in.
    pub(super) token: Option<Arc<TokenFile>>,
    /// Documents beyond [`BODY_KIB`] that may be held at a time.
    pub(super) large: Semaphore,
}

impl AdminService {
    pub(super) fn new(control: Arc<dyn Control>, token: Option<Arc<TokenFile>>) -> Self {
        Self { control, token, large: Semaphore::new(1) }
    }
}

impl AdminService {
    /// Serves one call, on a connection that holds `slot`.
    pub(super) async fn serve<B>(&self, peer: IpAddr, slot: &CallerSlot, request: Request<B>) -> Response<ResponseBody>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let target = match read_target(&request) {
            Ok(target) => target,
            Err(error) => return closing(failure(error.status(), &error.to_string())),
        };
        let resource = Resource::find(&target.path);
        match self.admit(peer, resource.as_ref(), &target, &request) {
            Err(denial) => {
                tracing::debug!(%peer, path = target.path, %denial, "admin call turned away");
                denied(denial)
            }
            Ok(Purpose::Probe) => closing(self.reply(peer, resource, &target, request).await),
            Ok(Purpose::Look | Purpose::Change) => match slot.call() {
                Some(_until_served) => self.reply(peer, resource, &target, request).await,
                None => {
                    closing(failure(StatusCode::SERVICE_UNAVAILABLE, "64 calls are under way here; try again soon"))
                }
            },
        }
    }

    /// Lets a call in, and says what for.
    fn admit<B>(
        &self,
        peer: IpAddr,
        resource: Option<&Resource>,
        target: &Target,
        request: &Request<B>,
    ) -> Result<Purpose, Denial> {
        let purpose = match resource.and_then(|resource| resource.operation(request.method())) {
            Some(operation) => operation.purpose,
            None if matches!(*request.method(), Method::GET | Method::HEAD) => Purpose::Look,
            None => Purpose::Change,
        };
        let rule = match &self.token {
            None => Rule::Loopback,
            Some(_) if purpose == Purpose::Probe => Rule::Bearer(None),
            Some(file) => Rule::Bearer(file.token()),
        };
        let caller = Caller {
            peer,
            purpose,
            authority: target.authority.as_ref(),
            origin: origin(request.headers()),
            cross_site: is_cross_site(request.headers()),
            bearer: bearer(request.headers()),
        };
        access::decide(&rule, &caller).map(|()| purpose)
    }

    /// The response to a call that was let in.
    async fn reply<B>(
        &self,
        peer: IpAddr,
        resource: Option<Resource>,
        target: &Target,
        request: Request<B>,
    ) -> Response<ResponseBody>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let operation = resource.as_ref().and_then(|resource| resource.operation(request.method()));
        let most = operation.and_then(|operation| operation.document).map_or(0, |rule| rule.kibibytes).max(BODY_KIB);
        if announced(request.headers()) > most.saturating_mul(1024) {
            return too_large(most);
        }
        let _large = match (most > BODY_KIB).then(|| self.large.try_acquire()).transpose() {
            Ok(permit) => permit,
            Err(_taken) => {
                let error = "another table is being taken; send this one when that is done";
                return closing(failure(StatusCode::SERVICE_UNAVAILABLE, error));
            }
        };
        let Some(resource) = resource else {
            return json(StatusCode::NOT_FOUND, &json!({ "error": "no such path", "paths": paths() }));
        };
        let Some(operation) = operation else { return not_allowed(&resource) };
        match Call::read(peer, operation, resource, target.query.as_deref(), request).await {
            Ok(call) => self.carry_out(call).await,
            Err(response) => response,
        }
    }

    async fn carry_out(&self, call: Call) -> Response<ResponseBody> {
        let control = &self.control;
        match call.operation.kind {
            OperationKind::Health => plain(StatusCode::OK, "ok"),
            OperationKind::Readiness => match control.readiness() {
                Readiness::Serving(generation) => plain(StatusCode::OK, &format!("ready, generation {generation}\n")),
                Readiness::Starting => plain(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
                Readiness::Draining => plain(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            },
            OperationKind::Metrics => match control.metrics() {
                Ok(text) => respond(StatusCode::OK, CONTENT_TYPE, text),
                Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the numbers cannot be written"),
            },
            OperationKind::Clusters => json(StatusCode::OK, &control.clusters()),
            OperationKind::Plugins => json(StatusCode::OK, &control.plugins()),
            OperationKind::Generations => json(StatusCode::OK, &control.generations()),
            OperationKind::Changes => json(StatusCode::OK, &control.changes()),
            OperationKind::Endpoints => members::list(&**control, &call.name),
            OperationKind::AddEndpoint
            | OperationKind::ChangeEndpoint
            | OperationKind::RemoveEndpoint
            | OperationKind::UndoChanges => members::edit(control, call).await,
            OperationKind::ResetEndpoints => members::reset(&**control, call),
            OperationKind::PushSignals => signals::push(&**control, &call),
            OperationKind::FillTable => plugins::fill(control, call).await,
            OperationKind::Reload => generations::replace(control, &call, |control| control.reload()).await,
            OperationKind::Rollback => generations::replace(control, &call, |control| control.rollback()).await,
        }
    }
}

/// Bytes that the body will have, as announced. A body without an announcement is read as far as the operation allows.
fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.map_or(0, |length| length.parse().unwrap_or(usize::MAX))
}

/// What a browser says of the page that sends the call (Fetch Metadata). `same-site` is another origin, too.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let own = |said: &HeaderValue| matches!(said.as_bytes(), b"same-origin" | b"none");
    headers.get_all("sec-fetch-site").iter().any(|said| !own(said))
}

fn origin(headers: &HeaderMap) -> BrowserOrigin<'_> {
    let mut named = headers.get_all(header::ORIGIN).iter();
    match (named.next(), named.next()) {
        (None, _) => BrowserOrigin::Unnamed,
        (Some(origin), None) => BrowserOrigin::Named(origin.as_bytes()),
        (Some(_), Some(_)) => BrowserOrigin::Unclear,
    }
}

/// The token of the one `Authorization: Bearer` (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn denied(denial: Denial) -> Response<ResponseBody> {
    let mut response = closing(failure(denial.status(), &denial.to_string()));
    if denial.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer realm=\"tidegate\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn not_allowed(resource: &Resource) -> Response<ResponseBody> {
    let methods = resource.methods();
    let mut response = failure(StatusCode::METHOD_NOT_ALLOWED, &format!("expected {methods}"));
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}
