//! Noticing that the other side has hung up, while what it had sent before is not read.

use std::io;
use std::os::fd::AsFd as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{Interest, Ready};
use tokio::net::{TcpStream, UnixStream};

use super::{Socket, Stream};

/// Notices the end of a connection beside the code that reads and writes it.
///
/// A read would not show it: the end comes behind the bytes that lie there, and code that may not take them waits for
/// ever. The kernel knows at once (`EPOLLRDHUP`, `EPOLLHUP`). It costs a second descriptor of the socket, with a
/// readiness of its own: only for those who need it.
#[derive(Debug)]
pub struct Hangup(Socket);

/// How far the other side has ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It sends no more (FIN).
    Sending,
    /// The connection is gone (RST).
    Both,
}

impl Hangup {
    /// Listens for the end of `stream`. Within a runtime.
    ///
    /// # Errors
    /// If there is no descriptor left.
    pub fn of(stream: &Stream) -> io::Result<Self> {
        let socket = stream.socket();
        let descriptor = socket.as_fd().try_clone_to_owned()?;
        Ok(Self(match socket {
            Socket::Tcp(_) => TcpStream::from_std(descriptor.into())?.into(),
            Socket::Unix(_) => UnixStream::from_std(descriptor.into())?.into(),
        }))
    }

    /// Ready once the other side has ended more than `known`.
    pub fn poll(&self, cx: &mut Context<'_>, known: Option<Ended>) -> Poll<Ended> {
        if self.poll_until(cx, Interest::WRITABLE, Ready::is_write_closed).is_ready() {
            return Poll::Ready(Ended::Both);
        }
        if known.is_some() {
            return Poll::Pending;
        }
        self.poll_until(cx, Interest::READABLE, Ready::is_read_closed).map(|()| Ended::Sending)
    }

    /// Ready once `ended` holds of one direction, or nothing more can be known.
    fn poll_until(&self, cx: &mut Context<'_>, direction: Interest, ended: fn(Ready) -> bool) -> Poll<()> {
        loop {
            let reading = direction == Interest::READABLE;
            let heard = ready!(match &self.0 {
                Socket::Tcp(socket) if reading => socket.poll_read_ready(cx),
                Socket::Tcp(socket) => socket.poll_write_ready(cx),
                Socket::Unix(socket) if reading => socket.poll_read_ready(cx),
                Socket::Unix(socket) => socket.poll_write_ready(cx),
            });
            match heard.and_then(|()| self.take(direction)) {
                Ok(readiness) if !ended(readiness) => {}
                Ok(_) | Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// What is known of one direction, which is then waited for anew. This descriptor is never read or written: what is
    /// taken away is not missed. That a direction has ended stays.
    fn take(&self, direction: Interest) -> io::Result<Ready> {
        fn at_once(ready: impl Future<Output = io::Result<Ready>>) -> Poll<io::Result<Ready>> {
            pin!(tokio::task::unconstrained(ready)).poll(&mut Context::from_waker(Waker::noop()))
        }
        let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let readiness = match &self.0 {
            Socket::Tcp(socket) => at_once(socket.ready(direction)),
            Socket::Unix(socket) => at_once(socket.ready(direction)),
        };
        _ = match &self.0 {
            Socket::Tcp(socket) => socket.try_io(direction, nothing),
            Socket::Unix(socket) => socket.try_io(direction, nothing),
        };
        match readiness {
            Poll::Ready(readiness) => readiness,
            Poll::Pending => Ok(Ready::EMPTY),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::super::Socket;
    use super::*;

    async fn pair() -> (TcpStream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        (client, Stream::Plain(Socket::from(accepted)))
    }

    async fn ended(hangup: &Hangup, known: Option<Ended>) -> Ended {
        tokio::time::timeout(Duration::from_secs(30), poll_fn(|cx| hangup.poll(cx, known))).await.unwrap()
    }

    #[tokio::test]
    async fn both_ways_to_end_are_heard_behind_bytes_that_nobody_reads() {
        for unread in [0, 1, 65, 64 * 1024] {
            let (mut client, stream) = pair().await;
            let hangup = Hangup::of(&stream).unwrap();
            client.write_all(&vec![b'x'; unread]).await.unwrap();
            client.shutdown().await.unwrap();
            assert_eq!(ended(&hangup, None).await, Ended::Sending, "behind {unread} bytes");

            client.set_zero_linger().unwrap();
            drop(client);
            assert_eq!(ended(&hangup, Some(Ended::Sending)).await, Ended::Both, "behind {unread} bytes");
        }
    }

    #[tokio::test]
    async fn bytes_are_no_end() {
        let (mut client, stream) = pair().await;
        let hangup = Hangup::of(&stream).unwrap();
        for _ in 0..3 {
            client.write_all(b"x").await.unwrap();
            let Socket::Tcp(socket) = stream.socket() else { panic!("it is TCP") };
            socket.readable().await.unwrap();
            assert!(poll_fn(|cx| Poll::Ready(hangup.poll(cx, None))).await.is_pending());
        }
        client.set_zero_linger().unwrap();
        drop(client);
        assert_eq!(ended(&hangup, None).await, Ended::Both);
    }
}
