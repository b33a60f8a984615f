//! How often the gateway asks for memory, per HTTP request, per new tunnel and per tunnel message. A guard: counts say
//! the same on every machine, seconds do not.
//!
//! Clients and endpoints run on the test's own thread, which is left out; whatever else is counted is the gateway's. That
//! is why there is one test only. To see the counts: `cargo test -p tidegate-tests --test allocations -- --nocapture`.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

mod counting;

use counting::Count;
use tidegate_tests::{Ca, Gateway, Origin, Raw, eventually};

/// Requests, tunnels or messages that set up whatever is set up once: pools, buffers, tables.
const WARM: u64 = 200;

/// Those that count.
const COUNTED: u64 = 500;

/// For all that count together: what happens now and then on a busy machine, such as a head that comes in two pieces.
const STRAY: Count = Count { allocations: 50, bytes: 100_000 };

/// For all messages together: nothing at all.
const NONE: Count = Count { allocations: 0, bytes: 0 };

/// At most so many allocations and bytes for one, in plain and over TLS. Lower them when they have become fewer.
const REQUEST: [Count; 2] = [at_most(15, 2_400), at_most(17, 2_600)];
const TUNNEL: [Count; 2] = [at_most(46, 31_000), at_most(192, 60_000)];
/// rustls puts each record that it encrypts into a buffer of its own: one there, one back.
const MESSAGE: [Count; 2] = [at_most(0, 0), at_most(2, 160)];

const fn at_most(allocations: u64, bytes: u64) -> Count {
    Count { allocations, bytes }
}

#[tokio::test]
async fn requests_tunnels_and_messages_ask_for_no_more_memory_than_they_did() {
    counting::leave_out_this_thread();
    let origin = echo().await;
    for (tls, over) in ["in plain", "over TLS"].into_iter().enumerate() {
        let gateway = before(&origin, tls == 1).await;
        let asked = [requests(&gateway).await, tunnels(&gateway).await, messages(&gateway).await];

        check(&format!("a request {over}"), asked[0], REQUEST[tls], STRAY);
        check(&format!("a new tunnel {over}"), asked[1], TUNNEL[tls], STRAY);
        check(&format!("a tunnel message {over}"), asked[2], MESSAGE[tls], NONE);
    }
}

/// GETs on one connection.
async fn requests(gateway: &Gateway) -> Count {
    let mut raw = gateway.raw().await;
    each(async || {
        raw.write(b"GET /a/path HTTP/1.1\r\nHost: gateway.test\r\nUser-Agent: counted\r\nAccept: */*\r\n\r\n").await;
        assert_eq!(raw.read_answer().await.unwrap().status, 200);
    })
    .await
}

/// Connections that are switched, and ended by the client.
async fn tunnels(gateway: &Gateway) -> Count {
    let asked = each(async || {
        let mut tunnel = tunnel(gateway).await;
        tunnel.finish().await;
        assert_eq!(tunnel.read_to_end().await, b"");
    })
    .await;
    eventually("no tunnel", || gateway.metric("tidegate_tunnels_open") == 0.0).await;
    asked
}

/// Messages there and back, through one tunnel.
async fn messages(gateway: &Gateway) -> Count {
    let mut tunnel = tunnel(gateway).await;
    let message = [7; 66];
    each(async || {
        tunnel.write(&message).await;
        assert_eq!(tunnel.read(message.len()).await, message);
    })
    .await
}

/// An endpoint that answers every request, and sends back every byte after a switch.
async fn echo() -> Origin {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let serve = move |mut raw: Raw| async move {
        while let Some(head) = raw.read_head().await {
            if !head.to_ascii_lowercase().contains("upgrade: websocket") {
                raw.write(answer.as_bytes()).await;
                continue;
            }
            raw.write(switch.as_bytes()).await;
            loop {
                let some = raw.read_some().await;
                if some.is_empty() {
                    break;
                }
                raw.write(&some).await;
            }
            raw.finish().await;
        }
    };
    Origin::raw(serve).start().await
}

/// A gateway as it comes, with all three plugins, one worker, and no access log.
async fn before(origin: &Origin, tls: bool) -> Gateway {
    let listen = "[[listen]]\naddress = \"127.0.0.1:0\"\n";
    let secure = "tls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n";
    let rest = "[gateway]\nworkers = 1\n[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nendpoints = [\"http://{raw}\"]\n";
    let text = format!("{listen}{}{rest}", if tls { secure } else { "" });
    let setup = Gateway::configure(&text).origin(origin);
    let setup = if tls { setup.tls(&Ca::new(), &["localhost"]) } else { setup };
    setup.start().await
}

/// A connection that has been switched.
async fn tunnel(gateway: &Gateway) -> Raw {
    let request = "GET / HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut raw = gateway.raw().await;
    raw.write(request.as_bytes()).await;
    assert!(raw.read_head().await.unwrap().starts_with("HTTP/1.1 101"));
    raw
}

/// What the gateway asks for during so many of `one`, after some that are not counted.
async fn each(mut one: impl AsyncFnMut()) -> Count {
    for _ in 0..WARM {
        one().await;
    }
    let before = Count::now();
    for _ in 0..COUNTED {
        one().await;
    }
    Count::now().since(before)
}

fn check(what: &str, asked: Count, each: Count, stray: Count) {
    let one = |count: u64| count as f64 / COUNTED as f64;
    let said = format!("{what}: {} allocations, {} bytes", one(asked.allocations), one(asked.bytes));
    println!("{said}");
    let most = Count {
        allocations: each.allocations * COUNTED + stray.allocations,
        bytes: each.bytes * COUNTED + stray.bytes,
    };
    assert!(asked.allocations <= most.allocations && asked.bytes <= most.bytes, "{said}; at most {each:?}");
}
