//! Client certificates by server name, and requests that come by the wrong name's handshake (RFC 9110 §15.5.20).

use std::sync::Arc;

use hyper::Request;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tidegate_tests::{BoxedIo, Ca, Gateway, Http2, Origin, Raw, Setup, eventually, within};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error;

const TEXT: &str = r#"
[[listen]]
address = "127.0.0.1:0"
[listen.tls]
certificate = "cert.pem"
key = "cert-key.pem"
more = [
  { names = ["secret.example"], certificate = "cert.pem", key = "cert-key.pem", client_ca = "clients.pem" },
  { names = ["copy.example"], certificate = "cert.pem", key = "cert-key.pem", client_ca = "clients-too.pem" },
  { names = ["*.maybe.example"], certificate = "cert.pem", key = "cert-key.pem", client_ca = "clients.pem", client_certificate = "optional" },
  { names = ["same.example"], certificate = "cert.pem", key = "cert-key.pem" },
]
[[route]]
path = "/"
to = "ws://{a}"
"#;

const NAMES: [&str; 6] =
    ["localhost", "public.example", "secret.example", "copy.example", "a.maybe.example", "same.example"];

/// A gateway, and clients of it: one without a certificate, and one with.
struct World {
    a: Origin,
    gateway: Gateway,
    stranger: Arc<ClientConfig>,
    member: Arc<ClientConfig>,
}

fn setup(text: &str, a: &Origin, ca: &Ca, clients: &Ca) -> Setup {
    let setup = Gateway::configure(text).origin(a).tls(ca, &NAMES);
    setup.file("clients.pem", clients.pem()).file("clients-too.pem", clients.pem())
}

impl World {
    async fn new() -> Self {
        let (a, ca, clients) = (Origin::named("a").start().await, Ca::new(), Ca::new());
        let gateway = setup(TEXT, &a, &ca, &clients).start().await;
        let member = ca.client_config_as(&clients.issue(&["client.example"]));
        Self { gateway, a, stranger: ca.client_config(), member }
    }

    async fn shake(&self, client: &Arc<ClientConfig>, name: &str, versions: &[&str]) -> std::io::Result<BoxedIo> {
        let stream = TcpStream::connect(self.gateway.address()).await.unwrap();
        let mut client = ClientConfig::clone(client);
        client.alpn_protocols = versions.iter().map(|version| version.as_bytes().to_vec()).collect();
        client.enable_sni = name != "-";
        let name = ServerName::try_from(if name == "-" { "localhost" } else { name }.to_owned()).unwrap();
        let shaken = within("a handshake", TlsConnector::from(Arc::new(client)).connect(name, stream)).await?;
        Ok(Box::new(shaken))
    }

    /// The status of the response to a request for `host`, over a connection that was opened for `name`; none if there is
    /// no response.
    async fn status(&self, client: &Arc<ClientConfig>, name: &str, host: &str) -> Option<u16> {
        // In TLS 1.3 a client hears of a refusal only when it reads.
        let mut raw = Raw::new(self.shake(client, name, &[]).await.ok()?);
        let host = if host.is_empty() { " HTTP/1.0".to_owned() } else { format!(" HTTP/1.1\r\nHost: {host}") };
        raw.try_write(format!("GET /{host}\r\n\r\n").as_bytes()).await;
        raw.read_answer().await.map(|answer| answer.status.as_u16())
    }

    fn misdirected(&self) -> f64 {
        self.gateway.metric("tidegate_requests_misdirected_total")
    }
}

#[tokio::test]
async fn each_name_asks_for_the_certificates_that_it_is_said_to() {
    let world = World::new().await;

    for (name, stranger, member) in [
        ("public.example", Some(200), Some(200)),
        ("same.example", Some(200), Some(200)),
        ("-", Some(200), Some(200)),
        ("secret.example", None, Some(200)),
        ("copy.example", None, Some(200)),
        ("a.maybe.example", Some(200), Some(200)),
    ] {
        let host = if name == "-" { "localhost" } else { name };
        assert_eq!(world.status(&world.stranger, name, host).await, stranger, "{name} without a certificate");
        assert_eq!(world.status(&world.member, name, host).await, member, "{name} with a certificate");
    }
    assert_eq!(world.misdirected(), 0.0);
}

#[tokio::test]
async fn a_request_for_a_name_with_other_rules_is_misdirected() {
    let world = World::new().await;

    for (name, host, status) in [
        ("public.example", "secret.example", 421),
        ("public.example", "SECRET.Example.:443", 421),
        ("public.example", "x.maybe.example", 421),
        ("public.example", "same.example", 200),
        ("public.example", "unknown.example", 200),
        ("public.example", "y.x.maybe.example", 200),
        ("public.example", "", 200),
        ("-", "public.example", 200),
        ("-", "secret.example", 421),
        ("secret.example", "public.example", 421),
        ("secret.example", "unknown.example", 421),
        ("secret.example", "127.0.0.1", 421),
        ("secret.example", "a.maybe.example", 421),
        ("secret.example", "copy.example", 200),
        ("secret.example", "", 200),
        ("a.maybe.example", "b.maybe.example", 200),
    ] {
        let before = (world.misdirected(), world.a.seen().len());

        assert_eq!(world.status(&world.member, name, host).await, Some(status), "{host} by {name}");

        let is_misdirected = status == 421;
        assert_eq!(world.misdirected(), before.0 + f64::from(u8::from(is_misdirected)), "{host} by {name}");
        assert_eq!(world.a.seen().len(), before.1 + usize::from(!is_misdirected), "{host} by {name}");
    }
}

#[tokio::test]
async fn a_misdirected_request_says_nothing_against_its_connection() {
    let world = World::new().await;
    let mut raw = Raw::new(world.shake(&world.stranger, "public.example", &[]).await.unwrap());

    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: secret.example\r\n\r\n", 421),
        ("GET http://secret.example/ HTTP/1.1\r\nHost: public.example\r\n\r\n", 421),
        ("OPTIONS / HTTP/1.1\r\nHost: secret.example\r\nMax-Forwards: 0\r\n\r\n", 421),
        (
            "GET / HTTP/1.1\r\nHost: secret.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            421,
        ),
        ("POST / HTTP/1.1\r\nHost: secret.example\r\nContent-Length: 2\r\n\r\nhi", 421),
        ("GET / HTTP/1.1\r\nHost: public.example\r\n\r\n", 200),
    ] {
        raw.write(request.as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().status, status, "{request}");
    }
    assert_eq!(world.a.seen().len(), 1);
}

#[tokio::test]
async fn names_are_told_apart_on_one_connection_of_http2() {
    let world = World::new().await;
    let mut client = Http2::new(world.shake(&world.stranger, "public.example", &["h2"]).await.unwrap()).await;
    let asked = |host: &str| {
        let request = Request::get("/").header("host", host);
        request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap()
    };

    for (host, status) in [("secret.example", 421), ("public.example", 200), ("a.maybe.example", 421)] {
        assert_eq!(client.send(asked(host)).await.status, status, "{host}");
    }
    let upgrade = Request::get("/").header("host", "secret.example").header("upgrade", "websocket").body(()).unwrap();
    let Err(Error::Http(refused)) = client.try_connect(upgrade).await else { panic!("a response that refuses") };
    assert_eq!(refused.status(), 421);

    assert_eq!(world.misdirected(), 3.0);
    assert_eq!(world.gateway.metric("tidegate_http2_connections_open"), 1.0);
    assert_eq!(world.gateway.metric("tidegate_requests_total{class=\"4xx\",protocol=\"http/2\"}"), 3.0);
    assert_eq!(world.gateway.metric("tidegate_requests_total{class=\"2xx\",protocol=\"http/2\"}"), 1.0);
    assert_eq!(world.gateway.metric("tidegate_requests_total{class=\"2xx\",protocol=\"http/1.1\"}"), 0.0);
    drop(client);
    eventually("the connection is counted no more", || {
        world.gateway.metric("tidegate_http2_connections_open") == 0.0
            && world.gateway.metric("tidegate_http2_streams_open") == 0.0
    })
    .await;
}

#[tokio::test]
async fn rules_that_come_with_a_reload_hold_for_open_connections() {
    let (a, ca, clients) = (Origin::named("a").start().await, Ca::new(), Ca::new());
    let open =
        TEXT.replace(", client_ca = \"clients.pem\" }", " }").replace(", client_ca = \"clients-too.pem\" }", " }");
    let running = crate::running::Running::start(setup(&open, &a, &ca, &clients)).await;
    let stream = TcpStream::connect(running.address()).await.unwrap();
    let name = ServerName::try_from("public.example").unwrap();
    let shaken = within("a handshake", TlsConnector::from(ca.client_config()).connect(name, stream)).await.unwrap();
    let mut raw = Raw::new(Box::new(shaken));
    let mut status = async |host: &str| {
        raw.write(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
        raw.read_answer().await.unwrap().status.as_u16()
    };

    assert_eq!(status("secret.example").await, 200, "it asks for nothing yet");
    let rules = "names = [\"secret.example\"], client_ca = \"clients.pem\"";
    running.swapped_by(|| running.edit("names = [\"secret.example\"]", rules)).await;

    assert_eq!(status("secret.example").await, 421);
    assert_eq!(status("public.example").await, 200);
}

const MUTUAL: &str = r#"
[[listen]]
address = "127.0.0.1:0"
[listen.tls]
certificate = "cert.pem"
key = "cert-key.pem"
{rules}
[[route]]
path = "/"
to = "ws://{a}"
"#;

/// A gateway with `rules`, a client of it without a certificate, and one that the file `clients.pem` admits.
async fn mutual(rules: &str) -> (Origin, crate::running::Running, Arc<ClientConfig>, Arc<ClientConfig>) {
    let (a, ca, clients, others) = (Origin::named("a").start().await, Ca::new(), Ca::new(), Ca::new());
    let text = MUTUAL.replace("{rules}", rules);
    let setup = Gateway::configure(&text).origin(&a).tls(&ca, &NAMES).file("clients.pem", clients.pem());
    let setup = setup.file("both.pem", clients.pem() + &others.pem()).file("others.pem", others.pem());
    let member = ca.client_config_as(&clients.issue(&["client.example"]));
    (a, crate::running::Running::start(setup).await, ca.client_config(), member)
}

async fn shaken(running: &crate::running::Running, client: &Arc<ClientConfig>, versions: &[&str]) -> BoxedIo {
    let stream = TcpStream::connect(running.address()).await.unwrap();
    let mut client = ClientConfig::clone(client);
    client.alpn_protocols = versions.iter().map(|version| version.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("secret.example").unwrap();
    Box::new(within("a handshake", TlsConnector::from(Arc::new(client)).connect(name, stream)).await.unwrap())
}

/// The status of a request on a connection of HTTP/1.1, and whether that goes on.
async fn asked(raw: &mut Raw) -> (u16, bool) {
    raw.write(b"GET / HTTP/1.1\r\nHost: secret.example\r\n\r\n").await;
    let answer = raw.read_answer().await.unwrap();
    (answer.status.as_u16(), !answer.headers.contains_key("connection"))
}

/// Whether all names of the listener have the rules, or this one has them.
#[tokio::test]
async fn stricter_rules_hold_for_connections_of_the_same_name() {
    const NAMED: &str =
        "more = [{ names = [\"secret.example\"], certificate = \"cert.pem\", key = \"cert-key.pem\"{ca} }]";
    for (open, strict) in [
        ("", "client_ca = \"clients.pem\"".to_owned()),
        ("", NAMED.replace("{ca}", ", client_ca = \"clients.pem\"")),
        ("client_ca = \"clients.pem\"\nclient_certificate = \"optional\"", "client_ca = \"clients.pem\"".to_owned()),
    ] {
        let open = format!("# {open:?}\n{open}");
        let (_a, running, stranger, member) = mutual(&open).await;
        let mut plain = Raw::new(shaken(&running, &stranger, &[]).await);
        let mut known = Raw::new(shaken(&running, &member, &[]).await);
        let mut streams = Http2::new(shaken(&running, &stranger, &["h2"]).await).await;
        let mut slow = streams.begin(Request::post("/mirror").header("host", "secret.example").body(()).unwrap()).await;
        assert_eq!((asked(&mut plain).await, asked(&mut known).await), ((200, true), (200, true)), "{open}");

        running.swapped_by(|| running.edit(&open, &strict)).await;

        assert_eq!(asked(&mut plain).await, (421, false), "{strict}");
        assert!(plain.ends_properly().await, "{strict}");
        let shown = if open.contains("optional") { 200 } else { 421 };
        assert_eq!(asked(&mut known).await.0, shown, "{strict}: one that has shown what is asked for now");
        let request = Request::get("/").header("host", "secret.example");
        let refused = streams.send(request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap()).await;
        assert_eq!(refused.status, 421, "{strict}");
        eventually("GOAWAY", || !streams.frames().goaways().is_empty()).await;
        slow.finish();
        assert_eq!(slow.answer().await.unwrap().status, 200, "{strict}: what is under way goes on");
    }
}

#[tokio::test]
async fn a_certificate_that_other_rules_admit_as_well_is_good_for_them() {
    let (_a, running, _stranger, member) = mutual("client_ca = \"clients.pem\"").await;
    let mut raw = Raw::new(shaken(&running, &member, &[]).await);
    assert_eq!(asked(&mut raw).await, (200, true));

    running.swapped_by(|| running.edit("clients.pem", "both.pem")).await;
    assert_eq!(asked(&mut raw).await, (200, true), "one more authority");
    running.swapped_by(|| running.edit("both.pem", "others.pem")).await;
    assert_eq!(asked(&mut raw).await, (421, false), "its own is trusted no more");
}
