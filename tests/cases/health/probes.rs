//! The four kinds of probes, against endpoints that come, go, and misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering::Relaxed};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use tidegate::cluster::{Health, Live};
use tidegate_tests::{Ca, Gateway, Origin, OriginSetup, eventually, upgrade_request};

use super::{place, probes, reason, standing, stands};

/// A cluster of two whose first is probed until it dies, and found again when it is back.
async fn dies_and_returns(scheme: &str, health: &str, make: impl Fn(&str) -> OriginSetup, ca: Option<&Ca>) {
    let reserved = Origin::reserved();
    let at = reserved.address();
    let url = at.to_string();
    let a = make("a").on(reserved).start().await;
    let b = make("b").start().await;
    let tls = if ca.is_some() { "tls = { ca = \"ca.pem\", server_name = \"localhost\" }\n" } else { "" };
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
         endpoints = [\"{scheme}://{{a}}\", \"{scheme}://{{b}}\"]\n{tls}\
         health = {{ {health}, interval = \"100ms\", timeout = \"5s\", rise = 2, fall = 2 }}\n"
    );
    let mut setup = Gateway::configure(&text).origin(&a).origin(&b);
    if let Some(ca) = ca {
        setup = setup.file("ca.pem", ca.pem());
    }
    let gateway = setup.start().await;
    eventually("both to be probed", || probes(&gateway, &url) > 2 && probes(&gateway, &place(&b)) > 2).await;
    assert_eq!(standing(&gateway, &url), Health::Healthy);

    a.kill();
    stands(&gateway, &url, Health::Unhealthy).await;
    for _ in 0..4 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b", "{health}");
    }
    assert!(reason(&gateway, &url).starts_with("no connection: "), "{}", reason(&gateway, &url));
    assert_eq!(standing(&gateway, &place(&b)), Health::Healthy, "{health}");

    let returned = make("a").at(at).start().await;
    stands(&gateway, &url, Health::Healthy).await;

    b.kill();
    assert_eq!(gateway.get("/").await.header("x-endpoint"), "a", "{health}");
    let all = gateway.inner().registry().all();
    let lives: Vec<_> = all.iter().flat_map(|(_, lives)| lives).collect();
    eventually("all to be given back", || lives.iter().all(|live| live.in_flight() == 0)).await;
    let picks: u64 = lives.iter().map(|live| live.picks()).sum();
    assert!(picks <= 6, "a probe is no lease: {picks} picks for 5 requests and a retry at the most");
    drop(returned);
}

#[tokio::test]
async fn tcp_finds_out_who_listens() {
    dies_and_returns("http", "probe = \"tcp\"", Origin::named, None).await;
}

#[tokio::test]
async fn http_finds_out_who_answers() {
    dies_and_returns("ws", "probe = \"http\", path = \"/healthz\", expect = [\"200-204\"]", Origin::named, None).await;
}

#[tokio::test]
async fn tls_finds_out_who_completes_a_handshake() {
    let ca = Ca::new();
    let identity = ca.issue(&["localhost"]);
    dies_and_returns("https", "probe = \"tls\"", |name| Origin::named(name).tls(&identity), Some(&ca)).await;
}

#[tokio::test]
async fn websocket_finds_out_who_answers_a_ping() {
    dies_and_returns("ws", "probe = \"websocket\", path = \"/chat\"", Origin::named, None).await;
}

/// A gateway before one endpoint, probed with fall 1 and rise 1.
async fn probing(origin: &Origin, health: &str) -> Gateway {
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{{origin}}/base\"]\n\
         health = {{ {health}, interval = \"100ms\", timeout = \"5s\", rise = 1, fall = 1 }}\n"
    );
    Gateway::configure(&text).put("origin", origin.address()).start().await
}

#[tokio::test]
async fn an_http_probe_asks_as_it_was_told_and_looks_at_status_and_body() {
    let (status, good) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicBool::new(true)));
    let (says_status, says_good) = (status.clone(), good.clone());
    let origin = Origin::named("a")
        .answering(move |_| {
            let body = if says_good.load(Relaxed) { "all is well here" } else { "all is lost" };
            let response = Response::builder().status(says_status.load(Relaxed));
            Some(response.body(Full::from(Bytes::from(body))).unwrap())
        })
        .start()
        .await;
    let health = "probe = \"http\", path = \"/healthz?deep=1\", host = \"app.example\", expect = [200, \"418-420\"], \
                  body = \"is well\"";
    let gateway = probing(&origin, health).await;
    let at = place(&origin);
    eventually("a probe", || probes(&gateway, &at) > 0).await;
    assert_eq!(standing(&gateway, &at), Health::Healthy);
    let seen = origin.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/base/healthz?deep=1"));
    assert_eq!(seen.header("host"), Some("app.example"));
    assert!(seen.header("user-agent").unwrap().starts_with("tidegate/"));

    good.store(false, Relaxed);
    stands(&gateway, &at, Health::Unhealthy).await;
    assert_eq!(reason(&gateway, &at), "the answer is without the expected text");
    good.store(true, Relaxed);
    status.store(420, Relaxed);
    stands(&gateway, &at, Health::Healthy).await;
    status.store(500, Relaxed);
    stands(&gateway, &at, Health::Unhealthy).await;
    assert_eq!(reason(&gateway, &at), "answered 500");
    assert_eq!(gateway.get("/").await.status, 500, "an only endpoint is tried all the same");
    assert_eq!(gateway.picks(&origin), 1, "and only that was a pick");
}

#[tokio::test]
async fn an_answer_of_a_gigabyte_is_read_no_further_than_it_must() {
    let origin = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        raw.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\nwell").await;
        let piece = vec![b'x'; 64 << 10];
        while raw.try_write(&piece).await {}
    })
    .start()
    .await;
    let gateway = probing(&origin, "probe = \"http\", path = \"/\", body = \"well\"").await;
    let at = place(&origin);

    eventually("ten of them", || probes(&gateway, &at) >= 10).await;

    assert_eq!(standing(&gateway, &at), Health::Healthy);
    assert_eq!(super::live(&gateway, &at, Live::received), 0, "what probes read is no traffic");
    drop(gateway);
    let gateway = probing(&origin, "probe = \"http\", path = \"/\", body = \"not there\"").await;
    stands(&gateway, &at, Health::Unhealthy).await;
    assert_eq!(reason(&gateway, &at), "the answer is without the expected text", "within its first 64 KiB");
}

#[tokio::test]
async fn answers_that_are_none_fail() {
    for (health, answer, expected) in [
        ("probe = \"http\", path = \"/\"", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "broke off: "),
        ("probe = \"http\", path = \"/\"", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
        ("probe = \"websocket\", path = \"/\"", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "answered 200"),
        ("probe = \"websocket\", path = \"/\"", "SSH-2.0-OpenSSH_9.6\r\n\r\n", "no websocket: "),
    ] {
        let origin = Origin::saying(answer).start().await;
        let gateway = probing(&origin, health).await;

        stands(&gateway, &place(&origin), Health::Unhealthy).await;

        let reason = reason(&gateway, &place(&origin));
        assert!(reason.starts_with(expected), "{health}: {reason}");
    }
}

#[tokio::test]
async fn an_endpoint_that_says_nothing_fails_in_time() {
    for health in ["probe = \"http\", path = \"/\"", "probe = \"websocket\", path = \"/\""] {
        let origin = Origin::raw(|mut raw| async move {
            raw.read_to_end().await;
        })
        .start()
        .await;
        let text = format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{{raw}}\"]\n\
             health = {{ {health}, interval = \"100ms\", timeout = \"100ms\" }}\n"
        );
        let gateway = Gateway::configure(&text).origin(&origin).start().await;

        stands(&gateway, &place(&origin), Health::Unhealthy).await;

        assert_eq!(reason(&gateway, &place(&origin)), "not answered within 100ms", "{health}");
    }
}

#[tokio::test]
async fn drained_members_are_probed_and_those_in_maint_are_not() {
    let (a, b, c) =
        (Origin::named("a").start().await, Origin::named("b").start().await, Origin::named("c").start().await);
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{a}\", \
                { url = \"http://{b}\", state = \"drain\" }, { url = \"http://{c}\", state = \"maint\" }]\n\
                health = { probe = \"http\", path = \"/\", interval = \"100ms\" }\n";
    let gateway = Gateway::configure(text).origin(&a).origin(&b).origin(&c).start().await;

    eventually("rounds", || probes(&gateway, &place(&a)) > 3 && probes(&gateway, &place(&b)) > 3).await;

    assert_eq!((probes(&gateway, &place(&c)), c.connections()), (0, 0));
}

#[tokio::test]
async fn a_reload_keeps_probes_or_ends_them() {
    let origin = Origin::named("a").answering(|seen| (seen.target == "/bad").then(bad)).start().await;
    let text = |rest: &str| {
        format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{{a}}\"]\n{rest}"
        )
    };
    let probed = "health = { probe = \"http\", path = \"/bad\", interval = \"100ms\" }\n";
    let mut gateway = Gateway::configure(&text(probed)).origin(&origin).start().await;
    let at = place(&origin);
    stands(&gateway, &at, Health::Unhealthy).await;

    gateway.rewrite(&(text(probed) + "timeouts = { connect = \"4s\" }\n"));
    gateway.inner().reload().unwrap();
    assert_eq!(standing(&gateway, &at), Health::Unhealthy, "what is known of an endpoint that stays, stays");
    let before = probes(&gateway, &at);
    eventually("the new prober", || probes(&gateway, &at) > before + 1).await;
    gateway.rewrite(&text(""));
    gateway.inner().reload().unwrap();

    assert_eq!(standing(&gateway, &at), Health::Healthy, "nobody would ever take it back");
    let seen = origin.seen().len();
    for _ in 0..20 {
        assert_eq!(gateway.get("/").await.status, 200);
    }
    assert!(origin.seen().len() <= seen + 21, "one that was under way at the most");
    gateway.inner().rollback().unwrap();
    stands(&gateway, &at, Health::Unhealthy).await;
}

fn bad() -> Response<Full<Bytes>> {
    Response::builder().status(500).body(Full::default()).unwrap()
}

#[tokio::test]
async fn a_cluster_may_say_that_down_is_down() {
    let nobody = Origin::reserved();
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{nobody}\"]\n\
                force_recovery = false\nhealth = { probe = \"tcp\", interval = \"100ms\" }\n";
    let gateway = Gateway::configure(text).put("nobody", nobody.address()).start().await;
    stands(&gateway, &nobody.address().to_string(), Health::Unhealthy).await;

    assert_eq!(gateway.get("/").await.status, 503);
    assert!(gateway.try_websocket(upgrade_request("/")).await.is_err());

    assert_eq!(super::live(&gateway, &nobody.address().to_string(), Live::picks), 0, "nobody was asked");
}

#[tokio::test]
async fn endpoints_on_unix_sockets_are_probed() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("app.sock");
    let origin = Origin::named("app").unix(&socket).start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
                endpoints = [\"unix:{socket}|http://localhost/\"]\n\
                health = { probe = \"websocket\", path = \"/\", interval = \"100ms\" }\n";
    let gateway = Gateway::configure(text).put("socket", socket.display()).start().await;

    eventually("probes", || super::live(&gateway, "app.sock", Live::probes).0 > 2).await;
    origin.kill();

    stands(&gateway, "app.sock", Health::Unhealthy).await;
}

#[tokio::test]
async fn a_tunnel_stays_where_probes_fail_and_the_next_goes_elsewhere() {
    let is_bad = Arc::new(AtomicBool::new(false));
    let says_bad = is_bad.clone();
    let a = Origin::named("a")
        .answering(move |seen| (seen.target == "/healthz" && says_bad.load(Relaxed)).then(bad))
        .start()
        .await;
    let b = Origin::named("b").start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
                endpoints = [\"ws://{a}\", \"ws://{b}\"]\n\
                health = { probe = \"http\", path = \"/healthz\", interval = \"100ms\" }\n";
    let gateway = Gateway::configure(text).origin(&a).origin(&b).start().await;
    let mut tunnel = gateway.websocket("/").await;
    assert_eq!(tunnel.endpoint(), "a");

    is_bad.store(true, Relaxed);
    stands(&gateway, &place(&a), Health::Unhealthy).await;
    let others = [gateway.websocket("/").await, gateway.websocket("/").await];

    assert_eq!(others.each_ref().map(|other| other.endpoint()), ["b", "b"]);
    tunnel.echo("still here").await;
    assert_eq!((gateway.in_flight(&a), gateway.in_flight(&b)), (1, 2), "probes are not counted");
}
