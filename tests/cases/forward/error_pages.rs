//! Pages of the operator's in place of the gateway's sentences.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response};
use tidegate_tests::{Gateway, Origin, Seen, get};

use crate::running::{Running, replace};

const SORRY: &str = "<!doctype html><title>sorry</title>";

/// An endpoint that responds with the status that its path ends with.
fn status_of(seen: &Seen) -> Option<Response<Full<Bytes>>> {
    let status: u16 = seen.target.rsplit('/').next()?.parse().ok()?;
    let response = Response::builder()
        .status(status)
        .header("content-type", "text/x-own")
        .header("content-encoding", "x-own")
        .header("etag", "\"1\"")
        .header("retry-after", "7");
    Some(response.body(Full::from("the endpoint's own")).unwrap())
}

fn text(nobody: &impl std::fmt::Display) -> String {
    format!(
        r#"
        [gateway]
        error_pages = {{ 404 = "lost.txt", 5xx = "sorry.html" }}
        [[route]]
        path = "/down"
        to = "http://{nobody}"
        response_headers = {{ set = {{ X-Frame-Options = "DENY" }} }}
        [[route]]
        path = "/own"
        to = "http://{nobody}"
        error_pages = {{ 5xx = "own.json" }}
        [[route]]
        path = "/exactly"
        to = "http://{nobody}"
        error_pages = {{ 5xx = "own.json", 503 = "exactly.xml" }}
        [[route]]
        path = "/shown"
        to = "http://{{a}}"
        error_pages = {{ 403 = "lost.txt", intercept = true }}
        [[route]]
        path = "/through"
        to = "http://{{a}}"
        [[route]]
        path = "/here"
        respond = {{ status = 503, body = "here" }}
    "#
    )
}

async fn gateway(a: &Origin) -> Gateway {
    let nobody = Origin::reserved();
    let setup = Gateway::configure(&text(&nobody.address())).origin(a);
    let setup = setup.file("sorry.html", SORRY).file("lost.txt", "lost\n");
    setup.file("own.json", "{}").file("exactly.xml", "<x/>").start().await
}

#[tokio::test]
async fn the_page_of_the_route_comes_before_that_of_the_gateway_and_the_status_before_its_class() {
    let a = Origin::named("a").answering(status_of).start().await;
    let gateway = gateway(&a).await;

    for (path, status, body, kind) in [
        ("/down", 503, SORRY, "text/html; charset=utf-8"),
        ("/own", 503, "{}", "application/json"),
        ("/exactly", 503, "<x/>", "application/xml"),
        ("/nowhere", 404, "lost\n", "text/plain; charset=utf-8"),
        ("/here", 503, "here", ""),
        ("/through/503", 503, "the endpoint's own", "text/x-own"),
    ] {
        let answer = gateway.get(path).await;

        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, body), "{path}");
        assert_eq!(answer.header("content-type"), kind, "{path}");
    }
    let down = gateway.get("/down").await;
    assert_eq!((down.header("cache-control"), down.header("x-frame-options")), ("no-store", "DENY"));
}

#[tokio::test]
async fn what_cannot_be_read_gets_a_page_and_its_connection_ends() {
    let a = Origin::named("a").start().await;
    let text = "[gateway]\nerror_pages = { 4xx = \"bad.html\" }\n[[route]]\npath = \"/\"\nto = \"http://{a}\"\n";
    let gateway = Gateway::configure(text).origin(&a).file("bad.html", SORRY).start().await;

    let fields = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(200));
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (fields.as_str(), 431),
    ] {
        let mut raw = gateway.raw().await;
        raw.write(head.as_bytes()).await;
        let answer = raw.read_answer().await.unwrap();

        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (status, SORRY), "{head:?}");
        assert_eq!(answer.header("connection"), "close", "{head:?}");
    }
}

#[tokio::test]
async fn an_endpoints_response_shows_a_page_only_where_that_is_said() {
    let a = Origin::named("a").answering(status_of).start().await;
    let gateway = gateway(&a).await;

    for (path, shown) in [
        ("/shown/403", Some("lost\n")),
        ("/shown/502", Some(SORRY)),
        ("/shown/200", None),
        ("/shown/401", None),
        ("/through/502", None),
    ] {
        let answer = gateway.get(path).await;

        assert!(path.ends_with(answer.status.as_str()), "the status stays: {answer:?}");
        assert_eq!(answer.text(), shown.unwrap_or("the endpoint's own"), "{path}");
        assert_eq!(answer.header("content-encoding"), if shown.is_some() { "" } else { "x-own" }, "{path}");
        assert_eq!(answer.headers.contains_key("etag"), shown.is_none(), "{path}");
        assert_eq!(answer.header("retry-after"), "7", "what is not about the content stays: {path}");
    }
    // The next request is served as well: what was not read of the endpoint's is in nobody's way.
    assert_eq!(gateway.get("/shown/200").await.status, 200);
}

#[tokio::test]
async fn head_has_no_page_and_grpc_has_its_own_words() {
    let a = Origin::named("a").answering(status_of).start().await;
    let gateway = gateway(&a).await;

    for path in ["/down", "/shown/502"] {
        let mut request = get(path);
        *request.method_mut() = Method::HEAD;
        let answer = gateway.send(request).await;

        assert_eq!((answer.text().as_str(), answer.header("content-type")), ("", "text/html; charset=utf-8"), "{path}");
        assert_eq!(answer.header("content-length"), SORRY.len().to_string(), "{path}");
    }
    let mut call = get("/down");
    call.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let answer = gateway.send(call).await;
    assert_eq!((answer.status.as_u16(), answer.header("grpc-status"), answer.text().as_str()), (200, "14", ""));
}

#[tokio::test]
async fn a_page_that_changes_is_read_again_and_one_that_may_not_be_is_refused() {
    let text = "[gateway]\nerror_pages = { 404 = \"lost.html\" }\n";
    let running = Running::start(Gateway::configure(text).file("lost.html", "one")).await;
    let shown = async || {
        let mut raw = running.raw().await;
        raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
        raw.read_answer().await.unwrap().text()
    };
    assert_eq!(shown().await, "one");

    running.swapped_by(|| replace(&running.folder().join("lost.html"), b"two")).await;
    assert_eq!(shown().await, "two");
    let line = running.said("generation is live").pop().unwrap();
    assert!(line.contains("error pages changed"), "{line}");

    let large = vec![b'x'; (1 << 20) + 1];
    let line = running.refused_after(|| replace(&running.folder().join("lost.html"), &large)).await;
    assert!(line.contains("lost.html") && line.contains("larger than 1 MiB"), "{line}");
    let gone = || std::fs::remove_file(running.folder().join("lost.html")).unwrap();
    let line = running.refused_after(gone).await;
    assert!(line.contains("page in `error_pages`: ") && line.contains("does not exist"), "{line}");
    assert_eq!(shown().await, "two");
}
