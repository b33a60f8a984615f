//! From a bound socket to accepted connections.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::net::{RESERVE, bind_shared};

/// Pause after an accept that failed for want of descriptors or memory. Long enough not to spin, short enough not to be
/// noticed.
const PAUSE: Duration = Duration::from_millis(50);

/// Sockets that are bound and listen, one for each worker. Connections queue in the kernel until one accepts them.
#[derive(Debug)]
pub struct Bound {
    address: SocketAddr,
    sockets: Vec<std::net::TcpListener>,
}

/// A connection, and who made it.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub stream: TcpStream,
    /// The other end.
    pub peer: SocketAddr,
}

impl Bound {
    /// Binds one socket for each of `workers`.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn bind(address: SocketAddr, workers: NonZeroUsize) -> io::Result<Self> {
        let sockets = bind_shared(address, workers)?;
        let address = sockets.first().map_or(Ok(address), std::net::TcpListener::local_addr)?;
        Ok(Self { address, sockets })
    }

    /// Takes sockets that listen already, all at one address: those that another process handed on.
    ///
    /// # Errors
    /// If there is none, they are no sockets, or at several addresses.
    pub fn from_sockets(sockets: Vec<std::net::TcpListener>) -> io::Result<Self> {
        let unfit = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
        let address = sockets.first().ok_or_else(|| unfit("no socket"))?.local_addr()?;
        for socket in &sockets {
            if socket.local_addr()? != address {
                return Err(unfit("sockets at several addresses"));
            }
            socket.set_nonblocking(true)?;
        }
        Ok(Self { address, sockets })
    }

    /// The same sockets again: a connection that queues at one of them can be accepted from its duplicate. A socket
    /// listens until the last of its duplicates is closed.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub fn try_clone(&self) -> io::Result<Self> {
        let sockets = self.sockets.iter().map(std::net::TcpListener::try_clone).collect::<io::Result<_>>()?;
        Ok(Self { address: self.address, sockets })
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sockets, in the order of the workers.
    #[must_use]
    pub fn into_sockets(self) -> Vec<std::net::TcpListener> {
        self.sockets
    }
}

/// Accepts until `stop`, and hands each connection to `admit`.
///
/// # Errors
/// If the socket cannot be registered with this worker's runtime. A failed accept is no error: it is reported to
/// `failed`, and accepting goes on.
pub async fn accept(
    socket: std::net::TcpListener,
    stop: CancellationToken,
    mut admit: impl FnMut(Accepted),
    mut failed: impl FnMut(&io::Error),
) -> io::Result<()> {
    let listener = TcpListener::from_std(socket)?;
    // One for all accepts: a new one each time would enter and leave the token's list.
    let mut stopping = pin!(stop.cancelled());
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.as_mut() => break,
            accepted = next(&listener) => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(Accepted { stream, peer }),
            Err(error) => {
                failed(&error);
                if !is_about_one_connection(&error) {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    // What the kernel had completed before we stopped must not be reset: the socket shares its port with others only
    // while it lives. Take what is there.
    while let Some(Ok((stream, peer))) = ready_now(&listener).await {
        admit(Accepted { stream, peer });
    }
    Ok(())
}

/// The next connection. Descriptors that are kept for others are not taken for it.
async fn next(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|cx| RESERVE.behind(|| listener.poll_accept(cx))).await
}

/// A connection that waits in the queue, if there is one.
async fn ready_now(listener: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    tokio::select! {
        biased;
        accepted = listener.accept() => Some(accepted),
        () = std::future::ready(()) => None,
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_listen_already_are_taken_if_all_are_at_one_address() {
        let socket = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let one = socket();
        let address = one.local_addr().unwrap();

        let taken = Bound::from_sockets(vec![one.try_clone().unwrap(), one]).unwrap();

        assert_eq!(taken.address(), address);
        assert_eq!(taken.try_clone().unwrap().into_sockets().len(), 2);
        for unfit in [vec![], vec![socket(), socket()]] {
            assert_eq!(Bound::from_sockets(unfit).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }
}
