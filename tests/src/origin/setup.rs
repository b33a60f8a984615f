//! What an origin is to be, before it starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::HeaderName;
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

use super::{Kind, Origin, Reserved, Seen, Shared, serve};
use crate::{Identity, within};

/// An endpoint that is about to start.
#[must_use = "an origin serves once it is started"]
pub struct OriginSetup {
    name: String,
    kind: Kind,
    tls: Option<TlsAcceptor>,
    fields: Vec<serve::Field>,
    work: Duration,
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
        Self { name: name.to_owned(), kind, tls: None, fields: Vec::new(), work: Duration::ZERO, place: Place::Free }
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

    /// Says this in every response, upgrades among them. `value` is asked each time.
    pub fn saying_in(mut self, name: &'static str, value: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.fields.push((HeaderName::from_static(name), Arc::new(value)));
        self
    }

    /// Works so long on each request that is no upgrade, as real servers do: then some are under way whenever something
    /// happens to it.
    pub fn working(mut self, work: Duration) -> Self {
        self.work = work;
        self
    }

    /// Listens on a port that was reserved.
    pub fn on(mut self, reserved: Reserved) -> Self {
        self.place = Place::Reserved(reserved);
        self
    }

    /// Listens there, at another loopback address for example, as soon as who listens there now is gone.
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
        let (name, fields) = (self.name.clone(), Arc::new(self.fields));
        let serving =
            serve::Serving { name, kind: self.kind, tls: self.tls, fields, work: self.work, shared: shared.clone() };
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
                    Place::At(address) => {
                        let listening = async {
                            loop {
                                match TcpListener::bind(address).await {
                                    Ok(listener) => break listener,
                                    Err(_still_taken) => tokio::task::yield_now().await,
                                }
                            }
                        };
                        within("the address to be free", listening).await
                    }
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
