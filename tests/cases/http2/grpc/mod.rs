//! gRPC from end to end, whichever version client and endpoint speak.
//!
//! The service is written here, over streams of messages: [`call`] is one in either version.

mod call;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use tidegate_tests::{Gateway, Origin, OriginSetup, eventually};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use call::{Call, Version, fields};

/// Every pair of client and endpoint.
const PAIRS: [(Version, Version); 4] = [
    (Version::Http1, Version::Http1),
    (Version::Http1, Version::Http2),
    (Version::Http2, Version::Http1),
    (Version::Http2, Version::Http2),
];

/// What the service does, by the name of its method.
async fn service(mut call: Call, cancelled: UnboundedSender<String>) {
    let method = call.path().rsplit('/').next().unwrap_or_default().to_owned();
    let usual = fields(&[("content-type", "application/grpc")]);
    let ok = fields(&[("grpc-status", "0")]);
    match method.as_str() {
        "Missing" => {
            let status = [("content-type", "application/grpc"), ("grpc-status", "5"), ("grpc-message", "none%20here")];
            call.respond_alone(fields(&status)).await;
        }
        "Echo" => {
            call.respond(usual).await;
            while let Some(message) = call.read().await {
                call.write(&message).await;
            }
            call.end_with(ok).await;
        }
        "Join" => {
            call.respond(usual).await;
            let mut all = Vec::new();
            while let Some(message) = call.read().await {
                all.extend(message);
            }
            call.write(&all).await;
            call.end_with(ok).await;
        }
        // Its head comes last, as that of a call in which the client alone streams.
        "Gather" => {
            let mut all = Vec::new();
            while let Some(message) = call.read().await {
                all.extend(message);
            }
            call.respond(usual).await;
            call.write(&all).await;
            call.end_with(ok).await;
        }
        "Count" => {
            let to = usize::from(call.read().await.unwrap()[0]);
            call.respond(usual).await;
            for number in 0..to {
                call.write(&vec![b'x'; number * 1000]).await;
            }
            call.end_with(ok).await;
        }
        // What is said of a call goes back in trailers.
        "Fail" => {
            while call.read().await.is_some() {}
            let names = ["trace-bin", "large", "te"].map(HeaderName::from_static);
            let mut trailers =
                fields(&[("grpc-status", "13"), ("grpc-message", "broken"), ("grpc-status-details-bin", "AAEC")]);
            let mut head = usual;
            head.insert(
                "trailer",
                HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin, trace-bin, large, took"),
            );
            for name in names {
                let to = if name == "te" { HeaderName::from_static("took") } else { name.clone() };
                trailers.extend(call.headers().get(name).cloned().map(|value| (to, value)));
            }
            call.respond(head).await;
            call.write(b"half").await;
            call.end_with(trailers).await;
        }
        "Wait" => {
            call.respond(usual).await;
            call.write(b"begun").await;
            let how = call.cancelled().await;
            let _over = cancelled.send(how);
        }
        other => panic!("no method {other}"),
    }
}

fn endpoint(version: Version) -> (OriginSetup, UnboundedReceiver<String>) {
    let (cancelled, seen) = unbounded_channel();
    let origin = match version {
        Version::Http1 => Origin::raw(move |raw| {
            let cancelled = cancelled.clone();
            async move {
                if let Some(call) = Call::of_raw(raw).await {
                    service(call, cancelled).await;
                }
            }
        }),
        Version::Http2 => {
            Origin::streams(move |request, respond| service(Call::of_stream(request, respond), cancelled.clone()))
        }
    };
    (origin, seen)
}

async fn before(origin: &Origin, endpoint: Version) -> Gateway {
    let protocol = if endpoint == Version::Http2 { "h2" } else { "h1" };
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
         [cluster.pool]\nendpoints = [\"http://{}\"]\nprotocol = \"{protocol}\"\n",
        origin.address()
    );
    Gateway::configure(&text).start().await
}

fn text<'f>(fields: &'f HeaderMap, name: &str) -> &'f str {
    fields.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn calls_of_every_kind_go_through_in_every_pair() {
    for (client, server) in PAIRS {
        let (origin, _cancelled) = endpoint(server);
        let origin = origin.start().await;
        let gateway = before(&origin, server).await;
        let pair = format!("{client:?} to {server:?}");

        // Each message goes through before the next is sent.
        let mut call = Call::begin(&gateway, client, "/test.Test/Echo", &[]).await;
        call.head().await;
        for message in ["one", "", "three"] {
            call.write(message.as_bytes()).await;
            assert_eq!(call.read().await.as_deref(), Some(message.as_bytes()), "{pair}");
        }
        call.end().await;
        assert_eq!(call.read().await, None, "{pair}");
        assert_eq!(text(&call.trailers().await, "grpc-status"), "0", "{pair}");

        let mut call = Call::begin(&gateway, client, "/test.Test/Join", &[]).await;
        for message in ["a", "b", "c"] {
            call.write(message.as_bytes()).await;
        }
        call.end().await;
        call.head().await;
        assert_eq!(call.read().await.as_deref(), Some(&b"abc"[..]), "{pair}");
        assert_eq!(call.read().await, None, "{pair}");
        assert_eq!(text(&call.trailers().await, "grpc-status"), "0", "{pair}");

        let mut call = Call::begin(&gateway, client, "/test.Test/Count", &[]).await;
        call.write(&[100]).await;
        call.end().await;
        call.head().await;
        let mut sizes = Vec::new();
        while let Some(message) = call.read().await {
            sizes.push(message.len());
        }
        assert_eq!(sizes, (0..100).map(|number| number * 1000).collect::<Vec<_>>(), "{pair}");
        assert_eq!(text(&call.trailers().await, "grpc-status"), "0", "{pair}");
        drop(call);
        eventually("no call to be under way", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn statuses_come_through_in_every_pair() {
    let large = "m".repeat(6 * 1024);
    for (client, server) in PAIRS {
        let (origin, _cancelled) = endpoint(server);
        let origin = origin.start().await;
        let gateway = before(&origin, server).await;
        let pair = format!("{client:?} to {server:?}");

        let mut call = Call::begin(&gateway, client, "/test.Test/Missing", &[]).await;
        call.end().await;
        let (status, head) = call.head().await;
        assert_eq!(
            (status, text(&head, "grpc-status"), text(&head, "grpc-message")),
            (200, "5", "none%20here"),
            "{pair}"
        );

        let metadata = [("trace-bin", "AAECAwQ"), ("large", &large), ("grpc-timeout", "5S")];
        let mut call = Call::begin(&gateway, client, "/test.Test/Fail", &metadata).await;
        call.write(b"x").await;
        call.end().await;
        call.head().await;
        assert_eq!(call.read().await.as_deref(), Some(&b"half"[..]), "{pair}");
        assert_eq!(call.read().await, None, "{pair}");
        let trailers = call.trailers().await;
        for (name, value) in [
            ("grpc-status", "13"),
            ("grpc-message", "broken"),
            ("grpc-status-details-bin", "AAEC"),
            ("trace-bin", "AAECAwQ"),
            ("large", large.as_str()),
            ("took", "trailers"),
        ] {
            assert_eq!(text(&trailers, name), value, "{pair}: {name}");
        }
    }
}

#[tokio::test]
async fn a_call_that_its_client_gives_up_is_seen_by_the_endpoint_in_every_pair() {
    for (client, server) in PAIRS {
        let (origin, mut cancelled) = endpoint(server);
        let origin = origin.start().await;
        let gateway = before(&origin, server).await;
        let mut call = Call::begin(&gateway, client, "/test.Test/Wait", &[]).await;
        call.head().await;
        assert_eq!(call.read().await.as_deref(), Some(&b"begun"[..]));

        let _connection = call.cancel();

        let how = tidegate_tests::within("the endpoint to see it", cancelled.recv()).await.unwrap();
        let expected = if server == Version::Http2 { "CANCEL" } else { "closed" };
        assert_eq!(how, expected, "{client:?} to {server:?}");
        eventually("no call to be under way", || gateway.in_flight(&origin) == 0).await;
    }
}

#[tokio::test]
async fn what_the_gateway_itself_says_is_a_status_of_grpc() {
    let nobody = Origin::reserved();
    let text_of = "[[route]]\npath = \"/there\"\nto = \"http://{nobody}\"\n";
    let gateway = Gateway::configure(text_of).put("nobody", nobody.address()).start().await;
    for version in [Version::Http1, Version::Http2] {
        for (path, code) in [("/there/Echo", "14"), ("/elsewhere/Echo", "12")] {
            let mut call = Call::begin(&gateway, version, path, &[]).await;
            call.end().await;

            let (status, head) = call.head().await;

            assert_eq!((status, text(&head, "grpc-status")), (200, code), "{version:?} {path}");
            assert_eq!(text(&head, "content-type"), "application/grpc", "{version:?} {path}");
            assert!(!text(&head, "grpc-message").is_empty(), "{version:?} {path}");
        }
    }
}

/// A gateway before `origin` whose clients may be quiet within bodies for 100 ms, and calls for `response`.
async fn impatient(origin: &Origin, response: &str) -> Gateway {
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = {{ body_timeout = \"100ms\" }}\n\
         [[route]]\npath = \"/\"\nto = \"balancer://pool\"\ntimeouts = {{ response = \"{response}\" }}\n\
         [cluster.pool]\nendpoints = [\"http://{}\"]\nprotocol = \"h2\"\n",
        origin.address()
    );
    Gateway::configure(&text).start().await
}

#[tokio::test]
async fn a_client_may_be_quiet_before_the_response_for_as_long_as_that_may_take() {
    let (origin, _cancelled) = endpoint(Version::Http2);
    let origin = origin.start().await;
    let gateway = impatient(&origin, "60s").await;
    let mut silent = Call::begin(&gateway, Version::Http2, "/test.Test/Gather", &[]).await;
    let mut halting = Call::begin(&gateway, Version::Http2, "/test.Test/Gather", &[]).await;
    halting.write(b"a").await;
    eventually("both calls are under way", || gateway.in_flight(&origin) == 2).await;

    // What is no call, and began later, is waited for as before.
    let mut client = gateway.http2().await;
    let other = hyper::Request::post("/test.Test/Gather").header("host", "gateway.test").body(()).unwrap();
    let answer = client.begin(other).await.answer().await.unwrap();
    assert_eq!(answer.status, 408);

    for (call, expected) in [(&mut silent, &b"b"[..]), (&mut halting, b"ab")] {
        call.write(b"b").await;
        call.end().await;
        let (status, _head) = call.head().await;
        assert_eq!((status, call.read().await.as_deref()), (200, Some(expected)));
    }
}

#[tokio::test]
async fn a_client_that_is_quiet_for_longer_is_late_and_not_the_endpoint() {
    let (origin, _cancelled) = endpoint(Version::Http2);
    let origin = origin.start().await;
    let gateway = impatient(&origin, "150ms").await;

    let mut call = Call::begin(&gateway, Version::Http2, "/test.Test/Gather", &[]).await;

    let (status, head) = call.head().await;
    assert_eq!((status, text(&head, "grpc-status")), (200, "2"));
    assert_eq!(text(&head, "grpc-message"), "the request body did not come in time");
    let lives = gateway.inner().registry().all();
    assert_eq!(lives.iter().flat_map(|(_, lives)| lives).map(|live| live.failures()).sum::<u64>(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_the_head_of_a_call_is_a_status_of_grpc_too() {
    let (origin, _cancelled) = endpoint(Version::Http2);
    let origin = origin.start().await;
    let gateway = before(&origin, Version::Http2).await;
    const NAMES: &[&str] = &["x-a", "x-b", "x-c"];
    let crowded: Vec<_> = (0..120).map(|number| (NAMES[number % 3], "1")).collect();
    let long = "x".repeat(80 * 1024);
    for (metadata, message) in
        [(&crowded[..], "the head has too many fields"), (&[("x-long", &long)], "the head is too long")]
    {
        let mut call = Call::begin_appending(&gateway, "/test.Test/Echo", metadata).await;
        call.end().await;

        let (status, head) = call.head().await;

        assert_eq!((status, text(&head, "grpc-status"), text(&head, "grpc-message")), (200, "13", message));
    }
}
