//! Routers and rewriters that misbehave: a request that cannot be routed or mapped back is a 503.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate_tests::guests::wat;
use tidegate_tests::{Gateway, Origin, Seen, eventually, get};
use tokio_tungstenite::tungstenite::Error;

use super::{faults, faults_of, provoking, provoking_upgrade};

#[tokio::test]
async fn every_fault_of_a_router_is_503_and_the_next_request_is_served() {
    for (guest, kind) in
        [("router-trap", "trap"), ("router-stray", "answer"), ("router-smuggle", "answer"), ("router-flood", "")]
    {
        let origin = Origin::named("a").start().await;
        let gateway = Gateway::configure(
            "[router]\nplugin = \"guest\"\n[plugin.guest]\nfile = {file}\n[[route]]\npath = \"/\"\nto = \"ws://{a}\"\n",
        )
        .put("file", format!("{:?}", wat(guest)))
        .origin(&origin)
        .start()
        .await;
        let mut client = gateway.http().await;

        let before = client.send(get("/before")).await;
        let failed = client.send(provoking("/failing")).await;
        let upgrade = gateway.try_websocket(provoking_upgrade("/failing")).await.unwrap_err();
        let after = client.send(get("/after")).await;

        assert_eq!(before.seen().target, "/before", "{guest}");
        assert_eq!(failed.status, 503, "{guest}");
        assert!(matches!(&upgrade, Error::Http(response) if response.status() == 503), "{guest}: {upgrade:?}");
        assert_eq!(after.seen().target, "/after", "{guest}: one fault is one request's");
        assert!(origin.seen().iter().all(|seen| seen.target != "/failing"), "{guest}");
        let counted = if kind.is_empty() {
            faults(&gateway, "guest", "router")
        } else {
            faults_of(&gateway, "guest", "router", kind)
        };
        assert!(counted == 2.0, "{guest}: {counted} faults");
    }
}

/// An origin that redirects where the target says so.
async fn redirecting() -> Origin {
    let answer = |seen: &Seen| {
        let redirect = Response::builder().status(302).header("location", "http://inner.example/x");
        (seen.target == "/redirect").then(|| redirect.body(Full::<Bytes>::from("moved")).unwrap())
    };
    Origin::named("a").answering(answer).start().await
}

async fn rewritten_by(guest: &str, origin: &Origin) -> Gateway {
    Gateway::configure(
        "[rewriter]\nplugin = \"guest\"\n[plugin.guest]\nfile = {file}\n[[route]]\npath = \"/\"\nto = \"ws://{a}\"\n",
    )
    .put("file", format!("{:?}", wat(guest)))
    .origin(origin)
    .start()
    .await
}

#[tokio::test]
async fn a_rewriter_that_touches_the_framing_is_503() {
    let origin = redirecting().await;
    let gateway = rewritten_by("rewriter-framing", &origin).await;
    let mut client = gateway.http().await;

    let failed = client.send(get("/redirect")).await;
    let after = client.send(get("/after")).await;

    assert_eq!(failed.status, 503);
    assert!(!failed.headers.contains_key("location") && !failed.text().contains("moved"), "{failed:?}");
    assert_eq!(after.seen().target, "/after");
    assert!(faults_of(&gateway, "guest", "rewriter", "answer") == 1.0);
    eventually("the endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
}

#[tokio::test]
async fn a_rewriter_written_by_hand_decides() {
    let origin = redirecting().await;
    let gateway = rewritten_by("rewriter-remove", &origin).await;

    let answer = gateway.get("/redirect").await;

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (302, "moved"));
    assert!(!answer.headers.contains_key("location"), "it drops the first location: {answer:?}");
}

/// Patterns that took an engine that goes through the states of each more than 20 ms for one path of 8 KiB.
const PATTERNS: [&str; 6] = [
    "[0-9a-f]{64}$",
    "([0-9a-f]{64})$",
    r"([A-Za-z0-9_-]{1,128})\.html$",
    r"[a-z0-9-]{8,64}\.pdf$",
    "(a|b)*a(a|b){14}$",
    "([^/]+)/([^/]+)/([^/]+)/edit$",
];

#[tokio::test]
async fn paths_that_patterns_have_much_to_do_with_take_nothing_from_others() {
    let origin = Origin::named("a").start().await;
    let routes: String = PATTERNS
        .iter()
        .map(|pattern| format!("[[route]]\npath_regex = '{pattern}'\nto = \"http://{{a}}/found/$1\"\n"))
        .collect();
    let exclusions: String =
        (0..20).map(|n| format!("[[route]]\npath_regex = '/x[a-z/]*/{n}$'\nto = \"!\"\n")).collect();
    for table in [routes, exclusions] {
        let routes = format!("[gateway]\nworkers = 1\n{table}[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
        let gateway = Gateway::configure(&routes).origin(&origin).start().await;
        for body in ["a", "a0", "ab", "/a", "a-", ";a%20%2f", "%61", "/x;%5c"] {
            for bytes in [8_100, 4_000, 2_000, 1_000] {
                let path = format!("/1%61{}g", body.repeat(bytes / body.len()));

                let status = gateway.get_exactly(&path).await.status;

                assert!([200, 404, 414].contains(&status.as_u16()), "{status}: {body} in {bytes}");
            }
        }
        assert_eq!(gateway.get("/plain").await.seen().target, "/plain");
        assert!(faults(&gateway, "prefix", "router") == 0.0);
    }
}

#[tokio::test]
async fn what_makes_a_router_hang_is_refused_and_others_are_served() {
    let text = std::fs::read_to_string(wat("router-trap")).unwrap();
    // The length of the path.
    let guest = text.replace(
        "(call $misbehave) (then unreachable)",
        "(i32.eq (local.get 6) (i32.const 5)) (then (loop $again (br $again)))",
    );
    assert_ne!(guest, text);
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        "[gateway]\nworkers = 1\n[router]\nplugin = \"guest\"\n[plugin.guest]\nfile = \"guest.wat\"\n\
         [[route]]\npath = \"/\"\nto = \"ws://{a}\"\n",
    )
    .file("guest.wat", guest)
    .origin(&origin)
    .start()
    .await;
    let mut asked = 0;
    while faults_of(&gateway, "guest", "router", "unavailable") < 1.0 {
        assert_eq!(gateway.get("/hang").await.status, 503);
        asked += 1;
        assert!(asked < 100, "it is asked again and again");
    }

    for path in ["/", "/other", "/hang/not"] {
        assert_eq!(gateway.get(path).await.seen().target, path);
    }
}
