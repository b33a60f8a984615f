//! Bytes there and back, not looked at.

use std::cell::RefCell;
use std::net::{Shutdown, SocketAddr};

use socket2::SockRef;
use tokio::net::TcpStream;

thread_local! {
    /// An idle tunnel owns no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}

/// Passes on what comes, until both sides have ended.
pub(super) async fn tunnel(client: TcpStream, to: SocketAddr) -> std::io::Result<()> {
    let endpoint = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    endpoint.set_nodelay(true)?;
    let (mut client_done, mut endpoint_done) = (false, false);
    while !(client_done && endpoint_done) {
        let (from, into, done) = tokio::select! {
            ready = client.readable(), if !client_done => { ready?; (&client, &endpoint, &mut client_done) }
            ready = endpoint.readable(), if !endpoint_done => { ready?; (&endpoint, &client, &mut endpoint_done) }
        };
        match pass(from, into)? {
            Passed::Nothing | Passed::All => {}
            Passed::Left(rest) => write_all(into, &rest).await?,
            Passed::End => {
                *done = true;
                SockRef::from(into).shutdown(Shutdown::Write)?;
            }
        }
    }
    Ok(())
}

enum Passed {
    Nothing,
    All,
    /// What the other side did not take.
    Left(Vec<u8>),
    End,
}

/// Reads once, and writes as much of it as goes.
fn pass(from: &TcpStream, into: &TcpStream) -> std::io::Result<Passed> {
    BUFFER.with_borrow_mut(|buffer| {
        let count = match from.try_read(buffer) {
            Ok(0) => return Ok(Passed::End),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(Passed::Nothing),
            Err(error) => return Err(error),
        };
        let mut rest = buffer.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            match into.try_write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(Passed::Left(rest.to_vec())),
                Err(error) => return Err(error),
            }
        }
        Ok(Passed::All)
    })
}

async fn write_all(into: &TcpStream, mut rest: &[u8]) -> std::io::Result<()> {
    while !rest.is_empty() {
        into.writable().await?;
        match into.try_write(rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
