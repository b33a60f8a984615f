//! What was sent once is there to be sent again.

use tidegate_tests::{Origin, Raw};

use super::{failing, pool, request};

const ALL: &str = "retry = { on = [503, \"broken\"], methods = \"all\" }";

fn text(size: usize) -> String {
    (0..)
        .map(|number: usize| format!("{number} "))
        .flat_map(|word| word.into_bytes())
        .map(char::from)
        .take(size)
        .collect()
}

#[tokio::test]
async fn bodies_up_to_the_limit_survive_and_longer_ones_are_sent_once() {
    let (bad, good) = (failing("bad", 503).start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, ALL).start().await;
    for (size, kept) in [(8, true), (1000, true), (65_536, true), (65_537, false), (1_000_000, false)] {
        let before = bad.seen().len();
        while bad.seen().len() == before {
            let answer = gateway.send(request("POST", text(size))).await;
            if kept || bad.seen().len() == before {
                assert!(answer.seen().body == text(size), "{size} bytes arrive as they were");
            } else {
                assert_eq!(answer.status, 503, "{size} bytes are not sent twice");
            }
        }
        assert!(bad.seen().last().unwrap().body == text(size), "{size} bytes arrived there, too");
    }
}

#[tokio::test]
async fn chunked_bodies_survive_with_their_length_unknown() {
    let (bad, good) = (failing("bad", 503).start().await, Origin::named("good").start().await);
    let gateway = pool(&bad, &good, ALL).start().await;
    for (size, kept) in [(9, true), (65_536, true), (65_537, false)] {
        let before = bad.seen().len();
        while bad.seen().len() == before {
            let mut raw = gateway.raw().await;
            raw.write(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            for piece in text(size).as_bytes().chunks(5000) {
                raw.write(format!("{:x}\r\n", piece.len()).as_bytes()).await;
                raw.write(piece).await;
                raw.write(b"\r\n").await;
            }
            raw.write(b"0\r\n\r\n").await;
            let answer = raw.read_answer().await.unwrap();
            if kept || bad.seen().len() == before {
                assert!(answer.seen().body == text(size), "{size}");
            } else {
                assert_eq!(answer.status, 503, "{size}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_goes_on_where_the_client_is_when_the_endpoint_breaks_in_its_middle() {
    // It breaks as soon as it has seen the first part.
    let bad = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        raw.read(5).await;
    })
    .start()
    .await;
    let good = Origin::named("good").start().await;
    let gateway = pool(&bad, &good, ALL).start().await;
    let mut tries = 0;
    while bad.connections() == 0 {
        let mut raw = gateway.raw().await;
        raw.write(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nfirst").await;
        let (before, sent) = (good.connections(), bad.connections());
        // The second part is on its way only when the next endpoint has been found.
        tidegate_tests::eventually("an endpoint", || {
            good.connections() > before || bad.connections() > sent || tries > 0
        })
        .await;
        raw.write(b"other").await;
        assert_eq!(raw.read_answer().await.unwrap().seen().body, "firstother");
        tries += 1;
    }
}
