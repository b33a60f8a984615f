//! Tables that plugins look things up in.

use super::*;

#[tokio::test]
async fn one_table_is_taken_at_a_time() {
    let (server, _fake) = serve(None);
    let at = server.address();
    let head = |length: usize| {
        format!(
            "PUT /api/v1/plugins/tenants/table HTTP/1.1\r\nContent-Type: text/tab-separated-values\r\n\
             Content-Length: {length}"
        )
    };
    let long = "tenant\tcluster\n".repeat(10_000);

    let taken = call_with(at, &head(long.len()), &long).await;
    let mut slow = TcpStream::connect(at).await.unwrap();
    slow.write_all(format!("{}\r\nHost: {at}\r\nExpect: 100-continue\r\n\r\n", head(4)).as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    slow.read_exact(&mut interim).await.unwrap();
    let second = call_with(at, &head(4), "a\tb\n").await;
    slow.write_all(b"a\tb\n").await.unwrap();
    let mut first = [0; 15];
    slow.read_exact(&mut first).await.unwrap();

    assert_eq!((taken.status, taken.json()["entries"].as_u64()), (200, Some(10_000)), "{}", taken.body);
    assert_eq!((&interim, &first), (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK"));
    assert_eq!(second.status, 503);
    assert!(second.body.contains("another table"), "{}", second.body);
}
