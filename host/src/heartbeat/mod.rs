//! Receiving what Apache's mod_heartbeat sends: a socket, and a task that reads it.
//!
//! Any machine can send datagrams. One that is too long, is no heartbeat, or comes from an address that is no
//! endpoint's costs a read, a look and a count; nothing is kept of it.

mod senders;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::UdpSocket;

use crate::cluster::{Heartbeat, ReportSource};
use crate::config;
use crate::lifecycle::{Drain, Workers};
use crate::net;
use crate::telemetry::{Metrics, limited};

pub use senders::HeartbeatSenders;

/// Pause after a read that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// The worker that reads.
const WORKER: usize = 0;

/// The socket. Bound from the beginning; it is read from [`Self::start`] until the gateway drains.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    /// Taken at the start.
    socket: Mutex<Option<std::net::UdpSocket>>,
    /// The same socket again, to be handed on. Its port is taken until its last duplicate is closed.
    kept: Mutex<Option<std::net::UdpSocket>>,
}

/// The address of `[heartbeat]` cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("heartbeat: cannot listen on {address}: {source}{}", net::bind_hint(source, "-lunp"))]
pub struct ReceiverError {
    /// Which.
    address: SocketAddr,
    /// The error of the system.
    #[source]
    source: io::Error,
}

impl ReceiverError {
    /// The address, if it is at fault because another socket has it.
    #[must_use]
    pub fn address_in_use(&self) -> Option<SocketAddr> {
        (self.source.kind() == io::ErrorKind::AddrInUse).then_some(self.address)
    }
}

impl Receiver {
    /// Binds the address of `config`, or takes `inherited` if that is bound to it.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn bind(
        config: &config::HeartbeatConfig,
        inherited: Option<std::net::UdpSocket>,
    ) -> Result<Self, ReceiverError> {
        let failed = |source| ReceiverError { address: config.listen, source };
        let is_ours = |socket: &std::net::UdpSocket| socket.local_addr().is_ok_and(|address| address == config.listen);
        let inherited = inherited.filter(is_ours).map(Ok);
        let socket = inherited.unwrap_or_else(|| net::bind_datagrams(config.listen)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let kept = Mutex::new(Some(socket.try_clone().map_err(failed)?));
        Ok(Self { address, socket: Mutex::new(Some(socket)), kept })
    }

    /// The same socket again, for a process that is to go on with it. None after [`Self::keep_no_socket`].
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn duplicate(&self) -> io::Result<Option<std::net::UdpSocket>> {
        self.kept.lock().as_ref().map(std::net::UdpSocket::try_clone).transpose()
    }

    /// Closes the duplicate that is kept: nobody goes on with it any more, and the port is free once reading ends.
    pub fn keep_no_socket(&self) {
        *self.kept.lock() = None;
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads datagrams, on the first worker, until `drain` starts. `other_senders` is given the senders that are known
    /// and returns those that count now if they are others. The second call does nothing.
    pub fn start(
        &self,
        workers: &Workers,
        drain: &Drain,
        metrics: &Arc<Metrics>,
        other_senders: impl Fn(&HeartbeatSenders) -> Option<HeartbeatSenders> + Send + Sync + 'static,
    ) {
        let Some(socket) = self.socket.lock().take() else { return };
        let (address, drain, metrics) = (self.address, drain.clone(), metrics.clone());
        // A stop that comes before the worker has begun waits for it, too.
        let on_its_way = drain.hold();
        workers.run_on(WORKER, move || {
            drain.clone().spawn(async move {
                tracing::info!(%address, "hearing heartbeats");
                if let Err(error) = receive(socket, &drain, &metrics, other_senders).await {
                    tracing::error!(%address, %error, "cannot hear heartbeats");
                }
            });
            drop(on_its_way);
        });
    }
}

async fn receive(
    socket: std::net::UdpSocket,
    drain: &Drain,
    metrics: &Metrics,
    other_senders: impl Fn(&HeartbeatSenders) -> Option<HeartbeatSenders>,
) -> io::Result<()> {
    let socket = UdpSocket::from_std(socket)?;
    let mut senders = HeartbeatSenders::default();
    // One byte more than a heartbeat may have, so that a longer datagram is seen to be one.
    let mut buffer = [0; Heartbeat::LONGEST + 1];
    loop {
        let received = tokio::select! {
            biased;
            () = drain.started() => return Ok(()),
            received = socket.recv_from(&mut buffer) => received,
        };
        match received {
            Ok((length, sender)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                if let Some(others) = other_senders(&senders) {
                    senders = others;
                }
                if !senders.report(sender.ip().to_canonical(), datagram, metrics) {
                    tracing::debug!(%sender, "no heartbeat of an endpoint, ignored");
                    ReportSource::Heartbeat.count_ignored(metrics);
                }
            }
            Err(error) => {
                limited!(warn, of: (), %error, "a heartbeat could not be read");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
