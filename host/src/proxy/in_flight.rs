//! A request that is under way: the lease that it holds, and who sees what becomes of it.
//!
//! ```text
//! exchange ── connected, reused, uploading, interim ─┐
//! body ────── data, end ─────────────────────────────┼─▶ InFlight ─▶ lease (busyness, health, traffic)
//! tunnel ──── bytes, end ────────────────────────────┘           └─▶ record (counts, access line)
//! ```

use std::sync::Arc;

use ::http::{HeaderMap, Response, StatusCode};

use super::Client;
use super::endpoint_fault::EndpointFault;
use super::failure::{RequestFailure, ending_of_tunnel};
use super::header_values::{ExchangeContext, ExchangeValues, FailedAt, name_exchange};
use super::record::RequestRecord;
use crate::cluster::{Cluster, Lease};
use crate::http::{
    BodyEnd, BodyObserver, BrokenBy, Fields, InterimSink, RefusalForm, ResponseBody, grpc, strip_hop_by_hop,
};
use crate::net::{FieldEdit, UpgradeProtocol};
use crate::telemetry::{AccessEnding, Counter, Metrics};
use crate::tunnel::{End, Meter};
use crate::upstream::{ExchangeObserver, Unreadable, UploadProgress};

/// One request, or the tunnel that it has become, from its begin to its end. Dropping it is the end: the record is
/// written, then the lease is given back.
pub(super) struct InFlight {
    pub(super) record: RequestRecord,
    lease: Option<Lease>,
    /// How far the body has come that goes out to the endpoint.
    upload: Option<UploadProgress>,
    /// Takes interim responses, if the client's connection can carry any.
    interim: Option<Box<dyn InterimSink>>,
    /// How the client hears of a failure.
    hears: RefusalForm,
}

impl InFlight {
    /// A request of `client` begins under this generation.
    pub(super) fn begin(client: &Arc<Client>, generation: u64) -> Self {
        Self {
            record: RequestRecord::begin(client, generation),
            lease: None,
            upload: None,
            interim: None,
            hears: RefusalForm::Response,
        }
    }

    /// Sends interim responses of endpoints to `sink`.
    pub(super) fn set_interim(&mut self, sink: Option<Box<dyn InterimSink>>) {
        self.interim = sink;
    }

    /// Takes note of how the client reads a failure, of which there is one: `headers` are of its request.
    #[cold]
    pub(super) fn note_failed(&mut self, headers: &HeaderMap) {
        if grpc::is_grpc(headers) {
            self.hears = RefusalForm::Grpc;
        }
    }

    /// The same where the server knows it.
    #[cold]
    pub(super) fn note_refused(&mut self, hears: RefusalForm) {
        self.hears = hears;
    }

    /// Ends it with a response of the gateway's own, whose few bytes need no observing.
    pub(super) fn finish(mut self, response: Response<ResponseBody>) -> Response<ResponseBody> {
        self.record.set_reply(&response);
        response
    }

    /// Ends it with the response that a failure comes to.
    pub(super) fn fail(mut self, failure: &RequestFailure, at: FailedAt<'_>) -> Response<ResponseBody> {
        self.failed(failure, at)
    }

    /// The response that a failure comes to, edited as the operator says by the rules of its route, where the request has
    /// come that far: what protects a page has to be on its errors as well.
    #[cold]
    pub(super) fn failed(&mut self, failure: &RequestFailure, at: FailedAt<'_>) -> Response<ResponseBody> {
        let mut response = failure.response();
        match self.hears {
            RefusalForm::Response => {
                if let Some(pages) = at.error_pages() {
                    pages.show_in(&mut response);
                }
                self.record.set_reply(&response);
            }
            RefusalForm::Grpc => {
                self.record.set_status(response.status());
                response = grpc::trailers_only(response, &failure.sentence());
                self.record.note_grpc_status(response.headers());
            }
            // It gets no response, and so the line has none.
            RefusalForm::Reset => {}
        }
        if let FailedAt::Routed(known) = at {
            self.edit_response(known, response.headers_mut());
        }
        if let Some(ending) = failure.ending() {
            self.record.set_ending(ending);
        }
        response
    }

    /// The response that a client gets of whom its route asks, in the client's words: `headers` are of its request.
    #[cold]
    pub(super) fn refused(&mut self, response: Response<ResponseBody>, headers: &HeaderMap) -> Response<ResponseBody> {
        if !grpc::is_grpc(headers) {
            self.record.set_reply(&response);
            return response;
        }
        self.record.set_status(response.status());
        let response = grpc::trailers_only(response, "the route does not let this client in");
        self.record.note_grpc_status(response.headers());
        response
    }

    /// Carries out on a response what is said of those of the route.
    pub(super) fn edit_response(&mut self, known: ExchangeContext<'_>, headers: &mut HeaderMap) {
        known.rules.response_headers.apply(headers);
        self.edit_response_further(known, headers);
    }

    /// The same without what is constant.
    pub(super) fn edit_response_further(&mut self, known: ExchangeContext<'_>, headers: &mut HeaderMap) {
        if let Some(edits) = &known.rules.response_headers.more {
            self.values(edits, known).edit_response(edits, headers);
        }
    }

    /// What goes to the endpoint that has the request now: `fields`, and `edits` of them.
    #[cold]
    pub(super) fn edit_request<'f>(
        &mut self,
        fields: &Fields<'f>,
        edits: &'f [FieldEdit],
        known: ExchangeContext<'_>,
    ) -> Box<Fields<'f>> {
        self.values(edits, known).edit_request(edits, fields)
    }

    /// What the variables in `edits` stand for now.
    #[cold]
    fn values<'s>(&'s mut self, edits: &[FieldEdit], known: ExchangeContext<'s>) -> ExchangeValues<'s> {
        let ExchangeContext { snapshot, rules, facts } = known;
        if name_exchange(edits) {
            let believed = snapshot.forwarding.trusts(self.client().forwarded.address());
            self.record.name_request(believed.then_some(&facts.headers));
        }
        ExchangeValues {
            client: self.client(),
            facts,
            route: &rules.name,
            endpoint: self.lease().map(Lease::url),
            request_id: self.record.request_id(),
            user: self.record.user(),
        }
    }

    /// One more endpoint is tried, by the claim that it holds from now on.
    pub(super) fn begin_attempt(&mut self, lease: Lease) {
        self.record.count_attempt();
        self.lease = Some(lease);
    }

    /// Takes the claim on an endpoint that gets nothing.
    pub(super) fn take_lease(&mut self) -> Option<Lease> {
        self.lease.take()
    }

    /// The endpoint responded.
    pub(super) fn responded(&mut self, status: StatusCode) {
        if let Some(lease) = &mut self.lease {
            lease.answered(status.as_u16());
        }
    }

    /// The endpoint's response cannot be read.
    pub(super) fn fail_unreadable(&mut self, response: &Unreadable) {
        self.metrics().increment(Counter::UpstreamUnreadable);
        match &mut self.lease {
            Some(lease) if response.is_our_limit() => lease.answered_too_much(),
            Some(lease) => lease.broken(),
            None => {}
        }
    }

    /// The endpoint did what it must not, or broke off.
    pub(super) fn fail_endpoint(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.broken();
        }
    }

    /// The endpoint's response came to its end.
    pub(super) fn complete(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.completed();
        }
    }

    /// Takes what the endpoint says about its load out of a response's head, for its cluster.
    pub(super) fn take_load_report(&self, cluster: &Cluster, headers: &mut HeaderMap) {
        let member = self.lease.as_ref().and_then(|lease| lease.endpoint().of(cluster.members()));
        if let Some(member) = member {
            cluster.signals().take_orca(headers, &member.live, self.metrics());
        }
    }

    /// Counts what the endpoint was sent of the request's body, which goes no further.
    pub(super) fn settle_upload(&mut self) {
        if let (Some(upload), Some(lease)) = (self.upload.take(), &mut self.lease) {
            lease.add_sent(usize::try_from(upload.bytes()).unwrap_or(usize::MAX));
        }
    }

    /// The request has become a tunnel.
    pub(super) fn begin_tunnel(&mut self, protocol: &UpgradeProtocol) {
        self.record.begin_tunnel(protocol);
    }

    /// The tunnel has ended.
    pub(super) fn end_tunnel(&mut self, end: End) {
        self.record.set_ending(ending_of_tunnel(end));
        match end {
            End::EndpointGone => self.fail_endpoint(),
            End::EndpointSilent => {
                self.metrics().increment(Counter::TunnelEndpointSilent);
                self.fail_endpoint();
            }
            End::ClientSilent => self.metrics().increment(Counter::TunnelClientSilent),
            End::ClientGone => {}
            End::Complete | End::Idle | End::Drained | End::Cut => self.complete(),
        }
    }

    /// Logs what the endpoint did wrong that has it.
    pub(super) fn log_fault(&self, fault: &EndpointFault<'_>) {
        fault.log(self.lease.as_ref().map(Lease::url), &self.record);
    }

    /// The claim on the endpoint that has it.
    pub(super) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Whose request it is.
    pub(super) fn client(&self) -> &Arc<Client> {
        self.record.client()
    }

    /// Counts of the gateway.
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        self.record.metrics()
    }
}

impl BodyObserver for InFlight {
    fn body_data(&mut self, bytes: usize) {
        self.record.add_bytes_out(bytes);
        if let Some(lease) = &mut self.lease {
            lease.add_received(bytes);
        }
    }

    fn body_trailers(&mut self, trailers: &HeaderMap) {
        self.record.note_grpc_status(trailers);
    }

    fn body_ended(&mut self, how: BodyEnd<'_>) {
        match how {
            BodyEnd::Complete => self.complete(),
            // What the client does to its own body is no failure of the endpoint.
            BodyEnd::Broken(error) if error.by == BrokenBy::Client => self.record.set_ending(AccessEnding::ClientGone),
            BodyEnd::Broken(error) => {
                self.log_fault(&EndpointFault::of_body(error));
                self.record.set_ending(AccessEnding::EndpointGone);
                self.fail_endpoint();
            }
            BodyEnd::ClientStalled => self.record.set_ending(AccessEnding::ClientStalled),
            BodyEnd::ClientGone => self.record.note_left(),
        }
    }
}

impl ExchangeObserver for InFlight {
    fn connected(&mut self) {
        self.metrics().increment(Counter::UpstreamConnected);
        if let Some(lease) = &mut self.lease {
            lease.connected();
        }
    }

    fn reused(&mut self) {
        self.metrics().increment(Counter::UpstreamReused);
    }

    fn uploading(&mut self, progress: &UploadProgress) {
        self.upload = Some(progress.clone());
    }

    fn interim(&mut self, status: StatusCode, fields: &HeaderMap) {
        if let Some(interim) = &mut self.interim {
            let mut fields = fields.clone();
            strip_hop_by_hop(&mut fields);
            interim.send(status, &fields);
        }
    }
}

impl Meter for InFlight {
    fn to_endpoint(&mut self, bytes: usize) {
        if let Some(lease) = &mut self.lease {
            lease.add_sent(bytes);
        }
        self.metrics().add(Counter::TunnelBytesToEndpoint, bytes as u64);
    }

    fn to_client(&mut self, bytes: usize) {
        if let Some(lease) = &mut self.lease {
            lease.add_received(bytes);
        }
        self.record.add_bytes_out(bytes);
        self.metrics().add(Counter::TunnelBytesToClient, bytes as u64);
    }

    fn pinged_client(&mut self) {
        self.metrics().increment(Counter::TunnelPingToClient);
    }

    fn pinged_endpoint(&mut self) {
        self.metrics().increment(Counter::TunnelPingToEndpoint);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.settle_upload();
        self.record.write(self.lease.as_ref());
    }
}
