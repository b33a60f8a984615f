//! Names that clients forge, for a server that believes them: behind the body, and in spellings of their own.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate_tests::{Gateway, Origin, OriginSetup, Raw};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const TEXT: &str = r#"
[gateway]
workers = 1
forwarded = { underscores = "pass" }
[cluster.auth]
endpoints = ["http://{auth}"]
[[route]]
path = "/app"
to = "http://{a}/app"
forward_auth = { cluster = "auth", path = "/verify", headers = ["remote-user"] }
[[route]]
path = "/old"
to = "http://{a}/old"
forward_auth = { cluster = "auth", path = "/verify", headers = ["remote_user", "remote-user"] }
[[route]]
path = "/set"
to = "http://{a}/set"
request_headers = { set = { X-User = "nobody", X-From = "$client_ip" }, remove = ["X-Role"] }
[[route]]
path = "/free"
to = "http://{a}/free"
"#;

/// Lets everybody in, as ann.
fn server() -> OriginSetup {
    Origin::named("auth").answering(|_| {
        let response = Response::builder().header("remote-user", "ann").header("remote_user", "ann");
        Some(response.body(Full::new(Bytes::new())).unwrap())
    })
}

/// An endpoint that reads requests of one chunk to the end of their trailers. What it read comes by the channel.
async fn endpoint() -> (Origin, UnboundedReceiver<[String; 2]>) {
    let (seen, requests) = unbounded_channel();
    let origin = Origin::raw(move |mut raw: Raw| {
        let seen = seen.clone();
        async move {
            while let Some(head) = raw.read_head().await {
                let behind = raw.read_head().await.unwrap_or_default();
                let _ended = seen.send([head, behind]);
                raw.write(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    (origin.start().await, requests)
}

#[tokio::test]
async fn what_a_server_believes_does_not_come_behind_the_body() {
    let (auth, (a, mut requests)) = (server().start().await, endpoint().await);
    let gateway = Gateway::configure(TEXT).put("auth", auth.address()).put("a", a.address()).start().await;
    for (path, left) in [
        ("/app", "x-from x-role x-user"),
        ("/old", "x-from x-role x-user"),
        ("/set", "remote-user remote.user"),
        ("/free", "remote-user remote.user x-from x-role x-user"),
    ] {
        let mut raw = gateway.raw().await;
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: 1\r\nRemote-User: root\r\n\
             Remote.User: root\r\nX-From: root\r\nX-Role: root\r\nX-User: root\r\n\r\n"
        );
        raw.write(request.as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().status, 204, "{path}");

        let [_, behind] = requests.recv().await.unwrap();

        let behind = behind.trim_end().strip_prefix("1\r\nx\r\n0\r\n").unwrap();
        let mut names: Vec<_> = behind.lines().map(|line| line.split(':').next().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names.join(" "), format!("digest {left}"), "{path}");
    }
}

#[tokio::test]
async fn a_name_is_taken_from_clients_in_the_plain_spelling_as_well() {
    let (auth, (a, mut requests)) = (server().start().await, endpoint().await);
    let gateway = Gateway::configure(TEXT).put("auth", auth.address()).put("a", a.address()).start().await;
    let mut raw = gateway.raw().await;
    let request = "POST /old HTTP/1.1\r\nHost: h\r\nRemote-User: root\r\nRemote_User: root\r\nRemote.User: root\r\n\
         Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    raw.write(request.as_bytes()).await;
    assert_eq!(raw.read_answer().await.unwrap().status, 204);

    let [head, _] = requests.recv().await.unwrap();

    assert!(head.contains("\r\nremote-user: ann\r\n") && head.contains("\r\nremote_user: ann\r\n"), "{head:?}");
    assert!(!head.contains("root"), "{head:?}");
}
