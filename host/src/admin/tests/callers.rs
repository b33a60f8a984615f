//! Who may call: tokens, strangers, and what the start refuses.

use super::*;

#[tokio::test]
async fn a_token_opens_everything_and_a_new_one_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "first\n").unwrap();
    let (server, _fake) = serve(Some(path.clone()));
    let at = server.address();
    let with = async |token: &str| {
        call(at, &format!("GET /api/v1/clusters HTTP/1.1\r\nAuthorization: Bearer {token}")).await.status
    };

    assert_eq!(call(at, "GET /healthz HTTP/1.1").await.status, 200);
    let without = call(at, "GET /metrics HTTP/1.1").await;
    assert_eq!(without.status, 401);
    assert!(without.head.contains("www-authenticate: bearer"), "{}", without.head);
    assert_eq!(with("first").await, 200);
    assert_eq!(with("second").await, 401);

    std::fs::write(&path, "second\n").unwrap();

    assert_eq!(with("first").await, 401);
    assert_eq!(with("second").await, 200);
}

#[tokio::test]
async fn a_taken_address_and_an_empty_token_are_refused_at_the_start() {
    let (server, _fake) = serve(None);
    let address = server.address();
    let empty = tempfile::NamedTempFile::new().unwrap();

    let taken = Server::bind(&AdminConfig { address, token_file: None, persist: None }, None).unwrap_err().to_string();
    let token_file = Some(empty.path().to_owned());
    let tokenless = Server::bind(&AdminConfig { address: ([127, 0, 0, 1], 0).into(), token_file, persist: None }, None)
        .unwrap_err()
        .to_string();

    assert!(taken.starts_with(&format!("admin: cannot listen on {address}: ")), "{taken}");
    assert!(taken.contains("another process listens there"), "{taken}");
    assert!(tokenless.contains("the token file is empty"), "{tokenless}");
    server.finish().await;
    assert!(TcpStream::connect(address).await.is_err(), "a finished server is gone");
}

/// A connection that keeps its answers apart by their length.
struct Kept(TcpStream);

impl Kept {
    async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// The head of the answer, whose body is read.
    async fn call(&mut self, head: &str) -> String {
        self.0.write_all(format!("{head}\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split_once("content-length: ").unwrap().1.split_once("\r\n").unwrap().0.parse().unwrap();
        self.0.read_exact(&mut vec![0; length]).await.unwrap();
        head
    }

    async fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).await.unwrap_or(0) == 0
    }
}

#[tokio::test]
async fn answers_without_the_token_close_and_those_with_it_do_not() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "right\n").unwrap();
    let (server, _fake) = serve(Some(token.path().to_owned()));
    let at = server.address();

    for head in ["GET /healthz HTTP/1.1", "GET /readyz HTTP/1.1", "GET /metrics HTTP/1.1", "GET /nowhere HTTP/1.1"] {
        let mut stranger = Kept::open(at).await;
        assert!(stranger.call(head).await.contains("connection: close\r\n"), "{head}");
        assert!(stranger.is_closed().await, "{head}");
    }
    let mut known = Kept::open(at).await;
    for _ in 0..3 {
        let head = known.call("GET /metrics HTTP/1.1\r\nAuthorization: Bearer right").await;
        assert!(head.starts_with("http/1.1 200") && !head.contains("connection: close"), "{head}");
    }
}

#[tokio::test]
async fn strangers_who_hold_connections_keep_neither_a_probe_nor_the_operator_out() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "right\n").unwrap();
    let (server, _fake) = serve(Some(token.path().to_owned()));
    let at = server.address();
    let mut operator = Kept::open(at).await;
    operator.call("GET /metrics HTTP/1.1\r\nAuthorization: Bearer right").await;

    for half in ["", "GET /healthz HTTP/1.1\r\n"] {
        let mut strangers = Vec::new();
        for _ in 0..200 {
            let mut stranger = TcpStream::connect(at).await.unwrap();
            stranger.write_all(half.as_bytes()).await.unwrap();
            strangers.push(stranger);
        }

        assert_eq!(call(at, "GET /healthz HTTP/1.1").await.status, 200, "{half:?}");
        let head = operator.call("GET /metrics HTTP/1.1\r\nAuthorization: Bearer right").await;
        assert!(head.starts_with("http/1.1 200"), "the operator's own connection is still there: {head}");
        let mut first = Kept(strangers.swap_remove(0));
        assert!(first.is_closed().await, "the first stranger made room");
    }
}

#[test]
fn a_token_in_what_is_no_file_is_none_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());

    let refused = token::TokenFile::open(&path).unwrap_err().to_string();

    assert!(refused.contains("it is a FIFO, expected a regular file"), "{refused}");
}
