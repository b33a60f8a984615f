//! A call of gRPC, at either end, over either version: a head each way, then messages, then trailers.

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response};
use tidegate_tests::{Gateway, Http2, Raw, within};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// A call that is under way.
pub(super) struct Call {
    way: Way,
    path: String,
    /// Of the request.
    headers: HeaderMap,
    /// Bytes of messages that have come, and not been asked for.
    unread: Vec<u8>,
    has_ended: bool,
    trailers: HeaderMap,
}

enum Way {
    Http1(Raw),
    Http2Client { exchange: Option<tidegate_tests::Http2Exchange>, _connection: Http2 },
    Http2Server { respond: SendResponse<Bytes>, send: Option<SendStream<Bytes>>, receive: RecvStream },
}

pub(super) fn fields(all: &[(&'static str, &str)]) -> HeaderMap {
    all.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn lines(fields: &HeaderMap) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap())).collect()
}

fn read_lines(text: &str) -> HeaderMap {
    let lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let field = |(name, value): (&str, &str)| -> (HeaderName, HeaderValue) {
        (name.parse().unwrap(), value.trim().parse().unwrap())
    };
    lines.map(field).collect()
}

impl Call {
    fn new(way: Way, path: &str, headers: HeaderMap) -> Self {
        let (unread, trailers) = (Vec::new(), HeaderMap::new());
        Self { way, path: path.to_owned(), headers, unread, has_ended: false, trailers }
    }

    /// A client calls `path`, with this metadata.
    pub(super) async fn begin(
        gateway: &Gateway,
        version: Version,
        path: &str,
        metadata: &[(&'static str, &str)],
    ) -> Self {
        let mut headers = fields(&[("content-type", "application/grpc"), ("te", "trailers")]);
        headers.extend(fields(metadata));
        let way = match version {
            Version::Http1 => {
                let mut raw = gateway.raw().await;
                let head = "host: gateway.test\r\nconnection: TE\r\ntransfer-encoding: chunked\r\n";
                raw.write(format!("POST {path} HTTP/1.1\r\n{head}{}\r\n", lines(&headers)).as_bytes()).await;
                Way::Http1(raw)
            }
            Version::Http2 => {
                let mut connection = Http2::new(gateway.connect().await).await;
                let mut request = Request::builder().method(Method::POST).uri(path).header("host", "gateway.test");
                request.headers_mut().unwrap().extend(headers.clone());
                let exchange = Some(connection.begin(request.body(()).unwrap()).await);
                Way::Http2Client { exchange, _connection: connection }
            }
        };
        Self::new(way, path, headers)
    }

    /// The same over HTTP/2 with several fields of a name.
    pub(super) async fn begin_appending(gateway: &Gateway, path: &str, metadata: &[(&'static str, &str)]) -> Self {
        let mut connection = Http2::new(gateway.connect().await).await;
        let mut request = Request::builder().method(Method::POST).uri(path).header("host", "gateway.test");
        for (name, value) in [("content-type", "application/grpc")].iter().chain(metadata) {
            request = request.header(*name, *value);
        }
        let exchange = Some(connection.begin(request.body(()).unwrap()).await);
        Self::new(Way::Http2Client { exchange, _connection: connection }, path, HeaderMap::new())
    }

    /// The call that comes by a connection, at an endpoint.
    pub(super) async fn of_raw(mut raw: Raw) -> Option<Self> {
        let head = raw.read_head().await?;
        let path = head.split(' ').nth(1).unwrap().to_owned();
        Some(Self::new(Way::Http1(raw), &path, read_lines(&head)))
    }

    /// The call that comes on a stream, at an endpoint.
    pub(super) fn of_stream(request: Request<RecvStream>, respond: SendResponse<Bytes>) -> Self {
        let (parts, receive) = request.into_parts();
        Self::new(Way::Http2Server { respond, send: None, receive }, parts.uri.path(), parts.headers)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The head of the response.
    pub(super) async fn head(&mut self) -> (u16, HeaderMap) {
        match &mut self.way {
            Way::Http1(raw) => {
                let head = raw.read_head().await.unwrap();
                let headers = read_lines(&head);
                self.has_ended = headers.contains_key("content-length");
                (head.split(' ').nth(1).unwrap().parse().unwrap(), headers)
            }
            Way::Http2Client { exchange, .. } => {
                let (head, ()) = exchange.as_mut().unwrap().head().await.unwrap().into_parts();
                (head.status.as_u16(), head.headers)
            }
            Way::Http2Server { .. } => panic!("an endpoint"),
        }
    }

    /// Sends the head of the response.
    pub(super) async fn respond(&mut self, headers: HeaderMap) {
        match &mut self.way {
            Way::Http1(raw) => {
                let head = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n{}\r\n", lines(&headers));
                raw.write(head.as_bytes()).await;
            }
            Way::Http2Server { respond, send, .. } => {
                let mut response = Response::new(());
                *response.headers_mut() = headers;
                *send = Some(respond.send_response(response, false).unwrap());
            }
            Way::Http2Client { .. } => panic!("a client"),
        }
    }

    /// Sends a response that is a head alone.
    pub(super) async fn respond_alone(&mut self, headers: HeaderMap) {
        match &mut self.way {
            Way::Http1(raw) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{}\r\n", lines(&headers));
                raw.write(head.as_bytes()).await;
            }
            Way::Http2Server { respond, .. } => {
                let mut response = Response::new(());
                *response.headers_mut() = headers;
                let _ended = respond.send_response(response, true).unwrap();
            }
            Way::Http2Client { .. } => panic!("a client"),
        }
    }

    /// Sends a message.
    pub(super) async fn write(&mut self, message: &[u8]) {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        let bytes = [&[0][..], &length, message].concat();
        match &mut self.way {
            Way::Http1(raw) => {
                raw.write(&[format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()).await;
            }
            Way::Http2Client { exchange, .. } => exchange.as_mut().unwrap().write(bytes).await,
            Way::Http2Server { send, .. } => send_all(send.as_mut().unwrap(), bytes.into()).await,
        }
    }

    /// Nothing follows from this side.
    pub(super) async fn end(&mut self) {
        self.end_with(HeaderMap::new()).await;
    }

    /// Nothing but these trailers follows from this side.
    pub(super) async fn end_with(&mut self, trailers: HeaderMap) {
        match &mut self.way {
            Way::Http1(raw) => raw.write(format!("0\r\n{}\r\n", lines(&trailers)).as_bytes()).await,
            Way::Http2Client { exchange, .. } => exchange.as_mut().unwrap().finish(),
            Way::Http2Server { send, .. } => send.as_mut().unwrap().send_trailers(trailers).unwrap(),
        }
    }

    /// The next message; none at the end.
    pub(super) async fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = self.unread.get(1..5) {
                let end = 5 + u32::from_be_bytes(length.try_into().unwrap()) as usize;
                if self.unread.len() >= end {
                    return Some(self.unread.drain(..end).skip(5).collect());
                }
            }
            if self.has_ended || !self.fill().await {
                assert!(self.unread.is_empty(), "half a message: {:?}", self.unread);
                return None;
            }
        }
    }

    /// Reads a piece of the body; whether there was one.
    async fn fill(&mut self) -> bool {
        let piece = match &mut self.way {
            Way::Http1(raw) => {
                let line = read_line(raw).await;
                let size = usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("no size: {line:?}"));
                let piece = raw.read(size).await;
                if size == 0 {
                    self.trailers = read_trailers(raw).await;
                    self.has_ended = true;
                    return false;
                }
                assert_eq!(read_line(raw).await, "");
                piece
            }
            Way::Http2Client { exchange, .. } => match exchange.as_mut().unwrap().data().await.unwrap() {
                Some(data) => data.to_vec(),
                None => return false,
            },
            Way::Http2Server { receive, .. } => match within("a piece", receive.data()).await {
                Some(data) => {
                    let data = data.unwrap();
                    receive.flow_control().release_capacity(data.len()).unwrap();
                    data.to_vec()
                }
                None => return false,
            },
        };
        self.unread.extend(piece);
        true
    }

    /// What came behind the messages of the other side.
    pub(super) async fn trailers(&mut self) -> HeaderMap {
        match &mut self.way {
            Way::Http2Client { exchange, .. } => exchange.take().unwrap().rest().await.unwrap().trailers,
            _ => std::mem::take(&mut self.trailers),
        }
    }

    /// The client gives the call up: over HTTP/2 nothing else of the connection, which is what is returned.
    pub(super) fn cancel(mut self) -> Option<Self> {
        match &mut self.way {
            Way::Http2Client { exchange, .. } => exchange.as_mut().unwrap().reset(Reason::CANCEL),
            _ => return None,
        }
        Some(self)
    }

    /// How the endpoint sees that.
    pub(super) async fn cancelled(&mut self) -> String {
        match &mut self.way {
            Way::Http1(raw) => {
                raw.read_to_end().await;
                "closed".to_owned()
            }
            Way::Http2Server { send, .. } => {
                let send = send.as_mut().unwrap();
                let reason = within("a reset", std::future::poll_fn(|cx| send.poll_reset(cx))).await;
                reason.map_or_else(|error| error.to_string(), |reason| format!("{reason:?}"))
            }
            Way::Http2Client { .. } => panic!("a client"),
        }
    }
}

async fn read_line(raw: &mut Raw) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let byte = raw.read(1).await;
        assert_eq!(byte.len(), 1, "the connection ended behind {:?}", line.escape_ascii());
        line.extend(byte);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

async fn read_trailers(raw: &mut Raw) -> HeaderMap {
    let mut text = String::new();
    loop {
        let line = read_line(raw).await;
        if line.is_empty() {
            return read_lines(&text);
        }
        text += &line;
        text += "\r\n";
    }
}

async fn send_all(send: &mut SendStream<Bytes>, mut data: Bytes) {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        let granted = within("a window", std::future::poll_fn(|cx| send.poll_capacity(cx))).await.unwrap().unwrap();
        send.send_data(data.split_to(granted.min(data.len())), false).unwrap();
    }
}
