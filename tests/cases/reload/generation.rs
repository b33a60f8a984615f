//! A request sees one generation, from its beginning to its end.

use std::sync::Arc;

use tidegate_tests::{Ca, Gateway, Origin, OriginSetup, eventually};
use tokio::sync::Semaphore;

const GONE: &str = "[log]\naccess = \"access.log\"\n[[route]]\npath = \"/other\"\nrespond = { status = 204 }\n";
const TEXT: &str = r#"
[[route]]
path = "/slow"
to = "http://{raw}"
response_headers = { set = { x-from = "the first generation" } }
"#;

#[tokio::test]
async fn a_request_in_flight_finishes_under_the_generation_it_began_with() {
    let (slow, step) = slow();
    let slow = slow.start().await;
    let mut gateway = Gateway::configure(&format!("{GONE}{TEXT}")).origin(&slow).start().await;
    let mut raw = gateway.raw().await;
    raw.write(b"GET /slow HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    eventually("the request to be there", || gateway.in_flight(&slow) == 1 && slow.connections() == 1).await;

    // Before the head of the response: the route and its cluster are gone.
    gateway.rewrite(GONE);
    assert_eq!(gateway.inner().reload().unwrap().id(), 2);
    assert_eq!(gateway.get("/slow").await.status, 404, "a request that begins now sees the new generation");
    assert_eq!(gateway.in_flight(&slow), 1);
    step.add_permits(1);
    let head = raw.read_head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("x-from: the first generation\r\n"), "its route's edits: {head}");

    // In the middle of the body, too; and with both that knew the cluster gone.
    gateway.rewrite(&GONE.replace("204", "203"));
    gateway.inner().reload().unwrap();
    step.add_permits(1);
    assert_eq!(raw.read(4).await, b"body");

    // The connection itself belongs to no generation.
    raw.write(b"GET /slow HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    assert_eq!(raw.read_answer().await.unwrap().status, 404);
    eventually("the lease to come back", || gateway.in_flight(&slow) == 0).await;
    let log = gateway.folder().join("access.log");
    let lines = || std::fs::read_to_string(&log).unwrap();
    eventually("three lines", || lines().lines().count() == 3).await;
    let generation = |number: usize| {
        let lines = lines();
        let line = lines.lines().nth(number).unwrap();
        line.split_once("generation=").unwrap().1.split(' ').next().unwrap().to_owned()
    };
    assert_eq!([generation(0), generation(1), generation(2)], ["2", "1", "3"], "{}", lines());
}

#[tokio::test]
async fn another_protocol_of_a_cluster_takes_new_connections_and_tunnels_stay() {
    let ca = Ca::new();
    let origin = Origin::named("a").http2().http1_too().tls(&ca.issue(&["localhost"])).start().await;
    let text = |protocol: &str| {
        format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nprotocol = \"{protocol}\"\n\
             endpoints = [\"https://{{a}}\"]\ntls = {{ ca = \"ca.pem\", server_name = \"localhost\" }}\n"
        )
    };
    let setup = Gateway::configure(&text("h1")).origin(&origin).file("ca.pem", ca.pem());
    let mut gateway = setup.start().await;
    let mut held = Vec::new();

    for (protocol, version) in [("h1", "HTTP/1.1"), ("h2", "HTTP/2.0"), ("auto", "HTTP/2.0"), ("h1", "HTTP/1.1")] {
        gateway.rewrite(&text(protocol));
        gateway.inner().reload().unwrap();

        assert_eq!(gateway.get("/").await.seen().version, version, "{protocol}");
        held.push(gateway.websocket("/ws").await);
        let opened = origin.seen().into_iter().rfind(|seen| seen.target == "/ws").unwrap();
        assert_eq!(opened.version, version, "{protocol}");
        for tunnel in &mut held {
            tunnel.echo(protocol).await;
        }
        assert_eq!(gateway.in_flight(&origin) as usize, held.len(), "{protocol}: each counts still");
    }
}

/// What is read is compared as it was understood, whatever it looks like.
#[tokio::test]
async fn another_way_to_write_the_same_is_no_other_generation() {
    const FIRST: &str = "[[route]]\npath = \"/other\"\nrespond = { status = 204 }\n[gateway]\ndrain = \"60s\"\n";
    let mut gateway = Gateway::configure(FIRST).start().await;

    for same in [
        format!("# a comment\n{FIRST}"),
        FIRST.replace("\"60s\"", "\"1m\" # the same"),
        FIRST.replace("{ status = 204 }", "{   status =   204   }"),
    ] {
        gateway.rewrite(&same);
        assert_eq!(gateway.inner().reload().unwrap().id(), 1, "{same}");
    }

    gateway.rewrite(&FIRST.replace("60s", "61s"));
    assert_eq!(gateway.inner().reload().unwrap().id(), 2);
}

/// An endpoint that waits for leave before the head of its response, and before the body.
fn slow() -> (OriginSetup, Arc<Semaphore>) {
    let step = Arc::new(Semaphore::new(0));
    let steps = step.clone();
    let origin = Origin::raw(move |mut raw| {
        let step = steps.clone();
        async move {
            while raw.read_head().await.is_some() {
                step.acquire().await.unwrap().forget();
                raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await;
                step.acquire().await.unwrap().forget();
                raw.write(b"body").await;
            }
        }
    });
    (origin, step)
}
