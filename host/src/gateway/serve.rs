//! The life of a client connection: accept → limits → tls → http → proxy. Every layer meets here, and only here.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::generations::Generations;
use super::parts::listeners::ListenerSettings;
use super::secure::{HandshakeError, count_crowded, secure};
use super::services::Services;
use crate::http;
use crate::lifecycle::{ConnectionGuard, LoadGuard, WorkerId};
use crate::listener::{self, Accepted, Gate, Permit, Refusal};
use crate::net::ACCEPTED_SEND_AT_ONCE;
use crate::policy::{ArrivalFacts, Scheme};
use crate::proxy::{self, Client, ListenerKey, Tunnel};
use crate::telemetry::{Counter, Gauge, GaugeGuard, Metrics, limited};

/// What it takes to serve a connection, whatever generation runs.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) services: Arc<Services>,
    pub(super) generations: Arc<Generations>,
}

/// A listener as its accept loop knows it, whatever generation runs.
pub(super) struct ListenerHandle {
    pub(super) key: ListenerKey,
    /// Where it listens; the port is the real one.
    pub(super) address: SocketAddr,
    pub(super) gate: Arc<Gate>,
}

/// A connection that has been let in.
struct AcceptedConnection {
    peer: SocketAddr,
    /// Where it came in.
    listener: SocketAddr,
    key: ListenerKey,
    settings: Arc<ListenerSettings>,
    permit: Permit,
    load: LoadGuard,
    open: GaugeGuard,
}

/// Accepts on one worker until `stop`. Runs within that worker's runtime.
pub(super) fn accept(
    serving: Arc<Serving>,
    handle: ListenerHandle,
    socket: std::net::TcpListener,
    stop: CancellationToken,
) {
    let drain = serving.services.drain.clone();
    drain.spawn(async move {
        let metrics = serving.services.observers.metrics.clone();
        let failed = |error: &std::io::Error| {
            metrics.increment(Counter::RefusedByError);
            limited!(warn, of: handle.address, listener = %handle.address, %error, "accept failed");
        };
        // Kept for connections that were in the queue when a reload closed this listener.
        let mut settings = serving.generations.live().listeners().get(&handle.key).cloned();
        let admit = |accepted| {
            if let Some(now) = serving.generations.live().listeners().get(&handle.key) {
                settings = Some(now.clone());
            }
            if let Some(settings) = &settings {
                admit(&serving, &handle, settings.clone(), accepted);
            }
        };
        if let Err(error) = listener::accept(socket, stop, admit, failed).await {
            tracing::error!(listener = %handle.address, %error, "cannot accept here");
        }
    });
}

/// Lets a connection in, and starts it here, or on the worker that holds the fewest if this one has more than its
/// share.
fn admit(serving: &Arc<Serving>, handle: &ListenerHandle, settings: Arc<ListenerSettings>, accepted: Accepted) {
    let Accepted { stream, peer } = accepted;
    let metrics = &serving.services.observers.metrics;
    metrics.increment(Counter::ConnectionAccepted);
    let permit = match handle.gate.enter(peer.ip(), settings.gate) {
        Ok(permit) => permit,
        Err(refusal) => {
            metrics.increment(match refusal {
                Refusal::Full => Counter::RefusedByListenerLimit,
                Refusal::ClientFull => Counter::RefusedByClientLimit,
            });
            tracing::debug!(listener = %handle.address, %peer, %refusal, "connection refused");
            return;
        }
    };
    let here = WorkerId::current().number();
    let worker = serving.services.workers.worker_for(here);
    let load = serving.services.workers.count_on(worker);
    let connection = AcceptedConnection {
        peer,
        listener: handle.address,
        key: handle.key,
        settings,
        permit,
        load,
        open: metrics.hold(Gauge::ConnectionsOpen),
    };
    if worker == here {
        start(serving.clone(), stream, connection);
    } else {
        move_to_worker(serving, stream, connection, worker);
    }
}

/// Moves an accepted socket to another worker's runtime.
fn move_to_worker(serving: &Arc<Serving>, stream: TcpStream, connection: AcceptedConnection, worker: usize) {
    let moved = stream.into_std();
    let serving_there = serving.clone();
    let on_its_way = serving.services.drain.hold();
    serving.services.workers.run_on(worker, move || {
        match moved.and_then(TcpStream::from_std) {
            Ok(stream) => start(serving_there, stream, connection),
            Err(error) => limited!(warn, of: (), %error, "connection lost between workers"),
        }
        drop(on_its_way);
    });
}

fn start(serving: Arc<Serving>, stream: TcpStream, connection: AcceptedConnection) {
    let drain = serving.services.drain.clone();
    drain.clone().spawn(async move {
        let (peer, listener) = (connection.peer, connection.listener);
        // Boxed: a spawned future is moved several times, and this one has some 8 KiB. It is gone before a tunnel
        // begins.
        let served = drain.unless_cut(Box::pin(serve(serving, stream, connection))).await;
        drop(drain);
        match served.unwrap_or(Err(ConnectionError::Cut)) {
            Ok(None) => {}
            Ok(Some(tunnel)) => tunnel.await,
            Err(ConnectionError::Handshake(error @ HandshakeError::NoProtocol(_))) => {
                limited!(warn, of: listener, %listener, %peer, %error, "a client speaks no protocol of its listener");
            }
            Err(error) => tracing::debug!(%peer, %error, "connection ended early"),
        }
    });
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Socket(#[from] std::io::Error),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("the drain deadline has passed")]
    Cut,
    #[error("{0}")]
    Http(#[from] http::ServeError),
}

/// Serves requests until the connection ends, or becomes a tunnel.
async fn serve(
    serving: Arc<Serving>,
    stream: TcpStream,
    connection: AcceptedConnection,
) -> Result<Option<Tunnel>, ConnectionError> {
    if !ACCEPTED_SEND_AT_ONCE {
        stream.set_nodelay(true)?;
    }
    let AcceptedConnection { peer, listener, key, settings, permit, load, open } = connection;
    // Only a listener on every address has to ask which one the client came to.
    let local = if listener.ip().is_unspecified() { stream.local_addr()? } else { listener };
    let (stream, secured) = secure(&serving.services.observers.metrics, &settings, stream.into()).await?;
    let scheme = if settings.tls.is_some() { Scheme::Https } else { Scheme::Http };
    let (name, certificate) = (&settings.name, secured.certificate);
    let facts = (name.is_some() || certificate.is_some())
        .then(|| Arc::new(ArrivalFacts { listener: name.clone(), certificate }));
    let client = Arc::new(Client {
        peer,
        local,
        listener: key,
        forwarded: http::Peer::new(Some(peer.ip()), local.port(), scheme == Scheme::Https),
        scheme,
        sni: secured.sni,
        facts,
        tls: secured.version,
        shown: secured.shown,
        drain: serving.services.drain.clone(),
        observers: serving.services.observers.clone(),
        limits: settings.http,
        guard: ConnectionGuard::holding((permit, load, open)),
    });
    drop(settings);
    let generations = &serving.generations;
    let served = proxy::serve(client, stream, || generations.live().snapshot.clone()).await;
    count_crowded(&serving.services.observers.metrics, &served);
    count_faults(&serving.services.observers.metrics, listener, peer, &served);
    Ok(served?)
}

/// What a client's connection did that no honest one does.
fn count_faults<T>(metrics: &Metrics, listener: SocketAddr, peer: SocketAddr, served: &Result<T, http::ServeError>) {
    match served {
        Err(http::ServeError::Flood(kind)) => {
            metrics.increment(Counter::for_flood(*kind));
            let remedy = kind.remedy();
            limited!(
                warn, of: (listener, kind), %listener, client = %peer, %kind, remedy,
                "flood of frames, connection closed"
            );
        }
        Err(http::ServeError::Malformed(_)) => metrics.increment(Counter::Http2Malformed),
        _ => {}
    }
}
