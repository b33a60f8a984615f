//! Routes that ask a server of the operator's who their clients are.

use std::fmt::Write as _;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode};
use tidegate_tests::guests::ACTS_FILE;
use tidegate_tests::{Gateway, Origin, OriginSetup, Raw, Seen, Setup, Websocket, eventually, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

type Reply = Response<Full<Bytes>>;

/// A server that knows ann by her cookie, and lets one in of whom it says nothing.
fn server(name: &str) -> OriginSetup {
    Origin::named(name).answering(|seen| Some(verdict(seen)))
}

fn verdict(seen: &Seen) -> Reply {
    let response = Response::builder();
    let response = match seen.header("cookie") {
        Some("session=ann") => {
            response.header("remote-user", "ann").header("remote-groups", "staff").header("x-private", "1")
        }
        Some("session=somebody") => response.status(204),
        Some("session=old") => response
            .status(302)
            .header("location", "https://login.example/?back=here")
            .header("set-cookie", "session=; Max-Age=0")
            .header("set-cookie", "back=here; Secure")
            .header("keep-alive", "timeout=5"),
        Some("session=broken") => response.status(500),
        Some("session=long") => return reply(response.status(401), &"x".repeat(70_000)),
        _ => response.status(401).header("www-authenticate", "Bearer realm=\"app\""),
    };
    reply(response, "said by the server")
}

fn reply(response: hyper::http::response::Builder, body: &str) -> Reply {
    response.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

const TEXT: &str = r#"
[gateway]
workers = 1
[cluster.auth]
endpoints = ["http://{auth}"]
[[route]]
path = "/app"
to = "http://{a}/app"
forward_auth = { cluster = "auth", path = "/verify?app=1", headers = ["Remote-User", "remote-groups"] }
response_headers = { set = { X-Route = "app" } }
[[route]]
path = "/free"
to = "http://{a}/free"
[[route]]
path = "/here"
respond = { status = 200, body = "secret" }
forward_auth = { cluster = "auth", path = "/verify" }
response_headers = { set = { X-Route = "here" } }
[[route]]
path = "/away"
redirect = { to = "/secret", status = 307 }
forward_auth = { cluster = "auth", path = "/verify" }
"#;

fn setup(auth: &Origin, a: &Origin) -> Setup {
    Gateway::configure(TEXT).put("auth", auth.address()).origin(a)
}

fn with(path: &str, fields: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    let mut request = get(path);
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn handshake(path: &str, cookie: &str) -> Request<()> {
    let mut request = upgrade_request(path);
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", "chat".parse().unwrap());
    request
}

fn refused(tried: Result<Websocket, Error>) -> Response<Option<Vec<u8>>> {
    match tried {
        Ok(_) => panic!("it is let in"),
        Err(Error::Http(response)) => *response,
        Err(error) => panic!("{error:?}"),
    }
}

fn checks(gateway: &Gateway) -> [f64; 3] {
    ["let_in", "denied", "failed"]
        .map(|outcome| gateway.metric(&format!("tidegate_auth_checks_total{{outcome=\"{outcome}\"}}")))
}

#[tokio::test]
async fn whom_the_server_knows_gets_in_by_the_name_that_it_says() {
    let (auth, a) = (server("auth").start().await, Origin::named("a").start().await);
    let gateway =
        Gateway::configure(&TEXT.replace("workers = 1", "workers = 1\nforwarded = { underscores = \"pass\" }"))
            .put("auth", auth.address())
            .origin(&a)
            .start()
            .await;
    let work = "work".repeat(50_000);
    let mut request = with(
        "/app/x?y=1",
        &[
            ("cookie", "session=ann"),
            ("authorization", "Bearer token"),
            ("connection", "Remote-User"),
            ("remote-user", "root"),
            ("remote.user", "root"),
            ("remote_groups", "wheel"),
            ("x-forwarded-uri", "/free"),
            ("x-forwarded-method", "OPTIONS"),
            ("x-forwarded-for", "192.0.2.1"),
            ("content-type", "text/plain"),
            ("if-none-match", "\"1\""),
            ("range", "bytes=0-1"),
        ],
    );
    *request.method_mut() = Method::POST;
    *request.body_mut() = Full::new(Bytes::from(work.clone()));

    let answer = gateway.send(request).await;

    let seen = answer.seen();
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.body == work), ("POST", "/app/x?y=1", true));
    assert_eq!(seen.all("remote-user"), ["ann"]);
    assert_eq!(seen.all("remote-groups"), ["staff"]);
    for name in ["remote.user", "remote_groups", "x-private", "x-forwarded-uri", "x-forwarded-method"] {
        assert!(seen.all(name).is_empty(), "{name}: {seen:?}");
    }
    assert_eq!((seen.header("if-none-match"), answer.header("x-route")), (Some("\"1\""), "app"));
    let [asked] = &auth.seen()[..] else { panic!("asked once") };
    assert_eq!((asked.method.as_str(), asked.target.as_str(), asked.body.as_str()), ("GET", "/verify?app=1", ""));
    for (name, value) in [
        ("x-forwarded-method", "POST"),
        ("x-forwarded-uri", "/app/x?y=1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "gateway.test"),
        ("x-forwarded-for", "127.0.0.1"),
        ("authorization", "Bearer token"),
        ("host", &auth.address().to_string()),
    ] {
        assert_eq!(asked.header(name), Some(value), "{name}: {asked:?}");
    }
    for name in ["content-type", "content-length", "transfer-encoding", "if-none-match", "range"] {
        assert!(asked.all(name).is_empty(), "{name}: {asked:?}");
    }
}

#[tokio::test]
async fn where_the_server_says_no_name_the_clients_own_word_counts_for_nothing() {
    let (auth, a) = (server("auth").start().await, Origin::named("a").start().await);
    let gateway = setup(&auth, &a).start().await;
    let fields = [("cookie", "session=somebody"), ("remote-user", "root"), ("remote.groups", "wheel")];

    let let_in = gateway.send(with("/app", &fields)).await.seen();
    let free = gateway.send(with("/free", &fields)).await.seen();

    assert!(let_in.headers.iter().all(|(name, _)| !name.starts_with("remote")), "{let_in:?}");
    // What is behind a route that asks nobody is told nothing by the gateway, and takes nothing for its word.
    assert_eq!((free.header("remote-user"), auth.seen().len()), (Some("root"), 1));
}

#[tokio::test]
async fn what_the_server_says_to_others_is_what_they_get() {
    let (auth, a) = (server("auth").start().await, Origin::named("a").start().await);
    let text = format!("[log]\naccess = \"access.log\"\nformat = \"json\"\n{TEXT}");
    let gateway = Gateway::configure(&text).put("auth", auth.address()).origin(&a).start().await;
    let mut client = gateway.http().await;

    let unknown = client.send(get("/app")).await;
    let old = client.send(with("/app", &[("cookie", "session=old")])).await;
    let broken = client.send(with("/app", &[("cookie", "session=broken")])).await;
    let mut head = get("/app");
    *head.method_mut() = Method::HEAD;
    let head = client.send(head).await;

    assert_eq!((unknown.status, unknown.text().as_str()), (StatusCode::UNAUTHORIZED, "said by the server"));
    assert_eq!(unknown.header("www-authenticate"), "Bearer realm=\"app\"");
    assert_eq!((unknown.header("x-route"), unknown.header("content-length")), ("app", "18"));
    assert_eq!((old.status, old.header("location")), (StatusCode::FOUND, "https://login.example/?back=here"));
    let cookies: Vec<_> = old.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["session=; Max-Age=0", "back=here; Secure"]);
    assert_eq!(old.header("keep-alive"), "", "it is of the server's own connection");
    assert_eq!((broken.status, head.status, head.text().as_str()), (500.try_into().unwrap(), unknown.status, ""));
    assert_eq!((gateway.picks(&a), gateway.picks(&auth), gateway.in_flight(&auth)), (0, 4, 0));
    assert_eq!(auth.connections(), 1, "its connection is used again");
    assert_eq!(checks(&gateway), [0.0, 4.0, 0.0]);
    let lines = || std::fs::read_to_string(gateway.folder().join("access.log")).unwrap_or_default();
    eventually("four lines", || lines().lines().count() == 4 && lines().ends_with('\n')).await;
    for (line, status) in lines().lines().zip([401, 302, 500, 401]) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["route"], &line["status"]), (&"/app".into(), &status.into()), "{line}");
        assert_eq!(line["ending"], "auth-denied", "{line}");
    }
}

#[tokio::test]
async fn handshakes_are_asked_about_whichever_version_they_come_by() {
    let (auth, a) = (server("auth").start().await, Origin::named("a").start().await);
    let ca = tidegate_tests::Ca::new();
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = {{ certificate = \"cert.pem\", key = \"cert-key.pem\" }}\n{TEXT}"
    );
    let gateway = Gateway::configure(&text)
        .put("auth", auth.address())
        .origin(&a)
        .tls(&ca, &["localhost", "gateway.test"])
        .start()
        .await;
    let mut http2 = gateway.http2().await;

    let mut ann = gateway.try_websocket(handshake("/app", "session=ann")).await.unwrap().greeted().await;
    let mut beside = http2.try_websocket(handshake("/app", "session=ann")).await.unwrap().greeted().await;
    ann.echo("let in").await;
    beside.echo("let in as well").await;
    let unknown = refused(gateway.try_websocket(handshake("/app", "-")).await);
    let old = refused(http2.try_websocket(handshake("/app", "session=old")).await);
    let plain = http2.send(get("/app")).await;

    assert_eq!((unknown.status().as_u16(), unknown.body().as_deref()), (401, Some(&b"said by the server"[..])));
    assert_eq!(
        (old.status().as_u16(), old.headers()["location"].to_str().unwrap()),
        (302, "https://login.example/?back=here")
    );
    assert_eq!((plain.status.as_u16(), plain.text().as_str()), (401, "said by the server"));
    for seen in &auth.seen()[..4] {
        assert_eq!((seen.method.as_str(), seen.header("x-forwarded-method")), ("GET", Some("GET")));
        assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
        assert_eq!(seen.header("sec-websocket-protocol"), Some("chat"), "where pages put tokens");
        for name in ["upgrade", "sec-websocket-key", "sec-websocket-version"] {
            assert!(seen.all(name).is_empty(), "{name}: {seen:?}");
        }
    }
    let behind: Vec<_> = a.seen().iter().map(|seen| seen.header("remote-user").map(str::to_owned)).collect();
    assert_eq!(behind, [Some("ann".to_owned()), Some("ann".to_owned())]);
    assert_eq!(gateway.metric("tidegate_upgrades_total{outcome=\"refused\"}"), 2.0);
    assert_eq!((gateway.in_flight(&a), gateway.in_flight(&auth)), (2, 0), "tunnels hold no server that was asked");
}

#[tokio::test]
async fn nobody_gets_in_without_an_answer() {
    let a = Origin::named("a").start().await;
    let silent = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        raw.read_to_end().await;
    });
    let torn = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
    });
    let endless = Origin::saying("HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nhalf");
    let (silent, torn, endless) = (silent.start().await, torn.start().await, endless.start().await);
    let (long, reserved) = (server("long").start().await, Origin::reserved());
    let endpoint = |address: String, more: &str| format!("{{ url = \"http://{address}\"{more} }}");
    let clusters = [
        ("silent", endpoint(silent.address().to_string(), "")),
        ("torn", endpoint(torn.address().to_string(), "")),
        ("endless", endpoint(endless.address().to_string(), "")),
        ("long", endpoint(long.address().to_string(), "")),
        ("dead", endpoint(reserved.address().to_string(), "")),
        ("off", endpoint(long.address().to_string(), ", state = \"maint\"")),
    ];
    let mut text = "[log]\naccess = \"access.log\"\nformat = \"json\"\n".to_owned();
    for (name, endpoint) in &clusters {
        let auth = format!("{{ cluster = \"{name}\", path = \"/verify\", timeout = \"300ms\" }}");
        write!(
            text,
            "[cluster.{name}]\nendpoints = [{endpoint}]\n[[route]]\npath = \"/{name}\"\nto = \"http://{{a}}\"\n\
             forward_auth = {auth}\n"
        )
        .unwrap();
    }
    let gateway = Gateway::configure(&text).origin(&a).start().await;

    for (name, _) in &clusters {
        let mut client = gateway.http().await;
        let answer = client.send(with(&format!("/{name}"), &[("cookie", "session=long")])).await;

        let expected = "503 Service Unavailable: it cannot be found out now who may use this: ask again later\n";
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::SERVICE_UNAVAILABLE, expected), "{name}");
    }
    let tunnel = refused(gateway.try_websocket(upgrade_request("/dead")).await);

    assert_eq!((tunnel.status().as_u16(), gateway.picks(&a)), (503, 0));
    assert_eq!(checks(&gateway), [0.0, 0.0, 7.0]);
    for origin in [&silent, &torn, &endless, &long] {
        assert_eq!(gateway.in_flight(origin), 0);
    }
    let lines = || std::fs::read_to_string(gateway.folder().join("access.log")).unwrap_or_default();
    eventually("all lines", || lines().lines().count() == 7 && lines().ends_with('\n')).await;
    for line in lines().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["status"], &line["ending"]), (&503.into(), &"auth-unavailable".into()), "{line}");
    }
}

#[tokio::test]
async fn another_endpoint_is_asked_where_one_is_dead() {
    let (auth, a, dead) = (server("auth").start().await, Origin::named("a").start().await, Origin::reserved());
    let both = "endpoints = [\"http://{dead}\", \"http://{auth}\"]\nbalancer = \"byrequests\"";
    let text = TEXT.replace("endpoints = [\"http://{auth}\"]", both);
    let gateway =
        Gateway::configure(&text).put("auth", auth.address()).put("dead", dead.address()).origin(&a).start().await;

    let statuses = [
        gateway.send(with("/app", &[("cookie", "session=ann")])).await.status,
        gateway.send(with("/app", &[("cookie", "session=ann")])).await.status,
        gateway.send(get("/app")).await.status,
    ];

    assert_eq!(statuses.map(|status| status.as_u16()), [200, 200, 401]);
    assert_eq!((gateway.picks(&auth), checks(&gateway)), (3, [2.0, 1.0, 0.0]));
}

#[tokio::test]
async fn a_server_that_speaks_http2_is_asked_in_that() {
    let (auth, a) = (server("auth").http2().start().await, Origin::named("a").start().await);
    let text = TEXT.replace("[cluster.auth]", "[cluster.auth]\nprotocol = \"h2\"");
    let gateway = Gateway::configure(&text).put("auth", auth.address()).origin(&a).start().await;

    let seen = gateway.send(with("/app", &[("cookie", "session=ann")])).await.seen();
    let unknown = gateway.get("/app").await;

    assert_eq!((seen.header("remote-user"), unknown.status.as_u16()), (Some("ann"), 401));
    assert_eq!((unknown.text().as_str(), auth.seen()[0].version.as_str()), ("said by the server", "HTTP/2.0"));
}

#[tokio::test]
async fn what_the_gateway_responds_by_itself_is_asked_about_as_well() {
    let (auth, a) = (server("auth").start().await, Origin::named("a").start().await);
    let gateway = setup(&auth, &a).start().await;
    let ann = |path| with(path, &[("cookie", "session=ann")]);

    let (here, away) = (gateway.send(ann("/here")).await, gateway.send(ann("/away")).await);
    let (not_here, not_away) = (gateway.get("/here").await, gateway.get("/away").await);

    assert_eq!((here.status.as_u16(), here.text().as_str(), here.header("x-route")), (200, "secret", "here"));
    assert_eq!((away.status.as_u16(), away.header("location")), (307, "/secret"));
    assert_eq!([not_here.status, not_away.status].map(|status| status.as_u16()), [401, 401]);
    assert_eq!((not_here.text().as_str(), not_here.header("x-route")), ("said by the server", "here"));
    assert_eq!(auth.seen().len(), 4);
}

#[tokio::test]
async fn each_route_that_a_plugin_leads_into_asks_by_itself_and_none_twice() {
    let (first, second) = (server("first").start().await, server("second").start().await);
    let a = Origin::named("a").start().await;
    let text = r#"
[cluster.a]
endpoints = ["http://{a}"]
[cluster.first]
endpoints = ["http://{first}"]
[cluster.second]
endpoints = ["http://{second}"]
[plugin.acts]
file = {file}
config = { reads = "x-acts" }
[[route]]
path = "/one"
to = "balancer://a"
plugins = ["acts"]
forward_auth = { cluster = "first", path = "/one", headers = ["remote-user"] }
[[route]]
path = "/two"
to = "balancer://a"
forward_auth = { cluster = "second", path = "/two" }
[[route]]
path = "/open"
to = "balancer://a"
plugins = ["acts"]
"#;
    let gateway = Gateway::configure(text)
        .origin(&a)
        .origin(&first)
        .origin(&second)
        .put("file", format!("{ACTS_FILE:?}"))
        .start()
        .await;
    let calls = || gateway.metric("tidegate_plugin_calls_total{plugin=\"acts\",role=\"router\"}");
    let before = calls();
    let ann = |path, acts| with(path, &[("cookie", "session=ann"), ("x-acts", acts)]);

    let unknown = gateway.send(with("/one", &[("x-acts", "respond 200")])).await;
    assert_eq!((unknown.status.as_u16(), calls() - before), (401, 0.0), "the plugin does not see it");
    let both = gateway.send(ann("/one", "forward 0 /led 1")).await.seen();
    let stays = gateway.send(ann("/one", "forward 0 /led 0")).await.seen();
    let led = gateway.send(with("/open", &[("x-acts", "forward 0 /led 1")])).await;

    assert_eq!((both.header("remote-user"), both.target.as_str()), (Some("ann"), "/led"));
    assert_eq!((stays.header("remote-user"), led.status.as_u16()), (Some("ann"), 401));
    assert_eq!((first.seen().len(), second.seen().len()), (3, 2));
}

#[tokio::test]
async fn a_client_that_leaves_amid_it_leaves_nothing_behind() {
    let a = Origin::named("a").start().await;
    let silent = Origin::raw(|mut raw: Raw| async move {
        raw.read_head().await;
        raw.read_to_end().await;
    });
    let silent = silent.start().await;
    let gateway = setup(&silent, &a).start().await;
    for request in [
        "GET /app HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /app HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
        "GET /app HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ] {
        let mut client = gateway.raw().await;
        client.write(request.as_bytes()).await;
        eventually("the server to be asked", || gateway.in_flight(&silent) == 1).await;

        drop(client);

        eventually("the server to be given back", || gateway.in_flight(&silent) == 0).await;
    }
    assert_eq!((gateway.picks(&a), gateway.in_flight(&a)), (0, 0));
}

#[tokio::test]
async fn a_request_that_is_asked_about_stays_under_its_generation() {
    let a = Origin::named("a").start().await;
    let (auth, open) = Origin::gated(b"HTTP/1.1 200 OK\r\nRemote-User: ann\r\nContent-Length: 0\r\n\r\n");
    let auth = auth.start().await;
    let mut gateway = setup(&auth, &a).start().await;
    let mut client = gateway.raw().await;
    client.write(b"POST /app/x HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 4\r\n\r\nwork").await;
    eventually("the server to be asked", || gateway.in_flight(&auth) == 1).await;

    gateway.rewrite("[[route]]\npath = \"/other\"\nrespond = { status = 204 }\n");
    assert_eq!(gateway.inner().reload().unwrap().id(), 2);
    assert_eq!(gateway.get("/app/x").await.status, 404, "what begins now sees the new generation");
    open.send_replace(true);

    let seen = client.read_answer().await.unwrap().seen();
    assert_eq!((seen.header("remote-user"), seen.body.as_str()), (Some("ann"), "work"));
    eventually("both to be given back", || gateway.in_flight(&auth) + gateway.in_flight(&a) == 0).await;
}

#[tokio::test]
async fn calls_of_grpc_hear_of_it_in_their_own_words() {
    let (auth, a) = (server("auth").start().await, Origin::named("a").start().await);
    let ca = tidegate_tests::Ca::new();
    let listen =
        "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n";
    let gateway = Gateway::configure(&format!("{listen}{TEXT}"))
        .put("auth", auth.address())
        .origin(&a)
        .tls(&ca, &["localhost", "gateway.test"])
        .start()
        .await;
    let mut client = gateway.http2().await;
    let call = |cookie| {
        let mut call = with("/app/Service/Call", &[("content-type", "application/grpc"), ("cookie", cookie)]);
        *call.method_mut() = Method::POST;
        call
    };

    let unknown = client.send(call("-")).await;
    let let_in = client.send(call("session=ann")).await;
    auth.kill();
    let without = client.send(call("session=ann")).await;

    assert_eq!((unknown.status.as_u16(), unknown.header("grpc-status"), unknown.text().as_str()), (200, "16", ""));
    assert_eq!(let_in.seen().header("remote-user"), Some("ann"));
    assert_eq!((without.status.as_u16(), without.header("grpc-status")), (200, "14"));
}

#[tokio::test]
async fn a_server_that_is_the_gateway_itself_is_asked_only_so_often() {
    let a = Origin::named("a").start().await;
    let mut gateway = Gateway::before(&a).await;
    gateway.rewrite(&format!(
        "[cluster.auth]\nendpoints = [\"http://{}\"]\n[[route]]\npath = \"/\"\nto = \"http://{}\"\n\
         forward_auth = {{ cluster = \"auth\", path = \"/verify\" }}\n",
        gateway.address(),
        a.address()
    ));
    gateway.inner().reload().unwrap();

    let answer = gateway.get("/").await;

    assert_eq!((answer.status.as_u16(), gateway.picks(&a)), (508, 0));
    assert_eq!(gateway.metric("tidegate_loops_total"), 1.0);
}
