//! A gateway in this process, from the text of a configuration.

mod setup;

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use tidegate::gateway::Stopped;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

use crate::ca::secure;
use crate::client::upgrade_request;
use crate::{Answer, BoxedIo, Http, Http2, LIMIT, Origin, Raw, Websocket, get, within};

pub use setup::Setup;

/// A gateway that runs in this process. Dropping it cuts everything.
#[derive(Debug)]
pub struct Gateway {
    inner: Arc<tidegate::gateway::Gateway>,
    setup: Setup,
}

impl Gateway {
    /// A gateway with this configuration; see [`Setup::write`] for what may be left out.
    pub fn configure(text: &str) -> Setup {
        Setup::new(text)
    }

    /// A gateway whose one route leads from `/` to `origin`.
    pub async fn before(origin: &Origin) -> Self {
        let text = "[[route]]\npath = \"/\"\nto = \"http://{origin}\"\n";
        Self::configure(text).put("origin", origin.address()).start().await
    }

    /// The gateway itself.
    #[must_use]
    pub fn inner(&self) -> &Arc<tidegate::gateway::Gateway> {
        &self.inner
    }

    /// The folder that the configuration is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.setup.folder()
    }

    /// Writes another configuration to the file; placeholders keep their values. Nothing is reloaded.
    pub fn rewrite(&mut self, text: &str) {
        text.clone_into(&mut self.setup.text);
        let _path = self.setup.write();
    }

    /// Where the first listener listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.inner.addresses()[0]
    }

    /// A connection to the first listener, TLS for `localhost` if it was set up so.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn connect(&self) -> BoxedIo {
        self.connect_as("localhost").await
    }

    /// The same, with another name asked for.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn connect_as(&self, name: &str) -> BoxedIo {
        self.try_connect(name).await.expect("a connection")
    }

    /// A connection, if the listener takes it and the handshake succeeds.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn try_connect(&self, name: &str) -> std::io::Result<BoxedIo> {
        let stream = within("a connection", TcpStream::connect(self.address())).await?;
        stream.set_nodelay(true)?;
        self.secure(name, stream).await
    }

    /// A connection from another loopback address, TLS left out.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn connect_from(&self, address: Ipv4Addr) -> BoxedIo {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        Box::new(within("a connection", socket.connect(self.address())).await.unwrap())
    }

    async fn secure(&self, name: &str, stream: TcpStream) -> std::io::Result<BoxedIo> {
        let Some(config) = &self.setup.client else { return Ok(Box::new(stream)) };
        Ok(secure(config, &[], name, stream).await?.0)
    }

    /// A connection for requests over HTTP/2 to the first listener: by ALPN if it speaks TLS, else by prior knowledge.
    ///
    /// # Panics
    /// If that fails.
    pub async fn http2(&self) -> Http2 {
        Http2::new(self.connect_http2("localhost").await.expect("a connection")).await
    }

    /// A connection to the first listener on which HTTP/2 has been agreed on, if it speaks TLS.
    ///
    /// # Errors
    /// What went wrong.
    ///
    /// # Panics
    /// If ALPN chooses something else.
    pub async fn connect_http2(&self, name: &str) -> std::io::Result<BoxedIo> {
        let stream = within("a connection", TcpStream::connect(self.address())).await?;
        stream.set_nodelay(true)?;
        let Some(config) = &self.setup.client else { return Ok(Box::new(stream)) };
        let (io, chosen) = secure(config, &["h2"], name, stream).await?;
        assert_eq!(chosen.as_deref(), Some("h2"), "chosen by ALPN");
        Ok(io)
    }

    /// A connection for bytes.
    pub async fn raw(&self) -> Raw {
        Raw::new(self.connect().await)
    }

    /// A connection for requests.
    pub async fn http(&self) -> Http {
        Http::new(self.connect().await).await
    }

    /// One request on a connection of its own.
    pub async fn send(&self, request: Request<http_body_util::Full<bytes::Bytes>>) -> Answer {
        self.http().await.send(request).await
    }

    /// One GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(get(path)).await
    }

    /// One GET whose target is sent byte for byte.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn get_exactly(&self, target: &str) -> Answer {
        let mut raw = self.raw().await;
        raw.write(format!("GET {target} HTTP/1.1\r\nHost: gateway.test\r\n\r\n").as_bytes()).await;
        raw.read_answer().await.unwrap_or_else(|| panic!("no answer to {target}"))
    }

    /// Opens a websocket on `path`, and reads the greeting of the origin at the other end.
    ///
    /// # Panics
    /// If that fails.
    pub async fn websocket(&self, path: &str) -> Websocket {
        match self.try_websocket(upgrade_request(path)).await {
            Ok(websocket) => websocket.greeted().await,
            Err(error) => panic!("websocket on {path}: {error:?}"),
        }
    }

    /// Opens a websocket, if the other side agrees.
    ///
    /// # Errors
    /// [`Error::Http`] is what was answered instead.
    pub async fn try_websocket(&self, request: Request<()>) -> Result<Websocket, Error> {
        Websocket::open(self.connect().await, request).await
    }

    /// What `origin` holds now, as the gateway counts it, in all clusters.
    #[must_use]
    pub fn in_flight(&self, origin: &Origin) -> u32 {
        self.live(origin, tidegate::cluster::Live::in_flight)
    }

    /// How often `origin` was chosen.
    #[must_use]
    pub fn picks(&self, origin: &Origin) -> u64 {
        self.live(origin, tidegate::cluster::Live::picks)
    }

    fn live<N: std::iter::Sum>(&self, origin: &Origin, number: impl Fn(&tidegate::cluster::Live) -> N) -> N {
        let address = origin.address();
        let names = [address.to_string(), format!("localhost:{}", address.port())];
        let all = self.inner.registry().all();
        let lives = all.iter().flat_map(|(_, lives)| lives);
        lives.filter(|live| names.iter().any(|name| live.url().contains(name))).map(|live| number(live)).sum()
    }

    /// One sample of the exposition, labels included: `tidegate_tunnels_open`. Zero if it is not there.
    ///
    /// # Panics
    /// If there is no exposition.
    #[must_use]
    pub fn metric(&self, sample: &str) -> f64 {
        let text = self.inner.metrics().expose().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// Stops it as SIGTERM does.
    pub fn stop(&self, patience: Duration) -> impl Future<Output = Stopped> + use<> {
        let inner = self.inner.clone();
        async move {
            let stopping = tokio::time::timeout(patience + LIMIT, inner.stop(patience));
            stopping.await.expect("the gateway to stop")
        }
    }
}
