use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::*;
use crate::endpoint;
use crate::load::dialer::{Dialer, Version, echo};
use crate::scene::BOTH;

/// More than any of it takes.
const LIMIT: Duration = Duration::from_secs(20);

/// An endpoint, and the forwarder before it: where each listens.
async fn pair() -> (SocketAddr, SocketAddr) {
    let behind = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = behind.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = behind.accept().await {
            tokio::spawn(async move { endpoint::serve(stream, "one").await });
        }
    });
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(accept_http2(listener, None, Arc::from([endpoint])));
    (endpoint, address)
}

#[tokio::test]
async fn requests_and_websockets_go_through_over_http2() {
    tokio::time::timeout(LIMIT, async {
        let (endpoint, forwarder) = pair().await;
        for address in [endpoint, forwarder] {
            for path in ["/ws", "/ws/size/100000", &format!("{BOTH}ws"), &format!("{BOTH}ws/size/100000")] {
                let dialer = Dialer::new(&address.to_string(), path, "localhost", Version::Http2, false).unwrap();
                let session = dialer.session().await.unwrap();

                for _ in 0..3 {
                    let received = dialer.get(session.clone()).await.unwrap();
                    let size = path.rsplit_once('/').and_then(|(_, size)| size.parse().ok());
                    assert_eq!(received, size.unwrap_or("one \n".len() + path.len()), "{address} {path}");
                }
            }
            let dialer = Dialer::new(&address.to_string(), "/ws", "localhost", Version::Http2, false).unwrap();
            let mut tunnels = Vec::new();
            for _ in 0..10 {
                tunnels.push(dialer.websocket().await.unwrap());
            }
            for tunnel in &mut tunnels {
                for size in [5, 16 << 10, 300_000] {
                    echo(tunnel, &vec![7; size]).await.unwrap();
                }
            }
        }
    })
    .await
    .expect("nothing may hang");
}
