//! Bytes there and back, not looked at.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

thread_local! {
    /// An idle tunnel owns no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}

/// Passes on what comes, until both sides have ended.
pub(super) async fn tunnel(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut endpoint = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    endpoint.set_nodelay(true)?;
    let (mut client_read, mut client_write) = client.split();
    let (mut endpoint_read, mut endpoint_write) = endpoint.split();
    let (mut client_done, mut endpoint_done) = (false, false);
    while !(client_done && endpoint_done) {
        let (passed, into, done) = tokio::select! {
            passed = pass(&mut client_read, &endpoint_write), if !client_done => {
                (passed?, &mut endpoint_write, &mut client_done)
            }
            passed = pass(&mut endpoint_read, &client_write), if !endpoint_done => {
                (passed?, &mut client_write, &mut endpoint_done)
            }
        };
        match passed {
            Passed::All => {}
            Passed::Left(rest) => into.write_all(&rest).await?,
            Passed::End => {
                *done = true;
                into.shutdown().await?;
            }
        }
    }
    Ok(())
}

enum Passed {
    All,
    /// What the other side did not take.
    Left(Vec<u8>),
    End,
}

/// Reads once there is something, and writes as much of it as goes.
async fn pass(from: &mut ReadHalf<'_>, into: &WriteHalf<'_>) -> io::Result<Passed> {
    poll_fn(|context| poll_pass(from, into, context)).await
}

fn poll_pass(from: &mut ReadHalf<'_>, into: &WriteHalf<'_>, context: &mut Context<'_>) -> Poll<io::Result<Passed>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut read = ReadBuf::new(buffer);
        // Not `try_read`: after that less than the buffer came is not taken for the end of it, and costs a read more.
        ready!(Pin::new(from).poll_read(context, &mut read))?;
        let mut rest = read.filled();
        if rest.is_empty() {
            return Poll::Ready(Ok(Passed::End));
        }
        while !rest.is_empty() {
            match into.try_write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Ok(Passed::Left(rest.to_vec())));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(Passed::All))
    })
}
