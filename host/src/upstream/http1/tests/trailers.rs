//! Trailers of responses, and what an endpoint hears of them.

use super::*;

#[tokio::test]
async fn trailers_that_are_no_fields_or_too_many_break_a_body_off() {
    let many = "a: b\r\n".repeat(LIMITS.fields + 1);
    for trailers in ["no field\r\n", ": x\r\n", "a b: c\r\n", "a: \0\r\n", " a: b\r\n", &many] {
        let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n{trailers}\r\n");

        let (_, body, kept) = response_to(Method::GET, &text, false).await;

        assert!(matches!(body, Err(Broken::Trailers(_))), "{trailers:?}: {body:?}");
        assert!(!kept, "{trailers:?}");
    }
}

#[tokio::test]
async fn an_endpoint_hears_that_a_client_takes_trailers() {
    let takes = HeaderMap::from_iter([(::http::header::TE, HeaderValue::from_static("gzip, Trailers"))]);
    let (connection, mut theirs) = open();
    let (fields, shelf) = (Fields::end_to_end(&takes), Arc::new(Shelf::default()));
    let expected = "GET / HTTP/1.1\r\nhost: endpoint\r\nconnection: TE\r\nte: trailers\r\n\r\n";
    theirs.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();

    let head = head(&Method::GET, "/", &fields);
    connection.send(head, &mut empty(), SOON, &shelf, &mut Seen::default()).await.unwrap();

    let mut read = vec![0; expected.len()];
    theirs.read_exact(&mut read).await.unwrap();
    assert_eq!(String::from_utf8(read).unwrap(), expected);
}
