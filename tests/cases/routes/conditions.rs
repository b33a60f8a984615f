//! Routes with `when`.

use hyper::Method;
use tidegate_tests::{Gateway, Origin, Raw, get};

struct World {
    a: Origin,
    b: Origin,
}

impl World {
    async fn new() -> Self {
        Self { a: Origin::named("a").start().await, b: Origin::named("b").start().await }
    }

    /// `a` takes what the condition holds of, and `b` the rest.
    async fn gateway(&self, when: &str) -> Gateway {
        let text = format!(
            "[[route]]\npath = \"/\"\nwhen = {when}\nto = \"ws://{{a}}\"\n[[route]]\npath = \"/\"\nto = \"ws://{{b}}\"\n"
        );
        Gateway::configure(&text).origin(&self.a).origin(&self.b).start().await
    }
}

#[tokio::test]
async fn each_condition_parts_requests() {
    let world = World::new().await;
    let table = [
        ("{ methods = [\"POST\", \"PUT\"] }", "POST / HTTP/1.1\r\nContent-Length: 0", "GET / HTTP/1.1"),
        ("{ headers = { X-Beta = \"1\" } }", "GET / HTTP/1.1\r\nx-BETA: 1", "GET / HTTP/1.1\r\nX-Beta: 2"),
        (
            "{ headers = { Cookie = { regex = \"(^|; )canary=1(;|$)\" } } }",
            "GET / HTTP/1.1\r\nCookie: a=b; canary=1",
            "GET / HTTP/1.1\r\nCookie: a=b; canary=10",
        ),
        ("{ headers = { X-Beta = { present = false } } }", "GET / HTTP/1.1", "GET / HTTP/1.1\r\nX-Beta: "),
        ("{ headers = { X-Beta = { not = \"1\" } } }", "GET / HTTP/1.1", "GET / HTTP/1.1\r\nX-Beta: 0\r\nX-Beta: 1"),
        ("{ query = { v = \"2\" } }", "GET /?a=1&v=%32 HTTP/1.1", "GET /?v=2.0 HTTP/1.1"),
        ("{ query = { transport = \"polling\" } }", "GET /?transport=polling&EIO=4 HTTP/1.1", "GET /?EIO=4 HTTP/1.1"),
    ];

    for (when, holds, fails) in table {
        let gateway = world.gateway(when).await;
        let mut raw = Raw::new(gateway.connect().await);
        for (head, expected) in [(holds, "a"), (fails, "b"), (holds, "a"), (fails, "b")] {
            raw.write(format!("{head}\r\nHost: h\r\n\r\n").as_bytes()).await;
            assert_eq!(raw.read_answer().await.unwrap().seen().endpoint, expected, "{when}: {head}");
        }
    }
}

#[tokio::test]
async fn clients_are_known_by_their_own_address() {
    let world = World::new().await;
    let text = r#"
[gateway]
forwarded = { trusted = ["127.0.0.3"] }
[[route]]
path = "/"
when = { clients = ["127.0.0.2", "192.0.2.0/24"] }
to = "http://{a}"
[[route]]
path = "/"
to = "http://{b}"
"#;
    let gateway = Gateway::configure(text).origin(&world.a).origin(&world.b).start().await;
    let table = [
        ([127, 0, 0, 2], "", "a"),
        ([127, 0, 0, 1], "", "b"),
        ([127, 0, 0, 1], "X-Forwarded-For: 192.0.2.7\r\n", "b"),
        ([127, 0, 0, 3], "X-Forwarded-For: 192.0.2.7\r\n", "a"),
        ([127, 0, 0, 3], "", "b"),
    ];

    for (from, fields, expected) in table {
        let mut raw = Raw::new(gateway.connect_from(from.into()).await);
        raw.write(format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().seen().endpoint, expected, "{from:?} {fields}");
    }
}

#[tokio::test]
async fn websockets_go_one_way_and_the_rest_another() {
    let world = World::new().await;
    let gateway = world.gateway("{ upgrade = true }").await;
    let mut client = gateway.http2().await;
    let mut raw = Raw::new(gateway.connect().await);

    for _ in 0..2 {
        assert_eq!(gateway.websocket("/x").await.endpoint(), "a");
        assert_eq!(gateway.get("/x").await.seen().endpoint, "b");
        assert_eq!(client.websocket("/x").await.endpoint(), "a");
        assert_eq!(client.send(get("/x")).await.seen().endpoint, "b");
    }
    raw.write(b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
        .await;
    assert_eq!(raw.read_answer().await.unwrap().seen().endpoint, "b", "the route lets nobody switch to that");
}

#[tokio::test]
async fn who_asks_for_no_websocket_can_be_kept_from_the_route_too() {
    let world = World::new().await;
    let gateway = world.gateway("{ upgrade = false }").await;

    assert_eq!(gateway.get("/x").await.seen().endpoint, "a");
    assert_eq!(gateway.websocket("/x").await.endpoint(), "b");
}

#[tokio::test]
async fn all_conditions_of_a_route_have_to_hold() {
    let world = World::new().await;
    let gateway =
        world.gateway("{ methods = [\"GET\"], headers = { A = \"1\", B = \"2\" }, query = { c = \"3\" } }").await;
    let mut http = gateway.http().await;

    for (target, method, a, b, expected) in [
        ("/?c=3", Method::GET, "1", "2", "a"),
        ("/?c=3", Method::PUT, "1", "2", "b"),
        ("/?c=4", Method::GET, "1", "2", "b"),
        ("/?c=3", Method::GET, "2", "2", "b"),
        ("/?c=3", Method::GET, "1", "1", "b"),
    ] {
        let mut request = get(target);
        *request.method_mut() = method;
        request.headers_mut().insert("a", a.parse().unwrap());
        request.headers_mut().insert("b", b.parse().unwrap());
        assert_eq!(http.send(request).await.seen().endpoint, expected, "{target} {a} {b}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_a_pattern_is_refused_and_not_guessed() {
    let world = World::new().await;
    let when = "{ headers = { X-Key = { regex = \"^k\" } }, query = { q = { regex = \"^k\" } } }";
    let gateway = world.gateway(when).await;
    let mut http = gateway.http().await;
    let long = "k".repeat(9_000);

    let query = http.send(get(&format!("/?q={long}"))).await;
    let mut request = get("/?q=k");
    request.headers_mut().insert("x-key", long.parse().unwrap());
    let header = http.send(request).await;

    assert_eq!((query.status.as_u16(), header.status.as_u16()), (414, 431));
    assert!(header.text().contains("too long to be routed by"), "{}", header.text());
    assert_eq!(http.send(get(&format!("/?p={long}"))).await.seen().endpoint, "b", "no pattern looks at that one");
}

#[tokio::test]
async fn an_exclusion_may_have_conditions() {
    let world = World::new().await;
    let text = r#"
[[route]]
path = "/private"
when = { headers = { X-Inside = { not = "yes" } } }
to = "!"
[[route]]
path = "/"
to = "http://{a}"
"#;
    let gateway = Gateway::configure(text).origin(&world.a).start().await;
    let status = async |path: &str, inside: &str| {
        let mut request = get(path);
        request.headers_mut().insert("x-inside", inside.parse().unwrap());
        gateway.send(request).await.status.as_u16()
    };

    assert_eq!([status("/private/x", "no").await, status("/private%2fx", "no").await], [404, 404]);
    assert_eq!([status("/private/x", "yes").await, status("/x", "no").await], [200, 200]);
}
