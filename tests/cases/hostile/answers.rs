//! Answers that nobody can read for sure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tidegate::cluster::Health;
use tidegate_tests::{Gateway, Origin};
use tokio::time::Instant;

use super::{Script, ask, scripted};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// Standing of the only endpoint there.
fn standing(gateway: &Gateway, origin: &Origin) -> Health {
    let all = gateway.inner().registry().all();
    let mut lives = all.iter().flat_map(|(_, lives)| lives);
    let address = origin.address().to_string();
    lives.find(|live| live.url().contains(&address)).unwrap().health(Instant::now())
}

/// A route to a cluster of `origin`, with these lines in its section.
async fn cluster(origin: &Origin, lines: &str) -> Gateway {
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{origin}\"]\n";
    Gateway::configure(&format!("{text}{lines}\n")).put("origin", origin.address()).start().await
}

#[tokio::test]
async fn what_cannot_be_read_is_a_502_and_the_next_client_gets_its_own_answer() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    let answers: Vec<(Script, u16)> = vec![
        (Script::open(format!("{OK}Content-Length: 2\r\n\r\nok{evil}")), 200),
        (Script::open(format!("{OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n{evil}")), 200),
        (Script::open(format!("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n{evil}")), 204),
        (
            Script::open(format!("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{evil}")),
            502,
        ),
        (
            Script::open(format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n{evil}"
            )),
            502,
        ),
        (Script::open(format!("HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\nEVIL{evil}")), 502),
        (Script::open(format!("{OK}Content-Length: +2\r\n\r\nok")), 502),
        (Script::open(format!("{OK}Content-Length: 2, 3\r\n\r\nok")), 502),
        (Script::open(format!("{OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok")), 502),
        (Script::closing(format!("{OK}Content-Length: \r\n\r\nok")), 502),
        (Script::open(format!("{OK}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")), 502),
        (Script::open(format!("{OK}Transfer-Encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n")), 502),
        (Script::open(format!("{OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")), 502),
        (Script::closing(format!("{OK}Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\nok")), 502),
        (Script::closing(format!("{OK}Transfer-Encoding: gzip\r\n\r\nok")), 502),
        (Script::open("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 502),
        (Script::open(format!("{OK}X: a\r\n b\r\nContent-Length: 0\r\n\r\n")), 502),
        (Script::open(format!("{OK}X : a\r\nContent-Length: 0\r\n\r\n")), 502),
        (Script::open(format!("{OK}X: a\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n")), 502),
        (Script::open(format!("{OK}X: a\0b\r\nContent-Length: 0\r\n\r\n")), 502),
        (Script::open("HTTP/2.0 200 OK\r\n\r\n"), 502),
        (Script::open("SSH-2.0-OpenSSH_9.2\r\n"), 502),
        (Script::closing("hello world"), 502),
        (Script::closing(""), 502),
        (Script::closing(format!("{OK}Content-Le")), 502),
        (Script::open("\r\n".repeat(1000) + OK + "Content-Length: 2\r\n\r\nok"), 200),
    ];
    let scripts: Vec<_> = answers.iter().map(|(script, _)| script.clone()).collect();
    let origin = scripted(move |target| scripts[target[1..].parse::<usize>().unwrap()].clone()).start().await;
    let gateway = Gateway::before(&origin).await;

    for (number, (script, expected)) in answers.iter().enumerate() {
        let said = script.bytes.escape_ascii().to_string();
        for method in ["GET", "HEAD"] {
            let mut raw = gateway.raw().await;
            ask(&mut raw, method, &format!("/{number}")).await;
            let head = raw.read_head().await.unwrap_or_else(|| panic!("{method}: nothing after {said}"));
            assert_eq!(head.split(' ').nth(1).unwrap(), expected.to_string(), "{method} {said}: {head}");
            assert!(!head.to_lowercase().contains("evil"), "{method} {said}: {head}");
        }
        let mut next = gateway.raw().await;
        ask(&mut next, "GET", "/next").await;
        assert_eq!(next.read_answer().await.unwrap().body, "next", "behind {said}");
    }
    assert!(gateway.metric("tidegate_upstream_unreadable_total") > 30.0);
}

#[tokio::test]
async fn what_is_wrong_with_the_first_chunks_is_a_502() {
    for chunks in ["x\r\n", "2\r\nokx\r\n", "2\nok\n0\n\n", "2\r\nok\r\n-1\r\n", "1234567890abcdef0\r\n"] {
        let answer = format!("{OK}Transfer-Encoding: chunked\r\n\r\n{chunks}");
        let origin = scripted(move |_| Script::open(answer.clone())).start().await;

        let gateway = Gateway::before(&origin).await;

        assert_eq!(gateway.get("/").await.status, 502, "{chunks:?}");
    }
}

#[tokio::test]
async fn what_had_come_of_an_answer_that_breaks_off_goes_on() {
    for answer in ["Content-Length: 100\r\n\r\nsome", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"] {
        let origin = scripted(move |_| Script::closing(format!("{OK}{answer}"))).start().await;
        let gateway = Gateway::before(&origin).await;

        for _ in 0..10 {
            let mut raw = gateway.raw().await;
            ask(&mut raw, "GET", "/").await;
            let head = raw.read_head().await.expect("a client is told something");
            let rest = String::from_utf8(raw.read_to_end().await).unwrap();
            assert!(head.starts_with("HTTP/1.1 200") && rest.contains("some"), "{head}{rest}");
            assert!(!rest.ends_with("0\r\n\r\n"), "it must not look complete: {rest}");
        }
    }
}

#[tokio::test]
async fn a_body_of_which_nothing_comes_is_a_502() {
    for field in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let origin = scripted(move |_| Script::closing(format!("{OK}{field}\r\n\r\n"))).start().await;
        let gateway = Gateway::before(&origin).await;

        // The end may be there a moment after the head, and the head may have gone on.
        let mut statuses = Vec::new();
        while !statuses.contains(&502) {
            let mut raw = gateway.raw().await;
            ask(&mut raw, "GET", "/").await;
            let head = raw.read_head().await.expect("a client is told something");
            statuses.push(head.split(' ').nth(1).unwrap().parse::<u16>().unwrap());
            assert!(statuses.len() < 1000, "{field}: {statuses:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_may_have_many_fields_and_long_ones() {
    let origin = scripted(|target| {
        let (what, count) = target[1..].split_once('/').unwrap();
        let count = count.parse().unwrap();
        let fields = match what {
            "fields" => "Link: </s.css>; rel=preload\r\n".repeat(count),
            "cookie" => format!("Set-Cookie: a={}\r\n", "x".repeat(count)),
            "attributes" => format!("Set-Cookie: a=b{}\r\n", ";path=/".repeat(count / 7)),
            _ => format!("X-Long: {}\r\n", "x".repeat(count)),
        };
        Script::open(format!("{OK}{fields}Content-Length: 2\r\n\r\nok"))
    });
    let origin = origin.start().await;
    let gateway = Gateway::before(&origin).await;
    let limited = cluster(&origin, "limits = { head = \"16KiB\", head_fields = 20 }").await;

    for (target, by_default, within_limits) in [
        ("/fields/19", 200, 200),
        ("/fields/20", 200, 502),
        ("/fields/101", 200, 502),
        ("/fields/999", 200, 502),
        ("/fields/1000", 502, 502),
        ("/bytes/16000", 200, 200),
        ("/bytes/17000", 200, 502),
        ("/bytes/300000", 200, 502),
        ("/bytes/420000", 502, 502),
        // The rewriter is shown all that is taken.
        ("/cookie/60000", 200, 502),
        ("/cookie/390000", 200, 502),
        ("/attributes/390000", 200, 502),
    ] {
        for (gateway, expected) in [(&gateway, by_default), (&limited, within_limits)] {
            let mut raw = gateway.raw().await;
            ask(&mut raw, "GET", target).await;
            let answer = raw.read_answer().await.unwrap();
            assert_eq!(answer.status, expected, "{target}");
            if let (200, Some(fields)) = (expected, target.strip_prefix("/fields/")) {
                assert_eq!(answer.headers.get_all("link").iter().count(), fields.parse::<usize>().unwrap());
            }
        }
    }
    assert_eq!(limited.get("/next").await.body, "next");
}

#[tokio::test]
async fn a_request_that_was_answered_is_not_sent_again() {
    for answer in [
        format!("{OK}{}\r\n", "a: b\r\n".repeat(1001)),
        format!("{OK}Content-Length: x\r\n\r\n"),
        format!("{OK}Transfer-Encoding: chunked\r\n\r\nx\r\n"),
        "nonsense\r\n".to_owned(),
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        let counting = count.clone();
        let (said, answer) = (answer.as_bytes().escape_ascii().to_string(), answer);
        let origin = scripted(move |_| {
            counting.fetch_add(1, Relaxed);
            Script::open(answer.clone())
        });
        let (bad, good) = (origin.start().await, Origin::named("good").start().await);
        let gateway = Gateway::configure(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
             retry = { on = [\"connect\", \"timeout\", \"broken\", 502], methods = \"all\" }\n\
             endpoints = [\"http://{bad}\", { url = \"http://{good}\", state = \"standby\" }]\n",
        );
        let gateway = gateway.put("bad", bad.address()).put("good", good.address()).start().await;

        // Over a connection that has carried a request before, which may be gone at any moment, as well.
        assert_eq!(gateway.get("/next").await.body, "next");
        for method in ["DELETE", "GET", "POST"] {
            let before = count.load(Relaxed);
            let mut raw = gateway.raw().await;
            ask(&mut raw, method, "/").await;
            assert_eq!(raw.read_answer().await.unwrap().status, 502, "{method} {said}");
            assert_eq!(count.load(Relaxed), before + 1, "{method} {said}");
        }
        assert_eq!(good.connections(), 0, "{said}");
        assert_eq!(standing(&gateway, &bad), Health::Healthy, "{said}");
    }
}

#[tokio::test]
async fn an_endpoint_is_ejected_for_nonsense_and_not_for_what_is_too_much_here() {
    let many = scripted(|_| Script::open(format!("{OK}{}\r\n", "a: b\r\n".repeat(1001)))).start().await;
    let nonsense = scripted(|_| Script::open("nonsense\r\n")).start().await;
    let outlier = "outlier = { consecutive = 3, share = 1.0, ejection = \"1h\", longest = \"1h\" }";

    for (origin, expected) in [(&many, Health::Healthy), (&nonsense, Health::Ejected)] {
        let gateway = cluster(origin, outlier).await;
        for _ in 0..10 {
            assert_eq!(gateway.get("/").await.status, 502);
        }
        assert_eq!(standing(&gateway, origin), expected);
    }
}

#[tokio::test]
async fn a_probe_takes_what_clients_would_get() {
    let origin = scripted(|_| Script::open(format!("{OK}{}Content-Length: 2\r\n\r\nok", "a: b\r\n".repeat(500))));
    let origin = origin.start().await;
    let health = "health = { probe = \"http\", path = \"/\", interval = \"100ms\", rise = 1, fall = 1 }";
    let gateway = cluster(&origin, health).await;

    let outcome = |outcome: &str| {
        let labels = format!("{{cluster=\"pool\",endpoint=\"http://{}\",outcome=\"{outcome}\"}}", origin.address());
        gateway.metric(&format!("tidegate_endpoint_probes_total{labels}"))
    };
    tidegate_tests::eventually("a probe", || outcome("passed") + outcome("failed") > 0.5).await;
    assert!(outcome("failed") < 0.5, "{}", gateway.inner().metrics().expose().unwrap());
}
