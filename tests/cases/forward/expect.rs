//! Clients that wait for a word before they send a body (RFC 9110 §10.1.1).

use tidegate_tests::{Gateway, Origin, Raw};

const POST: &str = "Host: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

/// An endpoint that answers as its path says, and writes the body it got into the answer.
async fn origin() -> Origin {
    let origin = Origin::raw(|mut raw: Raw| async move {
        while let Some(head) = raw.read_head().await {
            let expects = head.to_lowercase().contains("\r\nexpect: 100-continue\r\n");
            if head.contains("/refuse") {
                raw.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
                continue;
            }
            if head.contains("/accept") && expects {
                raw.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await;
                raw.write(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            let body = raw.read(5).await;
            let text = format!("{expects} {}", String::from_utf8_lossy(&body));
            raw.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).as_bytes()).await;
        }
    });
    origin.start().await
}

async fn before(origin: &Origin) -> Gateway {
    let text = "[[route]]\npath = \"/respond\"\nrespond = { status = 403, body = \"no\" }\n\
                [[route]]\npath = \"/kept\"\nto = \"balancer://kept\"\n\
                [[route]]\npath = \"/\"\nto = \"http://{raw}\"\n\
                [cluster.kept]\nendpoints = [\"http://{raw}\"]\nretry = { on = [503], methods = \"all\" }\n";
    Gateway::configure(text).origin(origin).start().await
}

#[tokio::test]
async fn a_refusal_comes_before_any_word_and_ends_the_connection() {
    let origin = origin().await;
    let gateway = before(&origin).await;
    for (path, status) in [("/refuse", 401), ("/kept/refuse", 401), ("/respond", 403)] {
        let mut raw = gateway.raw().await;

        raw.write(format!("POST {path} HTTP/1.1\r\n{POST}").as_bytes()).await;

        let answer = raw.read_answer().await.expect("an answer");
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (status, "close"), "{path}");
        assert!(raw.ends_properly().await, "{path}: what comes now could be a body or a request");
    }
}

#[tokio::test]
async fn the_endpoint_is_asked_and_its_word_is_passed_on() {
    let origin = origin().await;
    let gateway = before(&origin).await;
    let mut raw = gateway.raw().await;
    for path in ["/accept", "/kept/accept", "/accept"] {
        raw.write(format!("POST {path} HTTP/1.1\r\n{POST}").as_bytes()).await;
        let word = raw.read_head().await.expect("a word");
        raw.write(b"hello").await;

        assert_eq!(word, "HTTP/1.1 100 Continue\r\n\r\n", "{path}");
        assert_eq!(raw.read_answer().await.expect("an answer").text(), "true hello", "{path}");
    }
    assert_eq!(origin.connections(), 2, "connections are kept, one for each cluster");
}

#[tokio::test]
async fn an_endpoint_that_never_asks_gets_the_body_all_the_same() {
    let origin = origin().await;
    let gateway = before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(format!("POST /quiet HTTP/1.1\r\n{POST}").as_bytes()).await;
    let word = raw.read_head().await.expect("a word");
    raw.write(b"hello").await;

    assert_eq!(word, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(raw.read_answer().await.expect("an answer").text(), "true hello");
}

#[tokio::test]
async fn a_client_that_does_not_wait_is_served() {
    let origin = origin().await;
    let gateway = before(&origin).await;
    let mut raw = gateway.raw().await;

    raw.write(format!("POST /accept HTTP/1.1\r\n{POST}hello").as_bytes()).await;

    let mut answer = raw.read_answer().await.expect("an answer");
    if answer.status == 100 {
        answer = raw.read_answer().await.expect("the answer");
    }
    assert_eq!(answer.text(), "true hello");
}

#[tokio::test]
async fn without_a_body_or_in_an_old_version_nothing_is_expected() {
    let origin = origin().await;
    let gateway = before(&origin).await;
    for (line, fields) in [
        ("POST /old HTTP/1.0", "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"),
        ("POST /old HTTP/1.0", "Content-Length: 5\r\nExpect: a-miracle\r\n\r\nhello"),
        ("GET /refuse HTTP/1.1", "Expect: 100-continue\r\n\r\n"),
    ] {
        let mut raw = gateway.raw().await;

        raw.write(format!("{line}\r\nHost: h\r\n{fields}").as_bytes()).await;

        let answer = raw.read_answer().await.expect("an answer");
        assert!(answer.status == 401 || answer.text() == "false hello", "{line}: {answer:?}");
    }
}

#[tokio::test]
async fn what_nobody_can_fulfil_is_417() {
    let origin = origin().await;
    let gateway = before(&origin).await;
    for expect in ["a-miracle", "100-continue, a-miracle", "100-continue=x"] {
        let mut raw = gateway.raw().await;

        raw.write(format!("GET / HTTP/1.1\r\nHost: h\r\nExpect: {expect}\r\n\r\n").as_bytes()).await;

        assert_eq!(raw.read_answer().await.expect("an answer").status, 417, "{expect}");
    }
    assert_eq!(origin.connections(), 0);
}
