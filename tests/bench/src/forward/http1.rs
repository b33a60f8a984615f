//! HTTP/1.1 with endpoints: connections that stay open, requests without a body, responses with a length; websockets.

use std::cell::RefCell;
use std::future::{Future as _, poll_fn};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, ensure};
use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Fields that a response may have.
const FIELDS: usize = 64;

/// Room to read into that is asked for at once.
const ROOM: usize = 64 << 10;

thread_local! {
    /// Connections that wait for work, each with whom it goes to.
    static WAITING: RefCell<Vec<(SocketAddr, TcpStream)>> = const { RefCell::new(Vec::new()) };
    /// Where requests are written.
    static REQUEST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// What is read into, cut off and given away: a read costs no copy, and an idle tunnel owns no buffer.
    static BUFFER: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(ROOM));
}

/// The rest of a response's body.
pub(super) struct Body {
    connection: TcpStream,
    from: SocketAddr,
    /// What came with the head.
    ahead: Bytes,
    /// Bytes that are still to come, `ahead` included.
    left: usize,
}

/// Sends one request without a body, and reads the head of its response.
pub(super) async fn exchange(to: SocketAddr, request: &Parts) -> anyhow::Result<(Response<()>, Body)> {
    let waiting = WAITING.with_borrow_mut(|waiting| {
        let at = waiting.iter().rposition(|(address, _)| *address == to)?;
        Some(waiting.swap_remove(at).1)
    });
    let mut connection = match waiting {
        Some(connection) => connection,
        None => connect(to).await?,
    };
    write(&mut connection, request, "").await?;
    let (response, ahead) = head(&mut connection).await?;
    let length = response.headers().get(CONTENT_LENGTH).context("a response without a length")?;
    let left = length.to_str()?.parse()?;
    ensure!(ahead.len() <= left, "more than a response");
    Ok((response, Body { connection, from: to, ahead, left }))
}

impl Body {
    /// How many bytes are still to come.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The next part; empty behind the last, and then the connection waits for other work.
    pub(super) async fn next(&mut self) -> anyhow::Result<Bytes> {
        let mut part = std::mem::take(&mut self.ahead);
        if part.is_empty() && self.left > 0 {
            part = read(&mut self.connection).await?;
            ensure!(!part.is_empty(), "closed within a body");
        }
        self.left = self.left.checked_sub(part.len()).context("more than a response")?;
        Ok(part)
    }

    /// Keeps the connection, if nothing of this response is still to come on it.
    pub(super) fn finish(self) {
        if self.left == 0 {
            WAITING.with_borrow_mut(|waiting| waiting.push((self.from, self.connection)));
        }
    }
}

/// Opens a websocket for the extended CONNECT that `request` is. What the endpoint said behind its head comes with it.
pub(super) async fn websocket(to: SocketAddr, request: &Parts) -> anyhow::Result<(TcpStream, Bytes)> {
    let mut connection = connect(to).await?;
    // The key is the one of RFC 6455 §1.3: nobody here keeps responses, which is what it guards against.
    let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    write(&mut connection, request, upgrade).await?;
    let (response, ahead) = head(&mut connection).await?;
    ensure!(response.status() == StatusCode::SWITCHING_PROTOCOLS, "not switched: {}", response.status());
    Ok((connection, ahead))
}

/// Reads once; nothing at the end.
pub(super) async fn read(connection: &mut (impl AsyncRead + Unpin)) -> io::Result<Bytes> {
    poll_fn(|context| poll_read(connection, context)).await
}

fn poll_read(connection: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.reserve(ROOM / 2);
        // Made anew at each poll, for the buffer is everybody's; what has begun is kept in the connection.
        let count = ready!(pin!(connection.read_buf(buffer)).poll(context))?;
        Poll::Ready(Ok(buffer.split_to(count).freeze()))
    })
}

async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(to).await?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// Writes the head of `request`, `more` among its fields.
async fn write(connection: &mut TcpStream, request: &Parts, more: &str) -> anyhow::Result<()> {
    let rest = REQUEST.with_borrow_mut(|out| {
        out.clear();
        let target = request.uri.path_and_query().context("a request without a path")?;
        let method = if request.method == Method::CONNECT { &Method::GET } else { &request.method };
        write!(out, "{method} {target} HTTP/1.1\r\n{more}")?;
        if let Some(authority) = request.uri.authority() {
            field(out, HOST.as_str(), authority.as_str().as_bytes());
        }
        for (name, value) in &request.headers {
            field(out, name.as_str(), value.as_bytes());
        }
        out.extend(b"\r\n");
        let written = match connection.try_write(out) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            written => written?,
        };
        anyhow::Ok(out.get(written..).unwrap_or_default().to_vec())
    })?;
    Ok(connection.write_all(&rest).await?)
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Reads the head of a response, and what came behind it.
async fn head(connection: &mut TcpStream) -> anyhow::Result<(Response<()>, Bytes)> {
    let mut bytes = read(connection).await?;
    loop {
        if let Some((response, length)) = parse(&bytes)? {
            return Ok((response, bytes.slice(length..)));
        }
        let more = read(connection).await?;
        ensure!(!more.is_empty(), "closed before a response");
        bytes = [bytes, more].concat().into();
    }
}

/// A head and its length; none if it is not all there yet. What only concerns one connection stays behind.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<(Response<()>, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(bytes)? else { return Ok(None) };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(head.code.context("a response without a status")?)?;
    response.headers_mut().reserve(head.headers.len());
    for field in head.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes())?;
        if ![CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT].contains(&name) {
            response.headers_mut().append(name, HeaderValue::from_bytes(field.value)?);
        }
    }
    Ok(Some((response, length)))
}
