//! Every file in `config/` is loaded and served, with real servers in place of the made-up ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use rustls::pki_types::ServerName;
use tidegate_tests::{Ca, Gateway, Http2, Origin, Setup, upgrade_request};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::logins::{USERS, asking, basic};
use crate::running::{guest, plain, websocket};

/// Folder of the samples.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config");

/// The real servers.
struct World {
    a: Origin,
    b: Origin,
    secure: Origin,
    /// Of the key that `secure` has.
    pin: String,
    web: Origin,
    ca: Ca,
}

impl World {
    async fn new() -> Self {
        let ca = Ca::new();
        let identity = ca.issue(&["backend-server", "chat.internal"]);
        let secure = Origin::named("secure").tls(&identity);
        Self {
            a: Origin::named("a").start().await,
            b: Origin::named("b").start().await,
            secure: secure.start().await,
            pin: identity.pin(),
            web: Origin::named("web").start().await,
            ca,
        }
    }

    /// The sample with addresses of this world, and the files that it names beside it.
    fn setup(&self, name: &str, edits: &[(&str, &str)]) -> Setup {
        let mut text = std::fs::read_to_string(Path::new(SAMPLES).join(name)).unwrap();
        for (from, to) in edits {
            assert!(text.contains(from), "{name} has no {from:?}");
            text = text.replace(from, to);
        }
        let secure = self.secure.address().to_string();
        let general: [(&str, &str); 8] = [
            ("\"0.0.0.0:443\"", "\"127.0.0.1:0\""),
            ("\"127.0.0.1:8080\"", "\"127.0.0.1:0\""),
            ("ws://10.0.0.1:8080", "ws://{a}"),
            ("ws://10.0.0.2:8080", "ws://{b}"),
            ("ws://10.0.0.3:8080", "ws://{b}/standby"),
            ("ws://backend-server:8080", "ws://{a}"),
            ("10.0.0.2:8443", &secure),
            ("\"key.pem\"", "\"cert-key.pem\""),
        ];
        for (from, to) in general {
            text = text.replace(from, to);
        }
        let more = self.ca.issue(&["a.example", "*.b.example"]);
        let setup = Gateway::configure(&text).origin(&self.a).origin(&self.b).origin(&self.web);
        let setup = setup.tls(&self.ca, &["localhost"]);
        setup
            .file("more.pem", &more.certificate)
            .file("more-key.pem", &more.key)
            .file("my-balancer.wasm", guest("last"))
            .file("tenants.tsv", "blue\tchat\n")
            .file("lost.html", "lost")
            .file("sorry.html", "sorry")
            .file("token", "secret")
            .file("users.htpasswd", USERS)
    }
}

#[tokio::test]
async fn every_sample_is_served_by_a_test() {
    let entries = std::fs::read_dir(SAMPLES).unwrap().map(Result::unwrap);
    // The recipes have cases of their own.
    let files = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name().into_string().unwrap());
    let here = include_str!("samples.rs");

    let untested: BTreeSet<_> = files.filter(|name| !here.contains(&format!("setup(\"{name}\""))).collect();

    assert_eq!(untested, BTreeSet::new(), "add a case to samples.rs for each of them");
}

#[tokio::test]
async fn the_opening_example_tunnels_through_tls() {
    let world = World::new().await;
    let gateway = world.setup("tidegate.toml", &[]).start().await;

    let (mut first, second) = (gateway.websocket("/websocket").await, gateway.websocket("/websocket").await);

    assert_eq!((first.endpoint(), second.endpoint()), ("a", "b"), "the less busy one");
    first.echo("through tls").await;
    assert_eq!(gateway.get("/").await.status, 404, "one route");
}

#[tokio::test]
async fn seed_a_leads_one_path_to_one_server_and_back() {
    let world = World::new().await;
    let setup = world.setup("seed-a-direct.toml", &[]);
    let gateway = setup.start().await;

    let mut tunnel = websocket(plain(gateway.address()).await, "/websocket/x").await;

    tunnel.echo("one server").await;
    assert_eq!(world.a.seen()[0].target, "/websocket/x");
}

#[tokio::test]
async fn seed_b_balances_by_busyness() {
    let world = World::new().await;
    let gateway = world.setup("seed-b-balancer.toml", &[]).start().await;
    let mut chosen = String::new();
    let mut held = Vec::new();

    for _ in 0..6 {
        let tunnel = websocket(plain(gateway.address()).await, "/websocket").await;
        chosen.push_str(tunnel.endpoint());
        held.push(tunnel);
    }

    assert_eq!(chosen, "ababab");
    assert_eq!(world.a.seen()[0].target, "/websocket");
}

#[tokio::test]
async fn seed_c_has_tls_in_front_and_behind() {
    let world = World::new().await;
    let address = format!("\"wss://{}\"", world.secure.address());
    let edits = [
        ("\"wss://backend-server:8443\"", address.as_str()),
        ("ca = \"ca.pem\"", "ca = \"ca.pem\", server_name = \"backend-server\""),
    ];
    let gateway = world.setup("seed-c-tls.toml", &edits).start().await;

    let mut tunnel = gateway.websocket("/websocket").await;

    assert_eq!(tunnel.endpoint(), "secure");
    tunnel.echo("twice through tls").await;
}

#[tokio::test]
async fn a_plugin_of_ones_own_decides() {
    let world = World::new().await;
    let gateway = world.setup("custom-plugin.toml", &[]).start().await;

    for _ in 0..3 {
        let mut tunnel = websocket(plain(gateway.address()).await, "/websocket").await;
        assert_eq!(tunnel.endpoint(), "b", "it always takes the last");
        tunnel.echo("decided by a file").await;
    }
}

#[tokio::test]
async fn clients_without_tls_are_sent_to_it_and_websockets_to_a_server_of_their_own() {
    let world = World::new().await;
    let setup = world.setup("https.toml", &[("\"0.0.0.0:80\"", "\"127.0.0.1:0\"")]);
    let gateway = setup.start().await;
    let [open, secured] = gateway.inner().addresses()[..] else { panic!("two listeners") };

    let mut raw = tidegate_tests::Raw::new(plain(open).await);
    raw.write(b"GET /socket?a HTTP/1.1\r\nHost: h.example\r\n\r\n").await;
    let sent = raw.read_answer().await.unwrap();
    let connect = async || {
        let connector = TlsConnector::from(world.ca.client_config());
        let io = TcpStream::connect(secured).await.unwrap();
        Box::new(connector.connect(ServerName::try_from("localhost").unwrap(), io).await.unwrap())
    };
    let mut tunnel = websocket(connect().await, "/socket").await;
    let mut secure = tidegate_tests::Raw::new(connect().await);
    secure.write(b"GET /socket HTTP/1.1\r\nHost: h.example\r\n\r\n").await;

    assert_eq!((sent.status.as_u16(), sent.header("location")), (301, "https://h.example/socket?a"));
    assert_eq!(tunnel.endpoint(), "a");
    tunnel.echo("through tls").await;
    assert_eq!(secure.read_answer().await.unwrap().seen().endpoint, "b");
}

#[tokio::test]
async fn servers_on_unix_sockets_are_reached() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    let _app = Origin::named("app").unix(at("app.sock")).start().await;
    let _one = Origin::named("pool-1").unix(at("pool-1.sock")).start().await;
    let _two = Origin::named("pool-2").unix(at("pool-2.sock")).start().await;
    let edit = format!("unix:{}/", folder.path().display());
    let gateway = world.setup("unix.toml", &[("unix:/run/", &edit)]).start().await;

    let one = websocket(plain(gateway.address()).await, "/x").await;
    let two = websocket(plain(gateway.address()).await, "/x").await;
    let app = websocket(plain(gateway.address()).await, "/app/x").await;

    assert_eq!([one.endpoint(), two.endpoint(), app.endpoint()], ["pool-1", "pool-2", "app"]);
}

#[tokio::test]
async fn grpc_and_websockets_share_a_connection_of_http2() {
    let world = World::new().await;
    let (one, two) = (Origin::named("one").http2().start().await, Origin::named("two").http2().start().await);
    let (first, second) = (one.address().to_string(), two.address().to_string());
    let edits = [("10.0.0.1:50051", first.as_str()), ("10.0.0.2:50051", second.as_str())];
    let gateway = world.setup("http2.toml", &edits).start().await;
    let mut client = gateway.http2().await;
    let mut inside = Http2::new(plain(gateway.inner().addresses()[1]).await).await;
    let call = || {
        let request = Request::post("/helloworld.Greeter/SayHello").header("host", "gateway.test");
        request.body(Full::new(Bytes::from_static(b"hello"))).unwrap()
    };

    let mut tunnel = client.websocket("/websocket").await;
    let calls = [client.send(call()).await, client.send(call()).await, inside.send(call()).await];
    let mut over_http1 = gateway.websocket("/websocket").await;

    assert_eq!(calls.map(|answer| answer.seen().endpoint), ["one", "two", "one"]);
    assert!(one.seen().iter().chain(&two.seen()).all(|seen| seen.version == "HTTP/2.0"), "{:?}", one.seen());
    tunnel.echo("beside calls").await;
    over_http1.echo("of a client of HTTP/1.1").await;
    assert_eq!((tunnel.endpoint(), over_http1.endpoint()), ("a", "b"));
}

#[tokio::test]
async fn others_pages_and_others_networks_are_kept_out() {
    let world = World::new().await;
    let web = format!("http://{}", world.web.address());
    let auth = Origin::named("auth").answering(|seen| {
        let response = Response::builder();
        let response = match seen.header("cookie") {
            Some("session=ann") => response.header("remote-user", "ann"),
            _ => response.status(401),
        };
        Some(response.body(Full::<Bytes>::default()).unwrap())
    });
    let auth = auth.start().await;
    let edits = [("http://10.0.0.5:8080", web.as_str()), ("http://10.0.0.6:9000", "http://{auth}")];
    let gateway = world.setup("access.toml", &edits).origin(&auth).start().await;
    let handshake = |origin: &str| {
        let mut request = upgrade_request("/websocket");
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request
    };

    for origin in ["https://gateway.test", "https://app.b.example"] {
        gateway.try_websocket(handshake(origin)).await.unwrap().greeted().await.echo("of a page").await;
    }
    assert!(gateway.try_websocket(handshake("https://evil.example")).await.is_err());
    assert_eq!(gateway.get("/admin").await.seen().endpoint, "web");
    let mut ann = tidegate_tests::get("/app");
    ann.headers_mut().insert("cookie", "session=ann".parse().unwrap());
    assert_eq!(gateway.send(ann).await.seen().header("remote-user"), Some("ann"));
    assert_eq!(gateway.get("/app").await.status, 401);
    assert_eq!(gateway.get("/wiki").await.header("www-authenticate"), "Basic realm=\"Wiki\", charset=\"UTF-8\"");
    let seen = gateway.send(asking("/wiki", Some(&basic("ann:open sesame")))).await.seen();
    assert_eq!((seen.header("x-user"), seen.header("authorization")), (Some("ann"), None));
}

#[tokio::test]
async fn the_reference_with_every_key_is_served() {
    let world = World::new().await;
    let web = format!("http://{}", world.web.address());
    let edits = [
        ("access = \"stdout\"", "access = \"off\""),
        ("\"127.0.0.1:9000\"", "\"127.0.0.1:0\""),
        ("\"127.0.0.1:27999\"", "\"127.0.0.1:0\""),
        ("http://files.internal", &web),
        ("https://web.internal", &web),
        ("http://auth.internal", &web),
        ("sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", &world.pin),
    ];
    let gateway = world.setup("reference.toml", &edits).start().await;
    let [secured, address] = gateway.inner().addresses()[..] else { panic!("two listeners") };
    let get = async |path: &str, host: &str| {
        let mut raw = tidegate_tests::Raw::new(plain(address).await);
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Debug: 1\r\n\r\n").as_bytes()).await;
        raw.read_answer().await.unwrap()
    };

    let refused = gateway.try_connect("localhost").await;
    if let Ok(io) = refused {
        // In TLS 1.3 a client hears of it only when it reads.
        assert!(tidegate_tests::Raw::new(io).read_answer().await.is_none(), "no entry without a certificate");
    }
    let io = TcpStream::connect(secured).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let io = TlsConnector::from(world.ca.client_config_as(&world.ca.issue(&["client.example"])))
        .connect(name, io)
        .await
        .unwrap();
    let mut tunnel = websocket(Box::new(io), "/websocket").await;
    assert_eq!(tunnel.endpoint(), "web", "this host has no other route");
    tunnel.echo("with a certificate").await;
    let chat = get("/websocket", "a.example").await;
    assert_eq!(chat.seen().endpoint, "secure", "the last that is ready");
    assert_eq!((chat.seen().header("x-gateway"), chat.seen().header("x-debug")), (Some("tidegate"), None));
    assert_eq!(chat.seen().target, "/base/websocket");
    assert_eq!(chat.header("x-served-by"), "tidegate");
    let web = get("/websocket", "elsewhere.example").await;
    assert_eq!(web.seen().endpoint, "web", "another host, so the last route");
    assert_eq!(get("/files/css/a/b.css", "x.example").await.seen().target, "/css/a/b.css");
    assert_eq!(get("/private", "x.example").await.status, 404);
    assert_eq!(get("/team", "x.example").await.header("www-authenticate"), "Basic realm=\"Team\", charset=\"UTF-8\"");
    let moved = get("/old/x", "x.example").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (301, "/new/x"));
    assert_eq!(get("/ping", "x.example").await.text(), "pong\n");
}

#[tokio::test]
async fn an_application_that_knows_nothing_of_its_place_is_served_under_a_path() {
    let world = World::new().await;
    let application = Origin::named("application").answering(|seen| {
        let response = Response::builder().status(302).header("location", "/login");
        let response = response.header("content-location", "https://app.internal/x").header("x-seen", &seen.target);
        Some(response.header("set-cookie", "a=1; Path=/; Domain=app.internal").body(Full::<Bytes>::default()).unwrap())
    });
    let application = application.start().await;
    let edit = [("http://10.0.0.5:8080", "http://{application}")];
    let gateway = world.setup("website.toml", &edit).origin(&application).start().await;

    let answer = gateway.get("/app/x").await;

    let fields = ["location", "content-location", "set-cookie", "x-seen", "x-frame-options"];
    let expected = ["/app/login", "https://gateway.test/app/x", "a=1; Path=/app; Domain=www.example.org", "/x", "DENY"];
    assert_eq!(fields.map(|field| answer.header(field)), expected);
    let seen = &application.seen()[0];
    assert_eq!(seen.header("x-request-id"), Some(answer.header("x-request-id")));
    assert_eq!((seen.header("x-real-ip"), seen.header("x-forwarded-prefix")), (Some("127.0.0.1"), Some("/app")));
    assert_eq!(gateway.get("/elsewhere").await.text(), "lost");
}
