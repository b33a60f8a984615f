//! Websockets over HTTP/2 (RFC 8441): many on one connection, and where they are not.

use h2::Reason;
use tidegate_tests::frames::{Frame, Frames, block, code, kind, status};
use tidegate_tests::{Gateway, Origin, eventually, upgrade_request};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Error;

/// SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3).
const ENABLE_CONNECT_PROTOCOL: u16 = 8;

/// Two routes, of which the second lets no protocol be switched to.
const ROUTES: &str = r#"
[[route]]
path = "/ws"
to = "http://{a}"

[[route]]
path = "/"
to = "http://{a}"
upgrade = []
"#;

#[tokio::test]
async fn many_on_one_connection_each_count_for_themselves() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http2().await;
    let mut websockets = Vec::new();
    for _ in 0..20 {
        websockets.push(client.websocket("/").await);
    }
    assert_eq!(gateway.in_flight(&origin), 20);

    for (number, websocket) in websockets.iter_mut().enumerate() {
        websocket.echo(format!("{number}").repeat(30_000)).await;
    }
    for websocket in websockets.drain(5..) {
        websocket.close().await;
    }
    eventually("those that closed to be given back", || gateway.in_flight(&origin) == 5).await;
    for websocket in &mut websockets {
        websocket.echo("still there").await;
    }
    // The connection goes, and with it all of them.
    drop((websockets, client));

    eventually("the others to be given back", || gateway.in_flight(&origin) == 0).await;
    assert!(gateway.metric("tidegate_tunnels_open") == 0.0);
}

#[tokio::test]
async fn one_that_is_not_read_does_not_hold_the_others_up() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http2().await;
    let mut slow = client.websocket("/").await;
    let mut other = client.websocket("/").await;

    // The endpoint sends it all back, and nobody reads it here.
    for _ in 0..40 {
        slow.send("x".repeat(20_000)).await;
    }

    for _ in 0..20 {
        other.echo("y".repeat(20_000)).await;
    }
    for _ in 0..40 {
        assert_eq!(slow.next().await.unwrap().into_text().unwrap().len(), 20_000);
    }
}

/// It has ended its direction, of which nothing more is read; the endpoint has not, and never will.
#[tokio::test]
async fn one_that_is_reset_behind_its_end_holds_nothing() {
    let (ended, mut has_ended) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::named("a").tunnelling(move |mut raw| {
        let ended = ended.clone();
        async move {
            raw.read_to_end().await;
            ended.send(()).unwrap();
            std::future::pending::<()>().await;
        }
    });
    let origin = origin.start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http2().await;
    for _ in 0..3 {
        let (_, mut io) = client.try_connect(upgrade_request("/")).await.unwrap();
        io.shutdown().await.unwrap();
        has_ended.recv().await.unwrap();
        assert_eq!(gateway.in_flight(&origin), 1);

        io.reset(Reason::CANCEL);

        eventually("its endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
        eventually("the tunnel to end", || gateway.metric("tidegate_tunnels_open") == 0.0).await;
    }
}

/// It has said more than its endpoint reads, so that nothing is read of it either.
#[tokio::test]
async fn one_that_is_reset_while_its_endpoint_reads_nothing_holds_nothing() {
    let origin = Origin::named("a").tunnelling(|raw| async move {
        std::future::pending::<()>().await;
        drop(raw);
    });
    let origin = origin.http2().start().await;
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nprotocol = \"h2\"\nendpoints = [\"http://{a}\"]\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let mut frames = Frames::client(gateway.connect().await, &[]).await;
    let opening = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "gateway.test"),
        ("sec-websocket-version", "13"),
    ];
    for stream in [1, 3, 5] {
        frames.send(&Frame::headers(stream, block(&opening))).await;
        let head = frames.next_that(|frame| frame.kind == kind::HEADERS && frame.stream == stream).await;
        assert_eq!(status(&head.unwrap().payload), Some(200));
        // A binary message that is longer than all of it.
        let mut window = 65_535_usize;
        frames.send(&Frame::data(stream, [0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0])).await;
        window -= 10;
        while window > 0 {
            frames.send(&Frame::data(stream, vec![0; window.min(16_384)])).await;
            window -= window.min(16_384);
            if window == 0 {
                let (before, goes_on) = frames.until_pong().await;
                assert!(goes_on);
                let opened = before.iter().filter(|frame| frame.kind == kind::WINDOW_UPDATE && frame.stream == stream);
                window = opened.map(|frame| u32::from_be_bytes(frame.payload[..4].try_into().unwrap()) as usize).sum();
            }
        }

        frames.send(&Frame::reset(stream, code::CANCEL)).await;

        eventually("its endpoint to be given back", || gateway.in_flight(&origin) == 0).await;
        eventually("the tunnel to end", || gateway.metric("tidegate_tunnels_open") == 0.0).await;
    }
}

#[tokio::test]
async fn they_are_announced_where_a_route_lets_them_through() {
    let origin = Origin::named("a").start().await;
    let forwards = "[[route]]\npath = \"/\"\nto = \"http://{a}\"\nupgrade = []\n";
    let responds = "[[route]]\npath = \"/page\"\nrespond = { status = 200, body = \"hi\" }\n";
    let redirects = "[[route]]\npath = \"/old\"\nredirect = { to = \"/new\" }\n";
    for (text, announced) in [
        (ROUTES, Some(&1)),
        (forwards, None),
        (&format!("{forwards}{responds}{redirects}"), None),
        (&format!("{responds}{redirects}"), None),
        (&format!("{ROUTES}{responds}"), Some(&1)),
    ] {
        let gateway = Gateway::configure(text).origin(&origin).start().await;
        let client = gateway.http2().await;

        client.frames().settled().await;

        assert_eq!(client.frames().settings().get(&ENABLE_CONNECT_PROTOCOL), announced, "{text}");
    }
}

#[tokio::test]
async fn a_route_that_lets_none_through_says_so_and_the_endpoint_hears_nothing() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let mut client = gateway.http2().await;

    match client.try_websocket(upgrade_request("/other")).await {
        Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 501),
        other => panic!("{other:?}"),
    }

    assert!(origin.seen().is_empty());
    client.websocket("/ws").await.echo("there").await;
}

#[tokio::test]
async fn an_endpoint_that_does_not_switch_is_no_success() {
    let origin = Origin::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").start().await;
    let gateway = Gateway::before(&origin).await;
    let mut client = gateway.http2().await;

    match client.try_websocket(upgrade_request("/")).await {
        Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 502),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_response_of_the_gateways_own_is_no_switch() {
    let origin = Origin::named("a").start().await;
    let text = "[[route]]\npath = \"/ws\"\nto = \"http://{a}\"\n\
                [[route]]\npath = \"/page\"\nrespond = { status = 200, body = \"hi\" }\n\
                [[route]]\npath = \"/gone\"\nrespond = { status = 410 }\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let mut client = gateway.http2().await;

    for (path, status) in [("/page", 501), ("/gone", 410)] {
        let Err(Error::Http(refused)) = client.try_connect(upgrade_request(path)).await else { panic!("{path}") };
        assert_eq!(refused.status(), status, "{path}");
    }

    let served =
        |class: &str| gateway.metric(&format!("tidegate_requests_total{{class=\"{class}\",protocol=\"http/2\"}}"));
    eventually("both are counted", || (served("2xx"), served("4xx"), served("5xx")) == (0.0, 1.0, 1.0)).await;
}
