//! Bodies in pieces that would each be a packet.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tidegate_tests::{Gateway, Origin, eventually};

#[tokio::test]
async fn chunks_of_one_byte_reach_the_endpoint_together() {
    const BYTES: usize = 5000;
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let collecting = sizes.clone();
    let origin = Origin::raw(move |mut raw| {
        let sizes = collecting.clone();
        async move {
            raw.read_head().await;
            loop {
                let mut line = Vec::new();
                while !line.ends_with(b"\r\n") {
                    line.extend(raw.read(1).await);
                }
                let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
                sizes.lock().unwrap().push(size);
                raw.read(size + 2).await;
                if size == 0 {
                    break;
                }
            }
            raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let origin = origin.start().await;
    let gateway = Gateway::before(&origin).await;

    let mut raw = gateway.raw().await;
    let head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    raw.write(&[&head[..], &b"1\r\nx\r\n".repeat(BYTES), b"0\r\n\r\n"].concat()).await;

    assert_eq!(raw.read_answer().await.unwrap().status, 200);
    let sizes = sizes.lock().unwrap().clone();
    assert_eq!(sizes.iter().sum::<usize>(), BYTES);
    assert!(sizes.len() < BYTES / 20, "{} chunks", sizes.len());
}

#[tokio::test]
async fn a_small_piece_that_is_there_alone_goes_on_at_once() {
    let pieces = Arc::new(AtomicUsize::new(0));
    let counting = pieces.clone();
    let origin = Origin::raw(move |mut raw| {
        let pieces = counting.clone();
        async move {
            raw.read_head().await;
            while raw.read(6).await == b"1\r\nx\r\n" {
                pieces.fetch_add(1, Relaxed);
            }
        }
    });
    let origin = origin.start().await;
    let gateway = Gateway::before(&origin).await;

    let mut raw = gateway.raw().await;
    raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for number in 1..=20 {
        raw.write(b"1\r\nx\r\n").await;
        eventually("the piece to be there", || pieces.load(Relaxed) == number).await;
    }
}
