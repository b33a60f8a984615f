//! Real endpoints.
//!
//! ```text
//! Origin::named("a")     HTTP: the request it saw, as JSON; websocket: greets, then echoes
//! Origin::streams(h)     HTTP/2: whatever the test does with each stream
//! Origin::raw(handler)   bytes: whatever the test does with the connection
//! Origin::reserved()     a port where connects are refused, until an origin starts on it
//! ```

mod http2;
mod serve;
mod setup;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http_body_util::Full;
use hyper::{Request, Response};
use serde::{Deserialize, Serialize};
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::BoxedIo;
use crate::http2::FrameLog;

pub use setup::OriginSetup;

type Responder = Arc<dyn Fn(&Seen) -> Option<Response<Full<Bytes>>> + Send + Sync>;
type StreamHandler =
    Arc<dyn Fn(Request<RecvStream>, SendResponse<Bytes>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
type Handler = Arc<dyn Fn(BoxedIo) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// An endpoint that runs. Dropping it closes its socket and cuts every connection.
#[derive(Debug)]
pub struct Origin {
    name: String,
    address: Option<SocketAddr>,
    shared: Arc<Shared>,
}

/// A port that is taken, and where connects are refused.
#[derive(Debug)]
pub struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

/// A request as an origin saw it, its body read to the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Name of the origin.
    pub endpoint: String,
    /// Method.
    pub method: String,
    /// Request target, byte for byte.
    pub target: String,
    /// Fields in the order they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body as text.
    pub body: String,
    /// Fields after the body, names in lower case.
    pub trailers: Vec<(String, String)>,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub version: String,
    /// `:authority` of HTTP/2.
    pub authority: Option<String>,
    /// `:scheme` of HTTP/2.
    pub scheme: Option<String>,
    /// `:protocol` of HTTP/2.
    pub protocol: Option<String>,
}

/// How a websocket ended, seen from the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A Close frame came, with this code.
    Closed(Option<u16>),
    /// The connection ended without one.
    Cut,
}

#[derive(Clone)]
enum Kind {
    Echo(Option<Responder>),
    Streams(StreamHandler),
    Raw(Handler),
}

/// How HTTP/2 connections are told to end.
#[derive(Clone, Copy, Debug)]
enum Leave {
    /// With what is under way finished.
    Gracefully,
    /// At once.
    Abruptly(Reason),
}

#[derive(Debug, Default)]
struct Shared {
    connections: AtomicUsize,
    open: AtomicUsize,
    broken: AtomicUsize,
    frames: Mutex<Vec<FrameLog>>,
    leaving: watch::Sender<Option<Leave>>,
    seen: Mutex<Vec<Seen>>,
    endings: Mutex<Vec<Ending>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Shared {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap().push(tokio::spawn(task).abort_handle());
    }
}

impl Origin {
    /// An endpoint for HTTP and websockets. It says `x-endpoint: NAME` in every response. A websocket is greeted with
    /// `hello from NAME`, and gets back what it sends; the first subprotocol that is asked for is chosen. Any other
    /// request gets the [`Seen`] as JSON, but for one to `/never`, that gets no answer, and one to `/mirror`: its body
    /// comes back as it comes, with those trailers that `Trailer` names, else `x-check`. `/torn` breaks off
    /// where that would end.
    pub fn named(name: &str) -> OriginSetup {
        OriginSetup::new(name, Kind::Echo(None))
    }

    /// An endpoint for HTTP/2 that does with each stream what `handler` does.
    pub fn streams<F: Future<Output = ()> + Send + 'static>(
        handler: impl Fn(Request<RecvStream>, SendResponse<Bytes>) -> F + Send + Sync + 'static,
    ) -> OriginSetup {
        let handler: StreamHandler = Arc::new(move |request, respond| Box::pin(handler(request, respond)));
        OriginSetup::new("streams", Kind::Streams(handler)).http2()
    }

    /// An endpoint that does with each connection what `handler` does.
    pub fn raw<F: Future<Output = ()> + Send + 'static>(
        handler: impl Fn(crate::Raw) -> F + Send + Sync + 'static,
    ) -> OriginSetup {
        let handler: Handler = Arc::new(move |io| Box::pin(handler(crate::Raw::new(io))));
        OriginSetup::new("raw", Kind::Raw(handler))
    }

    /// An endpoint that answers the first head of each connection with `bytes`, once true has been sent.
    pub fn gated(bytes: &'static [u8]) -> (OriginSetup, watch::Sender<bool>) {
        let (open, gate) = watch::channel(false);
        let setup = Self::raw(move |mut raw| {
            let mut gate = gate.clone();
            async move {
                raw.read_head().await;
                gate.wait_for(|open| *open).await.unwrap();
                raw.write(bytes).await;
            }
        });
        (setup, open)
    }

    /// An endpoint that answers the head of each request with `bytes`, and then keeps the connection until the other
    /// side ends it.
    pub fn saying(bytes: impl Into<Vec<u8>>) -> OriginSetup {
        let bytes = Arc::new(bytes.into());
        Self::raw(move |mut raw| {
            let bytes = bytes.clone();
            async move {
                while raw.read_head().await.is_some() {
                    raw.write(&bytes).await;
                }
            }
        })
    }

    /// A port where nobody listens yet.
    #[must_use]
    pub fn reserved() -> Reserved {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        Reserved { socket, address }
    }

    /// As set up.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    ///
    /// # Panics
    /// On a unix socket.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.expect("a tcp origin")
    }

    /// Connections ever accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Relaxed)
    }

    /// Websockets open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Relaxed)
    }

    /// Requests that came whole, upgrades included, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Bodies of requests that ended before their end.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.shared.broken.load(Relaxed)
    }

    /// What was on the wire of its HTTP/2 connections, oldest first.
    #[must_use]
    pub fn frames(&self) -> Vec<FrameLog> {
        self.shared.frames.lock().unwrap().clone()
    }

    /// Has its HTTP/2 connections end with GOAWAY once what is under way is finished.
    pub fn go_away(&self) {
        self.shared.leaving.send_replace(Some(Leave::Gracefully));
    }

    /// Has its HTTP/2 connections end at once, with GOAWAY.
    pub fn go_away_at_once(&self, reason: Reason) {
        self.shared.leaving.send_replace(Some(Leave::Abruptly(reason)));
    }

    /// Closes its socket and cuts every connection, as if its process had been killed.
    pub fn kill(&self) {
        for task in self.shared.tasks.lock().unwrap().drain(..) {
            task.abort();
        }
    }

    /// How its websockets ended, oldest first.
    #[must_use]
    pub fn endings(&self) -> Vec<Ending> {
        self.shared.endings.lock().unwrap().clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Reserved {
    /// The port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Seen {
    /// Value of a field; none if it is not there or there twice.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.all(name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Every value of a field.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }
}
