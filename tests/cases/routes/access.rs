//! Who may use a route: by the address of the client, and by the origin of the page that opens a connection.

use std::net::Ipv4Addr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use tidegate_tests::guests::ACTS_FILE;
use tidegate_tests::{Gateway, Http, Origin, Websocket, eventually, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

use crate::logins::USERS;

fn with(path: &str, fields: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    let mut request = get(path);
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn handshake(path: &str, origins: &[&str]) -> Request<()> {
    let mut request = upgrade_request(path);
    for origin in origins {
        request.headers_mut().append("origin", origin.parse().unwrap());
    }
    request
}

/// The status that a handshake gets, and the header of the route.
fn refused(tried: Result<Websocket, Error>) -> (StatusCode, String) {
    match tried {
        Ok(_) => panic!("it is let in"),
        Err(Error::Http(response)) => {
            let of_route = response.headers().get("x-route").map_or("", |value| value.to_str().unwrap());
            (response.status(), of_route.to_owned())
        }
        Err(error) => panic!("{error:?}"),
    }
}

const BY_ADDRESS: &str = r#"
    [log]
    access = "access.log"
    format = "json"
    [[route]]
    path = "/inside"
    to = "http://{a}"
    allow = ["127.0.0.0/24"]
    deny = ["127.0.0.3"]
    response_headers = { set = { X-Route = "inside" } }
    [[route]]
    path = "/outside"
    to = "http://{a}"
    deny = ["127.0.0.3"]
    [[route]]
    path = "/here"
    respond = { status = 200, body = "secret" }
    allow = ["127.0.0.1"]
    response_headers = { set = { X-Route = "here" } }
    [[route]]
    path = "/away"
    redirect = { to = "/secret" }
    allow = ["127.0.0.1"]
    [[route]]
    path = "/"
    to = "http://{a}"
"#;

#[tokio::test]
async fn clients_of_other_addresses_are_kept_out() {
    let a = Origin::named("a").start().await;
    let gateway = Gateway::configure(BY_ADDRESS).origin(&a).start().await;

    for (path, statuses) in [
        ("/inside", [200, 403, 403]),
        ("/outside", [200, 403, 200]),
        ("/here", [200, 403, 403]),
        ("/away", [302, 403, 403]),
        ("/else", [200, 200, 200]),
    ] {
        let clients = [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 3), Ipv4Addr::new(127, 0, 1, 1)];
        for (client, status) in clients.into_iter().zip(statuses) {
            let mut http = Http::new(gateway.connect_from(client).await).await;

            // What a client says of itself counts for nothing.
            let request = with(path, &[("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1")]);
            let answer = http.send(request).await;

            assert_eq!(answer.status, status, "{path} for {client}");
            assert_eq!(answer.text().contains("secret"), path == "/here" && status == 200, "{path} for {client}");
            // A request that was kept out says nothing against its connection.
            assert_eq!(http.send(get("/else")).await.status, 200);
        }
    }
    let mut kept_out = Http::new(gateway.connect_from(Ipv4Addr::new(127, 0, 1, 1)).await).await;
    let answer = kept_out.send(get("/inside")).await;
    assert_eq!((answer.header("x-route"), answer.header("cache-control")), ("inside", "no-store"));
    assert_eq!(answer.text(), "403 Forbidden: clients of this address are not let in here\n");
    assert_eq!(kept_out.send(get("/here")).await.header("x-route"), "here");
}

#[tokio::test]
async fn who_is_kept_out_holds_no_endpoint_is_counted_and_stands_in_the_access_line() {
    let a = Origin::named("a").start().await;
    let gateway = Gateway::configure(BY_ADDRESS).origin(&a).start().await;
    let client = Ipv4Addr::new(127, 0, 0, 3);

    let status = Http::new(gateway.connect_from(client).await).await.send(get("/inside")).await.status;
    let tried = Websocket::open(gateway.connect_from(client).await, upgrade_request("/inside")).await;

    assert_eq!((status, refused(tried)), (StatusCode::FORBIDDEN, (StatusCode::FORBIDDEN, "inside".to_owned())));
    assert_eq!(gateway.picks(&a), 0);
    assert_eq!(gateway.metric("tidegate_requests_denied_total{reason=\"address\"}"), 2.0);
    assert_eq!(gateway.metric("tidegate_upgrades_total{outcome=\"refused\"}"), 1.0);
    let lines = || std::fs::read_to_string(gateway.folder().join("access.log")).unwrap_or_default();
    eventually("two lines", || lines().lines().count() == 2 && lines().ends_with('\n')).await;
    for line in lines().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&line["route"], &line["status"], &line["ending"]),
            (&"/inside".into(), &403.into(), &"client-denied".into())
        );
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_is_that_of_its_client() {
    let a = Origin::named("a").start().await;
    let text = "[gateway.forwarded]\ntrusted = [\"127.0.0.1\"]\n\
                [[route]]\npath = \"/\"\nto = \"http://{a}\"\nallow = [\"192.0.2.0/24\"]\n";
    let gateway = Gateway::configure(text).origin(&a).start().await;

    for (said, status) in [
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("192.0.2.7, 127.0.0.1", 200),
        ("198.51.100.7", 403),
        ("192.0.2.7, 198.51.100.7", 403),
        ("192.0.2.7, unknown", 403),
    ] {
        assert_eq!(gateway.send(with("/", &[("x-forwarded-for", said)])).await.status, status, "{said}");
    }
    assert_eq!(gateway.get("/").await.status, 403, "the proxy itself");
    let mut other = Http::new(gateway.connect_from(Ipv4Addr::new(127, 0, 0, 2)).await).await;
    assert_eq!(other.send(with("/", &[("x-forwarded-for", "192.0.2.7")])).await.status, 403, "one that nobody trusts");
}

const BY_ORIGIN: &str = r#"
    [[route]]
    path = "/listed"
    to = "ws://{a}"
    origins = ["https://app.example", "https://*.pages.example", "http://[::1]:3000"]
    response_headers = { set = { X-Route = "listed" } }
    [[route]]
    path = "/same"
    to = "ws://{a}"
    origins = ["same"]
    [[route]]
    path = "/null"
    to = "ws://{a}"
    origins = ["null"]
    [[route]]
    path = "/"
    to = "ws://{a}"
"#;

#[tokio::test]
async fn pages_of_other_origins_open_no_websockets() {
    let a = Origin::named("a").start().await;
    let gateway = Gateway::configure(BY_ORIGIN).origin(&a).start().await;
    let mut http2 = gateway.http2().await;

    let table: [(&str, &[&str], bool); 24] = [
        ("/listed", &[], true),
        ("/listed", &["https://app.example"], true),
        ("/listed", &["HTTPS://APP.Example:443"], true),
        ("/listed", &["https://b.a.pages.example"], true),
        ("/listed", &["http://[0:0::1]:3000"], true),
        ("/listed", &["http://app.example"], false),
        ("/listed", &["https://app.example:8443"], false),
        ("/listed", &["https://app.example."], false),
        ("/listed", &["https://app.example/"], false),
        ("/listed", &["https://app.example@evil.example"], false),
        ("/listed", &["https://evil.example@app.example"], false),
        ("/listed", &["https://app.example.evil.example"], false),
        ("/listed", &["https://evilpages.example"], false),
        ("/listed", &["https://pages.example"], false),
        ("/listed", &["https://app.example https://evil.example"], false),
        ("/listed", &["https://app.example", "https://evil.example"], false),
        ("/listed", &["null"], false),
        ("/listed", &["same"], false),
        ("/listed", &[""], false),
        ("/same", &["http://gateway.test"], true),
        ("/same", &["https://gateway.test"], false),
        ("/null", &["null"], true),
        ("/null", &["https://app.example"], false),
        ("/any", &["https://evil.example"], true),
    ];
    for (path, origins, is_in) in table {
        let tried = [
            gateway.try_websocket(handshake(path, origins)).await,
            http2.try_websocket(handshake(path, origins)).await,
        ];
        for tried in tried {
            if is_in {
                tried.unwrap().greeted().await.echo("hello").await;
            } else {
                let of_route = path.strip_prefix("/").filter(|name| *name == "listed").unwrap_or_default();
                assert_eq!(refused(tried), (StatusCode::FORBIDDEN, of_route.to_owned()), "{path} {origins:?}");
            }
        }
    }
    let out = table.iter().filter(|(.., is_in)| !is_in).count() as f64 * 2.0;
    assert_eq!(gateway.metric("tidegate_requests_denied_total{reason=\"origin\"}"), out);
}

/// Whatever protocol is switched to; what switches to none is for the endpoint to judge, which has CORS for it.
#[tokio::test]
async fn only_what_switches_protocols_goes_by_its_origin() {
    let a = Origin::named("a").start().await;
    let text =
        "[[route]]\npath = \"/\"\nto = \"http://{a}\"\nupgrade = [\"any\"]\norigins = [\"https://app.example\"]\n";
    let gateway = Gateway::configure(text).origin(&a).start().await;

    let evil = ("origin", "https://evil.example");
    let plain = gateway.send(with("/", &[evil])).await;
    let switching = gateway.send(with("/", &[evil, ("connection", "upgrade"), ("upgrade", "raw/1")])).await;
    let without = gateway.send(with("/", &[evil, ("upgrade", "raw/1")])).await;

    assert_eq!((plain.status.as_u16(), plain.seen().header("origin")), (200, Some("https://evil.example")));
    assert_eq!(switching.status, 403);
    assert_eq!((without.status.as_u16(), without.seen().header("upgrade")), (200, None));
}

#[tokio::test]
async fn plugins_do_not_see_whom_their_route_keeps_out_and_lead_nobody_into_another() {
    let a = Origin::named("a").start().await;
    let route = |path: &str, more: &str| format!("[[route]]\npath = \"{path}\"\nto = \"balancer://one\"\n{more}\n");
    let closed = "allow = [\"127.0.0.2\"]\n";
    let routes = [
        route("/open", "plugins = [\"acts\"]"),
        route("/closed", closed),
        route("/asking", &format!("plugins = [\"acts\"]\n{closed}")),
    ];
    let text = format!(
        "[cluster.one]\nendpoints = [\"http://{{a}}\"]\n{}[plugin.acts]\nfile = {{file}}\nconfig = {{ reads = \"x-acts\" }}\n",
        routes.concat()
    );
    let gateway = Gateway::configure(&text).origin(&a).put("file", format!("{ACTS_FILE:?}")).start().await;
    let calls = || gateway.metric("tidegate_plugin_calls_total{plugin=\"acts\",role=\"router\"}");
    let before = calls();

    let asking = gateway.send(with("/asking", &[("x-acts", "respond 200")])).await;
    let unasked = calls() - before;
    let led = gateway.send(with("/open", &[("x-acts", "forward 0 /a 1")])).await;
    let stays = gateway.send(with("/open", &[("x-acts", "next")])).await;
    let mut inside = Http::new(gateway.connect_from(Ipv4Addr::new(127, 0, 0, 2)).await).await;
    let led_inside = inside.send(with("/open", &[("x-acts", "forward 0 /a 1")])).await;

    assert_eq!((asking.status.as_u16(), unasked), (403, 0.0));
    assert_eq!((led.status.as_u16(), stays.status.as_u16(), led_inside.status.as_u16()), (403, 200, 200));
}

#[tokio::test]
async fn an_exclusion_behind_a_route_takes_what_servers_read_as_its_path() {
    let a = Origin::named("a").start().await;
    let text = r#"
        [[route]]
        path = "/team"
        to = "http://{a}/team"
        basic_auth = { file = "users.htpasswd" }
        [[route]]
        path = "/team"
        to = "!"
        [[route]]
        path = "/"
        to = "http://{a}"
    "#;
    let gateway = Gateway::configure(text).file("users.htpasswd", USERS).origin(&a).start().await;

    for (path, status) in [
        ("/team", 401),
        ("/team/x", 401),
        ("//team", 401),
        ("/%74eam", 401),
        ("/x/../team", 401),
        ("/team;x", 404),
        ("/;/team", 404),
        ("/team%2fx", 404),
        ("/%2fteam", 404),
        ("/%5Cteam", 404),
        ("/teams", 200),
    ] {
        assert_eq!(gateway.get_exactly(path).await.status.as_u16(), status, "{path}");
    }
}
