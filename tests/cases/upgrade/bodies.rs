//! Upgrades of requests that have a body (RFC 9110 §7.8), as Docker's `exec` and `attach` are.

use tidegate_tests::{Gateway, Origin, Raw, eventually};

const SWITCHED: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

async fn before(origin: &Origin) -> Gateway {
    let text = "[[route]]\npath = \"/none\"\nto = \"http://{raw}\"\n\
                [[route]]\npath = \"/kept\"\nto = \"balancer://kept\"\nupgrade = [\"any\"]\n\
                [[route]]\npath = \"/\"\nto = \"http://{raw}\"\nupgrade = [\"tcp\"]\n\
                [cluster.kept]\nendpoints = [\"http://{raw}\"]\nretry = { on = [503], methods = \"all\" }\n";
    Gateway::configure(text).origin(origin).start().await
}

/// Reads a body, of a length or in one chunk, says what it was behind its 101, and then says what comes.
async fn docker(mut raw: Raw) {
    while let Some(head) = raw.read_head().await {
        let head = head.to_lowercase();
        let body = if head.contains("content-length: 0") || head.starts_with("get") {
            Vec::new()
        } else if head.contains("transfer-encoding: chunked") {
            let chunked = raw.read(b"8\r\n{\"a\": 1}\r\n0\r\n\r\n".len()).await;
            chunked[3..11].to_vec()
        } else {
            raw.read(8).await
        };
        if !head.contains("\r\nupgrade: tcp\r\n") {
            raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain").await;
            continue;
        }
        raw.write(&[SWITCHED, b"body ", &body, b"\n"].concat()).await;
        loop {
            let some = raw.read_some().await;
            if some.is_empty() {
                return;
            }
            raw.write(&some).await;
        }
    }
}

const FIELDS: &str = "Host: h\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n";

#[tokio::test]
async fn the_body_goes_first_and_what_is_behind_it_is_the_tunnels() {
    let origin = Origin::raw(docker).start().await;
    let gateway = before(&origin).await;
    let length = "POST / HTTP/1.1\r\nContent-Length: 8\r\n";
    let chunked = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
    for (line, body, told) in [
        (length, "{\"a\": 1}", "body {\"a\": 1}\n"),
        ("POST /kept HTTP/1.1\r\nContent-Length: 8\r\n", "{\"a\": 1}", "body {\"a\": 1}\n"),
        (chunked, "8\r\n{\"a\": 1}\r\n0\r\n\r\n", "body {\"a\": 1}\n"),
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\n", "", "body \n"),
        ("GET / HTTP/1.1\r\n", "", "body \n"),
    ] {
        for (early, pieces) in [("", 1), ("early bytes", 1), ("early bytes", 7), ("GET / HTTP/1.1\r\n\r\n", 1)] {
            let mut raw = gateway.raw().await;
            let sent = format!("{line}{FIELDS}\r\n{body}{early}").into_bytes();
            for piece in sent.chunks(sent.len().div_ceil(pieces)) {
                raw.write(piece).await;
                tokio::task::yield_now().await;
            }
            let head = raw.read_head().await.expect("an answer");
            raw.write(b" and late").await;
            raw.finish().await;

            assert!(head.starts_with("HTTP/1.1 101"), "{line} {head}");
            let rest = String::from_utf8(raw.read_to_end().await).unwrap();
            assert_eq!(rest, format!("{told}{early} and late"), "{line} in {pieces}");
        }
    }
    eventually("the endpoint to be free", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn where_it_may_not_pass_it_is_a_request_with_a_body() {
    let origin = Origin::raw(docker).start().await;
    let gateway = before(&origin).await;
    let mut raw = gateway.raw().await;
    for _ in 0..2 {
        raw.write(format!("POST /none HTTP/1.1\r\nContent-Length: 8\r\n{FIELDS}\r\n{{\"a\": 1}}").as_bytes()).await;

        assert_eq!(raw.read_answer().await.expect("an answer").text(), "plain");
    }
}

/// The new protocol begins behind the request, however early the endpoint says so.
#[tokio::test]
async fn an_endpoint_that_switches_early_still_gets_the_body_first() {
    const SIZE: usize = 300_000;
    let origin = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        raw.write(&[SWITCHED, b"hello"].concat()).await;
        let body = raw.read(SIZE).await;
        let whole = body.iter().all(|byte| *byte == b'x');
        raw.write(format!(" {} {whole} ", body.len()).as_bytes()).await;
        let rest = raw.read(4).await;
        raw.write(&rest).await;
    });
    let origin = origin.start().await;
    let gateway = before(&origin).await;
    let mut raw = gateway.raw().await;
    raw.write(format!("POST / HTTP/1.1\r\nContent-Length: {SIZE}\r\n{FIELDS}\r\n").as_bytes()).await;
    eventually("the endpoint to be busy", || gateway.in_flight(&origin) == 1).await;

    raw.write(&[b'x'; SIZE]).await;
    raw.write(b"tail").await;

    assert!(raw.read_head().await.expect("an answer").starts_with("HTTP/1.1 101"));
    assert_eq!(String::from_utf8_lossy(&raw.read_to_end().await), format!("hello {SIZE} true tail"));
}
