//! The socket and its connections.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};

use super::service::AdminService;
use super::slots::{CallerSlot, CallerSlots};
use super::token::{TokenError, TokenFile};
use crate::config;
use crate::control::Control;
use crate::http::{self, ClientLimits, HttpVersions};
use crate::lifecycle::Drain;
use crate::net::{RESERVE, Socket, Stream, bind_hint, is_no_descriptor};
use crate::telemetry::limited;

/// What a caller may take. Nothing here is configured: callers are few and sit close.
const LIMITS: ClientLimits = ClientLimits {
    head_bytes: 16 * 1024,
    head_fields: 64,
    // A caller that has not shown the token within it is gone: the first response without one ends the connection.
    head_timeout: Duration::from_secs(5),
    // Longer than the usual interval between two scrapes.
    idle_timeout: Duration::from_secs(75),
    body_timeout: Duration::from_secs(10),
    linger: Duration::from_secs(1),
    linger_bytes: 128 * 1024,
    half_close: true,
    versions: HttpVersions::Http1,
    streams: 1,
};

/// Pause after an accept that failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(50);

/// How long callers may take to finish when everything else has.
const FAREWELL: Duration = Duration::from_secs(1);

/// The admin server. Bound from the beginning; it serves from [`Self::start`] until it is finished or dropped.
///
/// It has an end of its own: while the gateway drains, it goes on to serve.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Taken at the start.
    socket: Mutex<Option<std::net::TcpListener>>,
    /// The same socket again, to be handed on. It listens until its last duplicate is closed: this one goes at the end.
    kept: Mutex<Option<std::net::TcpListener>>,
    token: Option<Arc<TokenFile>>,
    life: Drain,
}

/// Why the admin server cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address.
    #[error("admin: cannot listen on {address}: {source}{}", bind_hint(source, "-ltnp"))]
    Address {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The token file.
    #[error("admin: {0}")]
    Token(#[from] TokenError),
}

impl Server {
    /// Binds, or takes `inherited` if that listens at the configured address, and reads the token once. The port is not
    /// shared: a second gateway that inherits nothing gets the error.
    ///
    /// # Errors
    /// [`BindError`] if the address is taken or the token file is no good.
    pub fn bind(config: &config::AdminConfig, inherited: Option<std::net::TcpListener>) -> Result<Self, BindError> {
        let token = config.token_file.as_deref().map(TokenFile::open).transpose()?.map(Arc::new);
        let failed = |source| BindError::Address { address: config.address, source };
        let is_ours =
            |socket: &std::net::TcpListener| socket.local_addr().is_ok_and(|address| address == config.address);
        let inherited = inherited.filter(is_ours).map(Ok);
        let socket = inherited.unwrap_or_else(|| std::net::TcpListener::bind(config.address)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let kept = Mutex::new(Some(socket.try_clone().map_err(failed)?));
        Ok(Self { address, socket: Mutex::new(Some(socket)), kept, token, life: Drain::new(NonZeroUsize::MIN) })
    }

    /// The same socket again, for a process that is to go on with it. None once the server has ended.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn duplicate(&self) -> io::Result<Option<std::net::TcpListener>> {
        self.kept.lock().as_ref().map(std::net::TcpListener::try_clone).transpose()
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves calls, on the runtime that this is called on. The second time does nothing.
    pub fn start(&self, control: Arc<dyn Control>) {
        let Some(socket) = self.socket.lock().take() else { return };
        let service = Arc::new(AdminService::new(control, self.token.clone()));
        let life = self.life.clone();
        // Before the log says that it listens, and before clients are let in.
        RESERVE.begin();
        tracing::info!(address = %self.address, "admin listening");
        self.life.spawn(async move {
            if let Err(error) = accept(socket, &service, &life).await {
                tracing::error!(%error, "admin cannot accept");
            }
        });
    }

    /// Ends it, once callers have their responses.
    pub async fn finish(&self) {
        *self.kept.lock() = None;
        self.life.finish(FAREWELL).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.life.cut();
    }
}

async fn accept(socket: std::net::TcpListener, service: &Arc<AdminService>, life: &Drain) -> io::Result<()> {
    let listener = TcpListener::from_std(socket)?;
    let slots = Arc::new(CallerSlots::default());
    loop {
        let accepted = tokio::select! {
            biased;
            () = life.started() => return Ok(()),
            accepted = next(&listener) => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let slot = slots.enter(peer.ip());
                let (service, connected) = (service.clone(), life.clone());
                life.spawn(async move { connection(&service, stream, peer, slot, connected).await });
                // A call that it has sent already is served before the next one can take its slot.
                tokio::task::yield_now().await;
            }
            Err(error) => {
                limited!(warn, of: (), %error, "admin accept failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The next connection, with a descriptor that is kept for it where no other is to be had.
async fn next(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|cx| match listener.poll_accept(cx) {
        Poll::Ready(Err(error)) if is_no_descriptor(&error) => RESERVE.lend(|| listener.poll_accept(cx)),
        accepted => accepted,
    })
    .await
}

async fn connection(service: &AdminService, stream: TcpStream, peer: SocketAddr, slot: CallerSlot, life: Drain) {
    // Only costs time if it fails.
    let _slower = stream.set_nodelay(true);
    let slot = &slot;
    let serve = http::serve(Stream::Plain(Socket::from(stream)), LIMITS, &life, |request| async move {
        match request.request {
            Ok(request) => service.serve(peer.ip(), slot, request).await,
            Err(refused) => refused.reply(),
        }
    });
    let served = tokio::select! {
        served = serve => served.map(drop),
        () = life.deadline() => Ok(()),
        () = slot.lost() => {
            tracing::debug!(%peer, "admin connection made room for another");
            Ok(())
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "admin connection ended early");
    }
}
