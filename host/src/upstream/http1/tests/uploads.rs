//! Request bodies that come in small pieces, from a real client by way of hyper.

use std::num::NonZeroUsize;

use super::*;
use crate::http::{ClientLimits, HttpVersions, ResponseBody, serve};
use crate::lifecycle::Drain;

const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";

const CLIENT: ClientLimits = ClientLimits {
    head_bytes: 64 * 1024,
    head_fields: 100,
    head_timeout: SOON,
    idle_timeout: SOON,
    body_timeout: SOON,
    linger: SOON,
    linger_bytes: 0,
    half_close: false,
    versions: HttpVersions::Http1,
    streams: 1,
};

/// A client, and the endpoint that its request goes to.
fn between() -> (UnixStream, UnixStream) {
    let (client, server) = UnixStream::pair().unwrap();
    let (connection, endpoint) = open();
    let connection = Mutex::new(Some(connection));
    tokio::spawn(async move {
        let stream = Stream::Plain(Socket::Unix(server));
        let drain = Drain::new(NonZeroUsize::MIN);
        let served = serve(stream, CLIENT, &drain, |request| {
            let connection = connection.lock().take().unwrap();
            async move {
                let mut body = ResendableBody::new(request.request.unwrap().into_body(), None);
                let shelf = Arc::new(Shelf::default());
                post_body(connection, &mut body, &shelf).await.unwrap().0.map(|()| ResponseBody::empty())
            }
        });
        drop(served.await);
    });
    (client, endpoint)
}

/// What has come when it ends with `end`.
async fn read_until(endpoint: &mut UnixStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let came = tokio::time::timeout(SOON, endpoint.read_buf(&mut read)).await;
        assert!(came.is_ok_and(|came| came.unwrap() > 0), "{}", read.escape_ascii());
    }
    String::from_utf8(read).unwrap()
}

/// Sizes and data of the chunks behind the head.
fn chunks(request: &str) -> (Vec<usize>, String) {
    let mut rest = request.split_once("\r\n\r\n").unwrap().1;
    let (mut sizes, mut data) = (Vec::new(), String::new());
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        data.push_str(&behind[..size]);
        rest = &behind[size + 2..];
        sizes.push(size);
    }
    (sizes, data)
}

#[tokio::test]
async fn chunks_of_one_byte_go_on_together() {
    const BYTES: usize = 10_000;
    let (mut client, mut endpoint) = between();
    let body: Vec<u8> = (0..BYTES).flat_map(|at| format!("1\r\n{}\r\n", at % 10).into_bytes()).collect();

    let sending = tokio::spawn(async move {
        client.write_all(&[CHUNKED, &body, b"0\r\n\r\n"].concat()).await.unwrap();
        client
    });
    let request = read_until(&mut endpoint, "0\r\n\r\n").await;

    let (sizes, data) = chunks(&request);
    assert_eq!(data, "0123456789".repeat(BYTES / 10));
    assert!(sizes.len() < BYTES / 20, "{} chunks", sizes.len());
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn what_is_there_alone_does_not_wait_for_more() {
    let (mut client, mut endpoint) = between();

    for (sent, expected) in [(CHUNKED, ""), (b"2\r\nab\r\n", "2\r\nab\r\n"), (b"1\r\nc\r\n1\r\nd\r\n", "2\r\ncd\r\n")] {
        client.write_all(sent).await.unwrap();
        read_until(&mut endpoint, if expected.is_empty() { "\r\n\r\n" } else { expected }).await;
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut endpoint, "0\r\n\r\n").await, "0\r\n\r\n");
    endpoint.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(read_until(&mut client, "\r\n\r\n").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_body_whose_end_is_there_is_written_with_it() {
    for (body, expected) in [
        (&b"3\r\nabc\r\n0\r\n\r\n"[..], "3\r\nabc\r\n0\r\n\r\n"),
        (b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"),
        // There is nothing in them that may go on.
        (b"1\r\na\r\n0\r\nContent-Length: 3\r\nX-Forwarded-For: a\r\n\r\n", "1\r\na\r\n0\r\n\r\n"),
        (b"0\r\n\r\n", "\r\n\r\n0\r\n\r\n"),
    ] {
        let (mut client, mut endpoint) = between();

        client.write_all(&[CHUNKED, body].concat()).await.unwrap();

        let request = read_until(&mut endpoint, "0\r\n\r\n").await;
        assert!(request.ends_with(expected), "{request:?}");
    }
}

#[tokio::test]
async fn a_length_is_kept_to_whatever_the_pieces() {
    let (mut client, mut endpoint) = between();
    client.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3000\r\n\r\n").await.unwrap();
    read_until(&mut endpoint, "content-length: 3000\r\n\r\n").await;

    let sending = tokio::spawn(async move {
        for _ in 0..1000 {
            client.write_all(b"abc").await.unwrap();
            tokio::task::yield_now().await;
        }
        client
    });

    let mut body = vec![0; 3000];
    endpoint.read_exact(&mut body).await.unwrap();
    assert_eq!(body, b"abc".repeat(1000));
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn trailers_come_behind_all_that_was_gathered() {
    for body in ["1\r\na\r\n1\r\nb\r\n0\r\nSum: 2\r\nsum: 3\r\nHost: x\r\n\r\n", "0\r\nsum: 2\r\nSUM: 3\r\n\r\n"] {
        let (mut client, mut endpoint) = between();

        client.write_all(&[CHUNKED, body.as_bytes()].concat()).await.unwrap();

        let request = read_until(&mut endpoint, "0\r\nsum: 2\r\nsum: 3\r\n\r\n").await;
        let data = if body.starts_with('1') { "\r\n\r\n2\r\nab\r\n0\r\n" } else { "\r\n\r\n0\r\n" };
        assert!(request.contains(data), "{request:?}");
    }
}

/// A request whose body is `ab`, then trailers.
fn with_trailers(keep: Option<usize>) -> ResendableBody {
    let trailers = ::http::HeaderMap::from_iter([(HeaderName::from_static("sum"), HeaderValue::from_static("2"))]);
    let frames = [Ok(http_body::Frame::data("ab".into())), Ok(http_body::Frame::trailers(trailers))];
    let body = Box::pin(http_body_util::StreamBody::new(futures_util::stream::iter(frames)));
    ResendableBody::new(crate::http::RequestBody::Boxed { body, expects_continue: false }, keep)
}

#[tokio::test]
async fn trailers_of_a_request_that_was_not_sent_are_there_for_the_next_endpoint() {
    for keep in [None, Some(10)] {
        let (connection, theirs) = open();
        drop(theirs);
        let mut body = with_trailers(keep);

        let error = post_body(connection, &mut body, &Arc::new(Shelf::default())).await.unwrap_err();

        assert_eq!(error.sent, Sent::Nothing);
        let body = body.collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()["sum"], "2", "{keep:?}");
        assert_eq!(body.to_bytes(), "ab", "{keep:?}");
    }
}
