//! A tunnel as bytes, in either version.

use bytes::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use tidegate_tests::{Http2, Raw};
use tokio_tungstenite::tungstenite::Error;

use super::table::Client;
use super::world::{TcpEnd, World, order};

/// An open tunnel. Over HTTP/2, dropping `raw` alone resets the stream.
pub(super) struct Tunnel {
    pub(super) raw: Raw,
    pub(super) headers: HeaderMap,
    pub(super) connection: Option<Http2>,
}

/// What came instead of a tunnel.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Tunnel {
    /// Opens one, on a connection of its own, and says what the endpoint is to do.
    pub(super) async fn ordered(world: &World, client: Client, request: Request<()>, end: TcpEnd, text: &str) -> Self {
        let mut tunnel = match Self::open(world, client, request, end).await {
            Ok(tunnel) => tunnel,
            Err(refusal) => panic!("no tunnel: {refusal:?}"),
        };
        tunnel.raw.write(&order(text)).await;
        tunnel
    }

    /// Opens one, on a connection of its own.
    pub(super) async fn open(
        world: &World,
        client: Client,
        request: Request<()>,
        end: TcpEnd,
    ) -> Result<Self, Refusal> {
        let io = world.connect(client, end).await;
        if client.is_http2() {
            let mut http2 = Http2::new(io).await;
            return match http2.try_connect(request).await {
                Ok((head, io)) => {
                    Ok(Self { raw: Raw::new(Box::new(io)), headers: head.headers().clone(), connection: Some(http2) })
                }
                Err(Error::Http(response)) => {
                    let (head, body) = response.into_parts();
                    Err(Refusal { status: head.status, headers: head.headers, body: body.unwrap_or_default().into() })
                }
                Err(error) => panic!("{error:?}"),
            };
        }
        let mut raw = Raw::new(io);
        let target = request.uri().path_and_query().unwrap();
        let mut head = format!("GET {target} HTTP/1.1\r\n");
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        raw.write((head + "\r\n").as_bytes()).await;
        let answer = raw.read_answer().await.expect("an answer");
        if answer.status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Self { raw, headers: answer.headers, connection: None });
        }
        Err(Refusal { status: answer.status, headers: answer.headers, body: answer.body })
    }
}
