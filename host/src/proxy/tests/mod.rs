//! A server that is not hyper drives the proxy, with nothing more than the seam has: bodies and trailers both ways,
//! interim responses, many tunnels on one connection.

mod server;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::{
    Client, Destination, HeaderEdits, ListenerKey, Observers, ResponseDecider, RouteRules, RulesByListener, Snapshot,
    Timeouts, TlsPorts, Upgrades,
};
use crate::cluster::{Cluster, Member, Registry};
use crate::http::{ClientLimits, Forwarding, HttpVersions, Peer, Pseudonym, RequestBody, RequestBodyError};
use crate::lifecycle::{ConnectionGuard, Drain};
use crate::net::UpgradeProtocol;
use crate::policy::{
    ClusterId, Decision, Fault, ForwardTarget, LeastBusy, RequestFacts, ResponseContext, Rewriter, Rewritten, Routed,
    Router, Scheme,
};
use crate::telemetry::{AccessLog, AccessTarget, LineFormat, Metrics};
use crate::upstream::{Address, EndpointProtocol, HeadLimits, PoolLimits, Upstream, UpstreamSettings};
use server::Connection;

const SOON: Duration = Duration::from_secs(10);

/// Everything goes to the one cluster, and comes back as it is.
struct Straight;

impl Router for Straight {
    fn route(&self, _request: &RequestFacts) -> Result<Routed, Fault> {
        Ok(Decision::Forward(ForwardTarget { cluster: ClusterId(0), path: None, route: None }).into())
    }
}

impl Rewriter for Straight {
    fn interest(&self) -> &[HeaderName] {
        &[]
    }

    fn rewrite(
        &self,
        _context: &ResponseContext<'_>,
        _status: StatusCode,
        _fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Rewritten, Fault> {
        Ok(Rewritten::default())
    }
}

/// A client's connection, and the endpoint behind the gateway, which speaks the throw-away protocol of the other side.
fn stage() -> (Connection, UnixListener, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("endpoint");
    let listener = UnixListener::bind(&path).unwrap();
    let upstream = UpstreamSettings {
        url: "throwaway://endpoint".into(),
        known_as: "throwaway://endpoint".into(),
        address: Address::Unix(path),
        tls: None,
        authority: HeaderValue::from_static("endpoint"),
        base_path: String::new(),
        pool: PoolLimits { size: 10, idle: SOON },
        head: HeadLimits { bytes: 1024, fields: 10 },
        protocol: EndpointProtocol::Throwaway,
        metrics: crate::telemetry::Metrics::new(NonZeroUsize::MIN),
    };
    let member = Member::ready(Registry::default().live("cluster", "throwaway://endpoint"));
    let timeouts = Timeouts { connect: SOON, response: SOON, tunnel_idle: SOON, tunnel_ping: None };
    let destination = Destination {
        cluster: Arc::new(Cluster::new("cluster".into(), vec![member], Box::new(LeastBusy))),
        upstreams: vec![Upstream::new(upstream, NonZeroUsize::MIN)],
        balancer: "least-busy".into(),
        timeouts,
    };
    let rules = RouteRules {
        name: "/".into(),
        upgrades: Upgrades::Only(vec![UpgradeProtocol::Websocket]),
        plugins: Vec::new(),
        reverse: false,
        timeouts: None,
        request_headers: HeaderEdits::default(),
        withheld_trailers: None,
        response_headers: HeaderEdits::default(),
        preserve_host: false,
        access: None,
        error_pages: None,
    };
    let snapshot = Snapshot {
        generation: 1,
        router: Arc::new(Straight),
        sight: None,
        rewriter: None,
        reverse: ResponseDecider::new(Arc::new(Straight)),
        destinations: vec![destination],
        routes: Vec::new(),
        defaults: rules,
        forwarding: Forwarding::default(),
        certificate_rules: RulesByListener::new(),
        tls_ports: TlsPorts::new(),
        error_pages: None,
        keeps_notes: false,
        pseudonym: Pseudonym::random(),
    };
    let address = "127.0.0.1:80".parse().unwrap();
    let access = AccessLog::open(&AccessTarget::Off, LineFormat::Json).unwrap();
    let client = Client {
        peer: address,
        local: address,
        listener: ListenerKey { order: 0, address },
        forwarded: Peer::new(Some(address.ip()), 80, false),
        scheme: Scheme::Http,
        sni: None,
        facts: None,
        tls: None,
        shown: None,
        drain: Drain::new(NonZeroUsize::MIN),
        observers: Observers { metrics: Metrics::new(NonZeroUsize::MIN), access },
        limits: LIMITS,
        guard: ConnectionGuard::holding(()),
    };
    (Connection::new(client, snapshot), listener, folder)
}

const LIMITS: ClientLimits = ClientLimits {
    head_bytes: 8 * 1024,
    head_fields: 100,
    head_timeout: SOON,
    idle_timeout: SOON,
    body_timeout: SOON,
    linger: SOON,
    linger_bytes: 0,
    half_close: false,
    versions: HttpVersions::Any,
    streams: 100,
};

/// Takes a connection, reads a request to its end and sends `response` for it. The connection, and the request.
async fn respond(listener: &UnixListener, response: &str) -> (UnixStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\n.\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(response.as_bytes()).await.unwrap();
    (stream, String::from_utf8(request).unwrap())
}

fn trailers(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
}

fn body_of(frames: Vec<Result<Frame<Bytes>, RequestBodyError>>) -> RequestBody {
    let body = Box::pin(StreamBody::new(futures_util::stream::iter(frames)));
    RequestBody::Boxed { body, expects_continue: false }
}

#[tokio::test]
async fn bodies_trailers_and_interim_responses_go_through() {
    let (connection, listener, _folder) = stage();
    let body = body_of(vec![Ok(Frame::data("ab".into())), Ok(Frame::trailers(trailers("t", "1")))]);

    let (received, (_stream, request)) =
        tokio::join!(connection.request(Method::POST, body), respond(&listener, "103\n201\n=2\nhi=1\n!+sum 3\n.\n"));

    assert_eq!(request, "POST /a -\n=2\nab+t 1\n.\n");
    assert_eq!(received.interim, [StatusCode::EARLY_HINTS]);
    assert_eq!(received.status, StatusCode::CREATED);
    let body = received.body.collect().await.unwrap();
    assert_eq!(body.trailers(), Some(&trailers("sum", "3")));
    assert_eq!(body.to_bytes(), "hi!");
}

#[tokio::test]
async fn a_client_that_resets_its_request_is_the_one_at_fault() {
    let (connection, listener, _folder) = stage();
    let reset = RequestBodyError::Reset(crate::net::ResetReason::Cancelled);
    let body = body_of(vec![Ok(Frame::data("ab".into())), Err(reset)]);

    let (received, accepted) = tokio::join!(connection.request(Method::POST, body), listener.accept());

    assert_eq!(received.status, StatusCode::BAD_REQUEST);
    drop(accepted);
}

#[tokio::test]
async fn one_connection_carries_several_tunnels_at_a_time() {
    let (connection, listener, _folder) = stage();

    let (mut first, (mut first_endpoint, request)) =
        tokio::join!(connection.websocket(), respond(&listener, "101 websocket\n"));
    let (mut second, (mut second_endpoint, _)) =
        tokio::join!(connection.websocket(), respond(&listener, "101 websocket\n"));

    assert_eq!(request, "GET /a websocket\n.\n");
    for (client, endpoint, text) in
        [(&mut first, &mut first_endpoint, b"one"), (&mut second, &mut second_endpoint, b"two")]
    {
        client.write_all(text).await.unwrap();
        let mut passed = [0; 3];
        endpoint.read_exact(&mut passed).await.unwrap();
        assert_eq!(&passed, text);
    }
    second_endpoint.write_all(b"2").await.unwrap();
    assert_eq!(second.read_u8().await.unwrap(), b'2');
    // One ends; the other goes on.
    first.shutdown().await.unwrap();
    assert_eq!(first_endpoint.read(&mut [0]).await.unwrap(), 0);
    drop(first_endpoint);
    assert_eq!(first.read(&mut [0]).await.unwrap(), 0);
    second.write_all(b"!").await.unwrap();
    assert_eq!(second_endpoint.read_u8().await.unwrap(), b'!');
}
