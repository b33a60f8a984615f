//! The limit to compare with: a forwarder with one runtime per thread and one buffer per thread, which reads no byte of
//! what it forwards. What a proxy spends above it is the price of HTTP, TLS and decisions.

use std::cell::RefCell;
use std::net::{Shutdown, SocketAddr};

use anyhow::Context as _;
use clap::Args;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::LocalSet;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

thread_local! {
    /// An idle tunnel owns no buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}

/// From where, to where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Where to, in turn
    #[arg(long, required = true, value_delimiter = ',')]
    to: Vec<SocketAddr>,
    /// Threads; they share the port
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Forwards until it is stopped.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..arguments.threads).map(|number| scope.spawn(move || work(arguments, number))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(_panic) => anyhow::bail!("a thread panicked"),
        })
    })
}

fn work(arguments: &Arguments, number: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(LocalSet::new().run_until(async {
        let listener = listen(arguments.listen).with_context(|| arguments.listen.to_string())?;
        let mut turns = arguments.to.iter().cycle().skip(number).copied();
        loop {
            let (client, _) = listener.accept().await?;
            let Some(to) = turns.next() else { return Ok(()) };
            tokio::task::spawn_local(async move {
                // Who breaks off is measured at the other end.
                let _broken = tunnel(client, to).await;
            });
        }
    }))
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn tunnel(client: TcpStream, to: SocketAddr) -> std::io::Result<()> {
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
