//! What an origin is to be, before it starts.

use std::future::Future;
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

use super::http2::Http2Origin;
use super::{Handler, Kind, Origin, Reserved, Seen, Shared, serve};
use crate::{Identity, within};

/// An endpoint that is about to start.
#[must_use = "an origin serves once it is started"]
pub struct OriginSetup {
    name: String,
    kind: Kind,
    tls: Option<Identity>,
    fields: Vec<serve::Field>,
    work: Duration,
    http2: Option<Http2Origin>,
    tunnel: Option<Handler>,
    abrupt: bool,
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
        Self {
            name: name.to_owned(),
            kind,
            tls: None,
            fields: Vec::new(),
            work: Duration::ZERO,
            http2: None,
            tunnel: None,
            abrupt: false,
            place: Place::Free,
        }
    }

    /// Speaks TLS.
    pub fn tls(mut self, identity: &Identity) -> Self {
        self.tls = Some(identity.clone());
        self
    }

    /// Speaks HTTP/2 and nothing else: by prior knowledge, under TLS by ALPN. Websockets are opened by extended CONNECT.
    pub fn http2(self) -> Self {
        self.http2_with(|_as_it_is| {})
    }

    /// The same, without extended CONNECT.
    pub fn http2_without_connect(mut self) -> Self {
        self.http2 = Some(Http2Origin::new(h2::server::Builder::new()));
        self
    }

    /// The same, with other limits.
    pub fn http2_with(mut self, set: impl FnOnce(&mut h2::server::Builder)) -> Self {
        let mut builder = h2::server::Builder::new();
        builder.enable_connect_protocol();
        set(&mut builder);
        self.http2 = Some(Http2Origin::new(builder));
        self
    }

    /// Speaks HTTP/1.1 too, if ALPN chooses it; without TLS that alone.
    pub fn http1_too(mut self) -> Self {
        self.http2 = self.http2.take().map(Http2Origin::beside_http1);
        self
    }

    /// Does with the connection behind a switch what `handler` does, whichever version carries it.
    pub fn tunnelling<F: Future<Output = ()> + Send + 'static>(
        mut self,
        handler: impl Fn(crate::Raw) -> F + Send + Sync + 'static,
    ) -> Self {
        self.tunnel = Some(Arc::new(move |io| Box::pin(handler(crate::Raw::new(io)))));
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

    /// Its connections break off with a reset when they are dropped, as those of a process that was killed amid its work.
    pub fn abrupt(mut self) -> Self {
        self.abrupt = true;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start(self) -> Origin {
        let shared = Arc::new(Shared::default());
        let (name, fields) = (self.name.clone(), Arc::new(self.fields));
        let versions: &[&[u8]] = match &self.http2 {
            None => &[],
            Some(http2) if http2.is_only => &[b"h2"],
            Some(_) => &[b"h2", b"http/1.1"],
        };
        let serving = serve::Serving {
            name,
            kind: self.kind,
            tls: self.tls.map(|identity| TlsAcceptor::from(identity.server_config(versions))),
            fields,
            work: self.work,
            http2: self.http2,
            tunnel: self.tunnel,
            shared: shared.clone(),
        };
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
                        if self.abrupt {
                            stream.set_zero_linger().unwrap();
                        }
                        serving.connection(stream);
                    }
                });
            }
        }
        Origin { name: self.name, address, shared }
    }
}
