//! The limit to compare with: a forwarder with one runtime per thread and one buffer per thread, which decides nothing.
//! What a proxy spends above it is the price of HTTP, TLS and decisions; over HTTP/2, which nobody can pass on unread,
//! of routes, counts, limits and clocks.
//!
//! ```text
//! --listen      bytes ─▶ bytes
//! --http2       HTTP/2 ─▶ requests: HTTP/1.1; below /both/: HTTP/2; extended CONNECT: a websocket over HTTP/1.1
//! --http2-tls   the same behind TLS
//! ```

mod bytes;
mod http1;
mod http2;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// From where, to where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Where to listen for HTTP/2 without TLS
    #[arg(long)]
    http2: Option<SocketAddr>,
    /// Where to listen for HTTP/2 behind TLS
    #[arg(long, requires = "certificate", requires = "key")]
    http2_tls: Option<SocketAddr>,
    /// Certificate chain, PEM
    #[arg(long)]
    certificate: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long)]
    key: Option<PathBuf>,
    /// Where to, in turn
    #[arg(long, required = true, value_delimiter = ',')]
    to: Vec<SocketAddr>,
    /// Threads; they share the ports
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Forwards until it is stopped.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let tls = match (&arguments.certificate, &arguments.key) {
        (Some(certificate), Some(key)) => Some(TlsAcceptor::from(Arc::new(server(certificate, key)?))),
        _ => None,
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads)
            .map(|number| {
                scope.spawn({
                    let tls = tls.clone();
                    move || work(arguments, tls, number)
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(_panic) => anyhow::bail!("a thread panicked"),
        })
    })
}

fn work(arguments: &Arguments, tls: Option<TlsAcceptor>, number: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let to: Arc<[SocketAddr]> = arguments.to.as_slice().into();
    if let Some(address) = arguments.http2 {
        runtime.spawn(accept_http2(bind(&runtime, address)?, None, to.clone()));
    }
    if let Some(address) = arguments.http2_tls {
        runtime.spawn(accept_http2(bind(&runtime, address)?, tls, to.clone()));
    }
    let listener = bind(&runtime, arguments.listen)?;
    runtime.block_on(LocalSet::new().run_until(async {
        let mut turns = to.iter().cycle().skip(number).copied();
        loop {
            let (client, _) = listener.accept().await?;
            let Some(to) = turns.next() else { return Ok(()) };
            tokio::task::spawn_local(async move {
                // Who breaks off is measured at the other end.
                let _broken = bytes::tunnel(client, to).await;
            });
        }
    }))
}

/// Not among local tasks: those are polled through a list of their own, which a task here would pay for at each wake.
async fn accept_http2(listener: TcpListener, tls: Option<TlsAcceptor>, to: Arc<[SocketAddr]>) -> std::io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        let (tls, to) = (tls.clone(), to.clone());
        tokio::spawn(async move {
            // As above.
            let _broken = serve_http2(client, tls, to).await;
        });
    }
}

async fn serve_http2(client: TcpStream, tls: Option<TlsAcceptor>, to: Arc<[SocketAddr]>) -> anyhow::Result<()> {
    client.set_nodelay(true)?;
    match tls {
        None => http2::serve(client, to).await,
        Some(tls) => http2::serve(tls.accept(client).await?, to).await,
    }
}

fn bind(runtime: &tokio::runtime::Runtime, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let _entered = runtime.enter();
    listen(address).with_context(|| address.to_string())
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Full handshakes, and HTTP/2 chosen by ALPN.
fn server(certificate: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&read(key)?)?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.send_tls13_tickets = 0;
    Ok(config)
}
