//! How it ends: by draining, at once, or at the deadline.

use std::sync::Arc;

use tidegate_tests::{Ending, Gateway, Origin, OriginSetup, Raw, eventually};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::running::Running;

const TEXT: &str = r#"
[gateway]
drain = "1h"
[[route]]
path = "/slow"
to = "http://{raw}"
[[route]]
path = "/"
to = "ws://{a}"
"#;

/// An endpoint that answers when it gets leave.
fn slow() -> (OriginSetup, Arc<Semaphore>) {
    let leave = Arc::new(Semaphore::new(0));
    let leaves = leave.clone();
    let origin = Origin::raw(move |mut raw| {
        let leave = leaves.clone();
        async move {
            while raw.read_head().await.is_some() {
                leave.acquire().await.unwrap().forget();
                raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").await;
            }
        }
    });
    (origin, leave)
}

/// A request that is with the slow endpoint now.
async fn waiting(running: &Running, slow: &Origin) -> Raw {
    let before = slow.connections();
    let mut raw = running.raw().await;
    raw.write(b"GET /slow HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    eventually("the request to be there", || slow.connections() > before).await;
    raw
}

#[tokio::test]
async fn sigterm_drains_websockets_get_1001_and_a_slow_response_completes() {
    let (slow, leave) = slow();
    let (slow, a) = (slow.start().await, Origin::named("a").start().await);
    let mut running = Running::start(Gateway::configure(TEXT).origin(&a).origin(&slow)).await;
    let address = running.address();
    let mut tunnels = [running.websocket("/").await, running.websocket("/").await];
    let mut response = waiting(&running, &slow).await;

    running.process.signal("TERM");

    for tunnel in &mut tunnels {
        assert_eq!(tunnel.ended().await, Some(1001), "a Close frame, and the end");
    }
    eventually("the origins to see the same", || a.endings() == [Ending::Closed(Some(1001)); 2]).await;
    let mut open = true;
    while open {
        open = TcpStream::connect(address).await.is_ok();
    }
    leave.add_permits(1);
    let answer = response.read_answer().await.expect("the whole response");
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "done"));
    assert_eq!(answer.header("connection"), "close", "there is no next request here");
    assert_eq!(running.process.ended().await.code(), Some(0));
    assert!(!running.said("signal=\"SIGTERM\"").is_empty(), "{:?}", running.process.stderr());
    assert_eq!(running.said("stopped cut=0").len(), 1, "nobody had to be cut off: {:?}", running.process.stderr());
}

#[tokio::test]
async fn a_second_sigint_stops_at_once() {
    let (slow, _never) = slow();
    let (slow, a) = (slow.start().await, Origin::named("a").start().await);
    let mut running = Running::start(Gateway::configure(TEXT).origin(&a).origin(&slow)).await;
    let mut response = waiting(&running, &slow).await;

    running.told("draining", || running.process.signal("INT")).await;
    running.told("second signal", || running.process.signal("INT")).await;

    assert!(response.read_answer().await.is_none(), "cut off");
    assert_eq!(running.process.ended().await.code(), Some(0));
    assert_eq!(running.said("drain deadline passed").len(), 1, "{:?}", running.process.stderr());
}

#[tokio::test]
async fn the_drain_deadline_cuts_what_is_left_and_exits() {
    let (slow, _never) = slow();
    let (slow, a) = (slow.start().await, Origin::named("a").start().await);
    let text = TEXT.replace("1h", "200ms");
    let mut running = Running::start(Gateway::configure(&text).origin(&a).origin(&slow)).await;
    let mut tunnel = running.websocket("/").await;
    let mut response = waiting(&running, &slow).await;

    running.process.signal("TERM");

    assert_eq!(tunnel.ended().await, Some(1001));
    assert!(response.read_answer().await.is_none(), "cut off");
    assert_eq!(running.process.ended().await.code(), Some(0));
    assert_eq!(running.said("drain deadline passed").len(), 1, "{:?}", running.process.stderr());
    assert_eq!(running.said("stopped cut=").len(), 1, "{:?}", running.process.stderr());
}
