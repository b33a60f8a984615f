//! Fields behind bodies, over HTTP/1.1 on both sides, and what a client of gRPC reads of failures.

use tidegate_tests::{Gateway, Origin, Raw};

/// An endpoint that reads a request to the end of its trailers, and sends `response`. What it read comes by the
/// channel.
async fn endpoint(response: String) -> (Origin, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (seen, requests) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::raw(move |mut raw: Raw| {
        let (seen, response) = (seen.clone(), response.clone());
        async move {
            while let Some(mut request) = raw.read_head().await {
                if request.contains("chunked") {
                    request += &raw.read_head().await.unwrap_or_default();
                }
                let _ended = seen.send(request);
                raw.write(response.as_bytes()).await;
            }
        }
    });
    (origin.start().await, requests)
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";

/// What comes back for `request`, up to `end`.
async fn response_to(gateway: &Gateway, request: &str, end: &str) -> String {
    let mut raw = gateway.raw().await;
    raw.write(request.as_bytes()).await;
    let mut response = String::new();
    while !response.ends_with(end) {
        let more = raw.read_some().await;
        assert!(!more.is_empty(), "{response:?} has no {end:?}");
        response += &String::from_utf8(more).unwrap();
    }
    response
}

#[tokio::test]
async fn trailers_go_both_ways_without_what_belongs_into_a_head() {
    let response = format!("{CHUNKED}Trailer: Sum, Set-Cookie\r\n\r\n1\r\nx\r\n0\r\nSum: 3\r\nSet-Cookie: a=b\r\n\r\n");
    let (origin, mut requests) = endpoint(response).await;
    let gateway = Gateway::before(&origin).await;
    let request = "POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\nTrailer: Digest\r\n\
        Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nDigest: 1\r\nHost: other\r\nContent-Length: 9\r\n\
        Authorization: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n";

    let response = response_to(&gateway, request, "0\r\nsum: 3\r\n\r\n").await;

    assert!(response.contains("\r\ntrailer: Sum, Set-Cookie\r\n"), "{response:?}");
    let request = requests.recv().await.unwrap();
    assert!(request.ends_with("\r\n\r\n2\r\nab\r\n0\r\ndigest: 1\r\n\r\n"), "{request:?}");
    for field in ["\r\nconnection: TE\r\nte: trailers\r\n", "\r\ntrailer: Digest\r\n"] {
        assert!(request.contains(field), "{field:?} in {request:?}");
    }
}

#[tokio::test]
async fn a_client_that_takes_no_trailers_gets_none() {
    let response = format!("{CHUNKED}Trailer: Sum\r\n\r\n1\r\nx\r\n0\r\nSum: 3\r\n\r\n");
    let (origin, mut requests) = endpoint(response).await;
    let gateway = Gateway::before(&origin).await;

    response_to(&gateway, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "1\r\nx\r\n0\r\n\r\n").await;

    let request = requests.recv().await.unwrap();
    assert!(!request.contains("\r\nte:") && !request.contains("\r\nconnection:"), "{request:?}");
}

#[tokio::test]
async fn the_status_of_grpc_needs_no_trailer_field() {
    let response = format!(
        "{CHUNKED}Content-Type: application/grpc\r\n\r\n1\r\nx\r\n0\r\ngrpc-status: 5\r\ngrpc-message: gone\r\n\r\n"
    );
    let (origin, _requests) = endpoint(response).await;
    let gateway = Gateway::before(&origin).await;
    let request = "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n";

    response_to(&gateway, request, "1\r\nx\r\n0\r\ngrpc-status: 5\r\ngrpc-message: gone\r\n\r\n").await;
}

#[tokio::test]
async fn a_connection_goes_on_behind_trailers() {
    let response = format!("{CHUNKED}\r\n1\r\nx\r\n0\r\nSum: 3\r\n\r\n");
    let (origin, mut requests) = endpoint(response).await;
    let gateway = Gateway::before(&origin).await;
    let mut raw = gateway.raw().await;

    for _ in 0..3 {
        raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n").await;
        assert_eq!(raw.read_answer().await.unwrap().text(), "x");
        assert!(requests.recv().await.unwrap().ends_with("0\r\na: b\r\n\r\n"));
    }

    assert_eq!(origin.connections(), 1);
}

/// A client of gRPC reads no other status than that of gRPC.
#[tokio::test]
async fn failures_are_read_by_clients_of_grpc() {
    let nobody = Origin::reserved();
    let text = "[[route]]\npath = \"/there\"\nto = \"http://{nobody}\"\n";
    let gateway = Gateway::configure(text).put("nobody", nobody.address()).start().await;
    for (path, content, status, code) in [
        ("/there", "application/grpc+proto", 200, "14"),
        ("/elsewhere", "application/grpc", 200, "12"),
        ("/there", "application/json", 503, ""),
        ("/elsewhere", "application/grpc-web", 404, ""),
    ] {
        let mut raw = gateway.raw().await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: {content}\r\nContent-Length: 0\r\n\r\n");
        raw.write(head.as_bytes()).await;

        let answer = raw.read_answer().await.unwrap();

        assert_eq!((answer.status.as_u16(), answer.header("grpc-status")), (status, code), "{path} {content}");
        assert_eq!(answer.header("grpc-message").is_empty(), code.is_empty(), "{path} {content}");
    }
    for (sample, expected) in [("5xx", 2.0), ("4xx", 2.0), ("2xx", 0.0)] {
        let series = format!("tidegate_requests_total{{class=\"{sample}\",protocol=\"http/1.1\"}}");
        assert_eq!(gateway.metric(&series), expected, "{sample}");
    }
}
