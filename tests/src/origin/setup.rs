//! What an origin is to be, before it starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

use super::{Kind, Origin, Reserved, Seen, Shared, serve};
use crate::Identity;

/// An endpoint that is about to start.
#[must_use = "an origin serves once it is started"]
pub struct OriginSetup {
    name: String,
    kind: Kind,
    tls: Option<TlsAcceptor>,
    place: Place,
}

enum Place {
    Free,
    Reserved(Reserved),
    At(SocketAddr),
    Unix(PathBuf),
}

impl OriginSetup {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, tls: None, place: Place::Free }
    }

    /// Speaks TLS.
    pub fn tls(mut self, identity: &Identity) -> Self {
        self.tls = Some(TlsAcceptor::from(identity.server_config()));
        self
    }

    /// Answers with what `responder` says, and as usual where that is none. It is asked about upgrades too.
    pub fn answering(
        mut self,
        responder: impl Fn(&Seen) -> Option<Response<Full<Bytes>>> + Send + Sync + 'static,
    ) -> Self {
        self.kind = Kind::Echo(Some(Arc::new(responder)));
        self
    }

    /// Listens on a port that was reserved.
    pub fn on(mut self, reserved: Reserved) -> Self {
        self.place = Place::Reserved(reserved);
        self
    }

    /// Listens there, at another loopback address for example.
    pub fn at(mut self, address: impl Into<SocketAddr>) -> Self {
        self.place = Place::At(address.into());
        self
    }

    /// Listens on a unix socket.
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.place = Place::Unix(path.into());
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start(self) -> Origin {
        let shared = Arc::new(Shared::default());
        let serving =
            serve::Serving { name: self.name.clone(), kind: self.kind, tls: self.tls, shared: shared.clone() };
        let mut address = None;
        match self.place {
            Place::Unix(path) => {
                let listener = UnixListener::bind(path).unwrap();
                shared.spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        serving.connection(stream);
                    }
                });
            }
            tcp => {
                let listener = match tcp {
                    Place::Reserved(reserved) => reserved.socket.listen(1024).unwrap(),
                    Place::At(address) => TcpListener::bind(address).await.unwrap(),
                    _ => TcpListener::bind("127.0.0.1:0").await.unwrap(),
                };
                address = Some(listener.local_addr().unwrap());
                shared.spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        stream.set_nodelay(true).unwrap();
                        serving.connection(stream);
                    }
                });
            }
        }
        Origin { name: self.name, address, shared }
    }
}
