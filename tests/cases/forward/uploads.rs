//! Request bodies that do not come.

use tidegate_tests::{Gateway, Origin, Raw};

/// A gateway before `origin` that waits `body_timeout` for a body, its requests kept for a second attempt or not.
async fn before(origin: &Origin, body_timeout: &str, kept: bool) -> Gateway {
    let retry = if kept { "retry = { on = [503], methods = \"all\" }\n" } else { "" };
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = {{ body_timeout = \"{body_timeout}\" }}\n\
         [[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[[route]]\npath = \"/refused\"\nrespond = {{ status = 403 }}\n\
         [cluster.pool]\nendpoints = [\"http://{}\"]\n{retry}",
        origin.address()
    );
    Gateway::configure(&text).start().await
}

/// Takes everything, and answers nothing.
async fn silent() -> Origin {
    Origin::raw(|mut raw: Raw| async move { _ = raw.read_to_end().await }).start().await
}

/// Failures of all endpoints.
fn failures(gateway: &Gateway) -> u64 {
    gateway.inner().registry().all().iter().flat_map(|(_, lives)| lives).map(|live| live.failures()).sum()
}

/// Sends `begin`, and returns once the gateway has lost patience with it.
async fn stall(gateway: &Gateway, begin: &str) {
    let mut raw = gateway.raw().await;
    raw.write(begin.as_bytes()).await;

    let answer = raw.read_answer().await.unwrap_or_else(|| panic!("{begin:?}: no answer"));

    assert_eq!(answer.status, 408, "{begin:?}");
    assert_eq!(answer.header("connection"), "close", "{begin:?}");
    assert!(raw.ends_properly().await, "{begin:?}: and then it ends");
}

const HALF: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234";

#[tokio::test]
async fn a_body_that_does_not_come_is_408_and_not_the_endpoints_fault() {
    let head = "POST / HTTP/1.1\r\nHost: h\r\n";
    for (origin, kept) in [(silent().await, false), (Origin::named("a").start().await, false), (silent().await, true)] {
        let gateway = before(&origin, "150ms", kept).await;
        stall(&gateway, HALF).await;
        stall(&gateway, &format!("{head}Content-Length: 10\r\n\r\n")).await;
        for chunks in
            ["", "5", "5;extension", "5\r\n0123", "5\r\n01234", "5\r\n01234\r\n", "5\r\n01234\r\n0\r\nA: b\r\n"]
        {
            stall(&gateway, &format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")).await;
        }

        assert_eq!((failures(&gateway), gateway.in_flight(&origin)), (0, 0));
    }
}

/// Neither an endpoint that takes nothing makes a client slow, nor an answer that has begun.
#[tokio::test]
async fn who_is_not_waited_for_is_not_late() {
    const SIZE: usize = 24 << 20;
    let (go, gate) = tokio::sync::watch::channel(false);
    let origin = Origin::raw(move |mut raw| {
        let mut gate = gate.clone();
        async move {
            let head = raw.read_head().await.unwrap_or_default();
            if head.starts_with("POST /early") {
                raw.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n").await;
                raw.read(10).await;
                raw.write(b"4\r\ndone\r\n0\r\n\r\n").await;
            } else if head.starts_with("POST /busy") {
                gate.wait_for(|open| *open).await.unwrap();
                raw.read(SIZE).await;
                raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").await;
            }
            raw.read_to_end().await;
        }
    });
    let origin = origin.start().await;
    let gateway = before(&origin, "150ms", false).await;
    let mut early = gateway.raw().await;
    early.write(b"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234").await;
    assert!(early.read_head().await.unwrap().starts_with("HTTP/1.1 200"));
    let mut busy = gateway.raw().await;
    let busy = tokio::spawn(async move {
        busy.write(format!("POST /busy HTTP/1.1\r\nHost: h\r\nContent-Length: {SIZE}\r\n\r\n").as_bytes()).await;
        busy.write(&vec![b'x'; SIZE]).await;
        busy.read_answer().await
    });

    for _ in 0..4 {
        stall(&gateway, HALF).await;
    }
    early.write(b"56789").await;
    go.send(true).unwrap();

    assert_eq!(String::from_utf8_lossy(&early.read(24).await), "5\r\nearly\r\n4\r\ndone\r\n0\r\n\r\n");
    assert_eq!(busy.await.unwrap().expect("an answer").text(), "done");
}

/// The time begins anew with each byte.
#[tokio::test]
async fn a_body_that_comes_in_drops_is_taken() {
    let origin = Origin::named("a").start().await;
    let gateway = before(&origin, "5s", false).await;
    let mut raw = gateway.raw().await;

    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n").await;
    for byte in b"0123456789" {
        raw.write(&[*byte]).await;
        tokio::task::yield_now().await;
    }

    assert_eq!(raw.read_answer().await.unwrap().seen().body, "0123456789");
}
