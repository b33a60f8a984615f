//! An endpoint that costs little: HTTP/1.1 with keep-alive, HTTP/2 to whoever begins with its preface, and a websocket
//! echo over both.

mod http2;

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::load::frame::{self, Frame};

/// Which one to be.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one. The address is the first line of the output
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What it says in `X-Backend`
    #[arg(long, default_value = "endpoint")]
    name: String,
}

/// Serves until it is stopped.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| arguments.listen.to_string())?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let name = arguments.name.clone();
        tokio::spawn(async move {
            // Who breaks off is measured at the other end.
            let _broken = serve(stream, &name).await;
        });
    }
}

pub(crate) async fn serve(mut stream: TcpStream, name: &str) -> anyhow::Result<()> {
    let mut first = [0; http2::BEGIN.len()];
    if stream.peek(&mut first).await? == first.len() && first == *http2::BEGIN {
        return http2::serve(stream, name).await;
    }
    let mut buffer: Vec<u8> = Vec::with_capacity(16 << 10);
    loop {
        let end = loop {
            if let Some(at) = head_end(&buffer) {
                break at;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let rest = buffer.split_off(end);
        let head = String::from_utf8_lossy(&buffer).into_owned();
        buffer = rest;
        if field(&head, "upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
            let accept = derive_accept_key(field(&head, "sec-websocket-key").unwrap_or_default().as_bytes());
            let response = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nX-Backend: {name}\r\n\r\n"
            );
            stream.write_all(response.as_bytes()).await?;
            return echo(&mut stream, buffer).await;
        }
        let length: usize = field(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while buffer.len() < length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..length);
        let body = body(name, head.split_whitespace().nth(1).unwrap_or("/"));
        let length = body.len();
        let response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Backend: {name}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(response.as_bytes()).await?;
    }
}

/// What a response carries.
fn body(name: &str, path: &str) -> String {
    match path.rsplit_once("/size/").and_then(|(_, size)| size.parse().ok()) {
        Some(size) => "x".repeat(size),
        None => format!("{name} {path}\n"),
    }
}

/// Where the body begins, once the head is whole.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields
        .map(|(found, value)| (found, value.trim()))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, v)| v)
}

/// Sends whole frames back, a ping as a pong. A Close frame is sent back, and ends it.
async fn echo(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), mut buffer: Vec<u8>) -> anyhow::Result<()> {
    buffer.reserve(64 << 10);
    let mut out: Vec<u8> = Vec::with_capacity(64 << 10);
    loop {
        let (mut used, mut closing) = (0, false);
        while let Some(Frame { first, payload, whole }) = buffer.get_mut(used..).and_then(frame::read) {
            let first = if first & 0x0f == frame::PING { 0x80 | frame::PONG } else { first };
            frame::write(first, payload, None, &mut out);
            used += whole;
            closing |= first & 0x0f == frame::CLOSE;
        }
        buffer.drain(..used);
        if !out.is_empty() {
            stream.write_all(&out).await?;
            out.clear();
        }
        if closing {
            stream.shutdown().await?;
            return Ok(());
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}
