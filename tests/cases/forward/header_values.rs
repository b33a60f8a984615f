//! Header values with variables, and fields that are added to.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tidegate_tests::{Answer, BoxedIo, Ca, Gateway, Origin, Raw, Seen, eventually, get, within};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::running::Running;

fn with(path: &str, fields: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    let mut request = get(path);
    for (name, value) in fields {
        match *name {
            "host" => _ = request.headers_mut().insert(*name, value.parse().unwrap()),
            _ => _ = request.headers_mut().append(*name, value.parse().unwrap()),
        }
    }
    request
}

#[tokio::test]
async fn values_say_what_is_known_of_the_exchange() {
    let a = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/app"
        to = "http://{a}"
        request_headers = { set = { X-Real-IP = "$client_ip", X-Url = "$scheme://$host:$port", X-Where = "$route to $endpoint", X-Price = "US$$ 5" } }
        response_headers = { set = { X-Where = "$route by $endpoint for $client_ip" } }
    "#,
    )
    .origin(&a)
    .start()
    .await;

    let answer = gateway.send(with("/app", &[("host", "Front.Example:81"), ("x-real-ip", "6.6.6.6")])).await;

    let (seen, endpoint, port) = (answer.seen(), format!("http://{}", a.address()), gateway.address().port());
    assert_eq!(seen.all("x-real-ip"), ["127.0.0.1"]);
    assert_eq!(seen.header("x-url"), Some(format!("http://front.example:{port}").as_str()));
    assert_eq!(seen.header("x-where"), Some(format!("/app to {endpoint}").as_str()));
    assert_eq!(seen.header("x-price"), Some("US$ 5"));
    assert_eq!(answer.header("x-where"), format!("/app by {endpoint} for 127.0.0.1"));
}

/// What would say that a client has a certificate may not be what the client itself says.
#[tokio::test]
async fn without_a_value_a_field_is_taken_off_and_not_left_to_the_client() {
    let a = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { set = { X-User = "$client_cert_subject" }, append = { X-More = "$tls_version" }, set_if_absent = { X-Absent = "$client_cert" } }
    "#,
    )
    .origin(&a)
    .start()
    .await;

    let seen = gateway.send(with("/", &[("x-user", "CN=root"), ("x-more", "1")])).await.seen();

    assert_eq!(seen.all("x-user"), Vec::<&str>::new());
    assert_eq!(seen.all("x-more"), ["1"]);
    assert_eq!(seen.all("x-absent"), Vec::<&str>::new());
}

/// A server that follows CGI reads `x.user` as `x-user`.
#[tokio::test]
async fn what_a_server_may_take_for_a_field_that_is_set_or_removed_goes_with_it() {
    let a = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [gateway.forwarded]
        underscores = "pass"
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { set = { X-User = "$client_ip", X-Team = "one" }, remove = ["X-Role"] }
    "#,
    )
    .origin(&a)
    .start()
    .await;

    let fields =
        ["x.user", "x_user", "x.team", "x_team", "x.role", "x_role", "x-role", "x.other"].map(|name| (name, "6"));
    let seen = gateway.send(with("/", &fields)).await.seen();

    assert_eq!((seen.all("x-user"), seen.all("x-team")), (vec!["127.0.0.1"], vec!["one"]));
    for (name, _) in fields.iter().take(7) {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!(seen.header("x.other"), Some("6"));
}

#[tokio::test]
async fn fields_are_added_to_and_set_where_they_are_not() {
    let reply = || {
        let response = Response::builder().header("vary", "a").header("set-cookie", "a=1").header("x-own", "endpoint");
        Some(response.body(Full::<Bytes>::default()).unwrap())
    };
    let reply = move |seen: &Seen| if seen.target == "/down" { reply() } else { None };
    let a = Origin::named("a").answering(reply).start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { append = { X-List = "c", Cookie = "c=3", X-New = "n" }, set_if_absent = { X-Own = "gateway", X-Fresh = "f" }, remove = ["X-Gone"], set = { X-Set = "s" } }
        response_headers = { append = { Vary = "b", Set-Cookie = "b=2" }, set_if_absent = { X-Own = "gateway", X-Fresh = "$host" } }
    "#,
    )
    .origin(&a)
    .start()
    .await;

    let fields =
        [("x-list", "a"), ("x-list", "b"), ("cookie", "a=1"), ("x-own", "client"), ("x-gone", "1"), ("x-set", "0")];
    let seen = gateway.send(with("/up", &fields)).await.seen();
    let answer = gateway.send(with("/down", &[("host", "h.example")])).await;

    assert_eq!(seen.all("x-list"), ["a", "b, c"]);
    assert_eq!(seen.all("cookie"), ["a=1; c=3"]);
    assert_eq!((seen.all("x-new"), seen.all("x-fresh")), (vec!["n"], vec!["f"]));
    assert_eq!((seen.all("x-own"), seen.all("x-set"), seen.header("x-gone")), (vec!["client"], vec!["s"], None));
    assert_eq!(answer.header("vary"), "a, b");
    assert_eq!(answer.headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!((answer.header("x-own"), answer.header("x-fresh")), ("endpoint", "h.example"));
}

/// Each attempt has its own endpoint, and what is added is added once.
#[tokio::test]
async fn the_endpoint_is_the_one_that_gets_the_request() {
    let a = Origin::named("a").start().await;
    let nobody = Origin::reserved();
    let text = format!(
        r#"
        [[route]]
        path = "/"
        to = "balancer://pair"
        request_headers = {{ append = {{ X-Via = "$endpoint" }} }}
        [cluster.pair]
        balancer = "byrequests"
        endpoints = ["http://{}", "http://{{a}}"]
    "#,
        nobody.address()
    );
    let gateway = Gateway::configure(&text).origin(&a).start().await;

    let seen = gateway.send(with("/", &[("x-via", "1.1 front")])).await.seen();

    assert_eq!(seen.all("x-via"), [format!("1.1 front, http://{}", a.address())]);
}

#[tokio::test]
async fn an_exchange_has_one_name_everywhere() {
    let a = Origin::named("a").start().await;
    let text = r#"
        [log]
        access = "stdout"
        [gateway.forwarded]
        trusted = TRUSTED
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { set = { X-Request-Id = "$request_id" } }
        response_headers = { set = { X-Request-Id = "$request_id" } }
    "#;
    for (trusted, kept) in [("[]", false), ("[\"127.0.0.1\"]", true)] {
        let running = Running::start(Gateway::configure(&text.replace("TRUSTED", trusted)).origin(&a)).await;

        let mut raw = running.raw().await;
        raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: from-the-client-1\r\n\r\n").await;
        let answer = raw.read_answer().await.unwrap();
        let id = answer.seen().header("x-request-id").unwrap().to_owned();

        assert_eq!(answer.header("x-request-id"), id);
        assert_eq!(id == "from-the-client-1", kept, "{id}");
        eventually("a line", || !running.process.stdout().is_empty()).await;
        let line = &running.process.stdout()[0];
        assert!(line.contains(&format!("request_id=\"{id}\"")), "{line}");
    }
}

/// As Apache's `Header always`, whoever makes the response.
#[tokio::test]
async fn responses_of_the_gateways_own_have_them_too() {
    let a = Origin::named("a").start().await;
    let edits = "response_headers = { set = { X-Host = \"$host\", X-Id = \"$request_id\", X-From = \"$endpoint\" }, \
                 append = { Vary = \"x-$scheme\" }, set_if_absent = { X-Own = \"$route\" } }";
    let text = format!(
        r#"
        [[route]]
        path = "/down"
        to = "http://{}"
        {edits}
        [[route]]
        path = "/moved"
        redirect = {{ to = "/new" }}
        {edits}
        [[route]]
        path = "/here"
        respond = {{ status = 403, headers = {{ Vary = "own", X-Own = "own" }} }}
        {edits}
        [[route]]
        path = "/constant"
        respond = {{ status = 200, headers = {{ Vary = "own", X-Own = "own", Set-Cookie = "a=1" }} }}
        response_headers = {{ append = {{ Vary = "x", Set-Cookie = "b=2", X-More = "1" }}, set_if_absent = {{ X-Own = "no", X-New = "$$" }} }}
    "#,
        Origin::reserved().address()
    );
    let gateway = Gateway::configure(&text).origin(&a).start().await;

    for (path, status, vary, own) in
        [("/down", 503, "x-http", "/down"), ("/moved", 302, "x-http", "/moved"), ("/here", 403, "own, x-http", "own")]
    {
        let answer = gateway.send(with(path, &[("host", "H.example:1")])).await;

        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-host"), "h.example", "{path}");
        assert_eq!(answer.header("x-id").len(), 32, "{path}");
        assert_eq!((answer.header("vary"), answer.header("x-own")), (vary, own), "{path}");
        assert!(!answer.headers.contains_key("x-from"), "no endpoint has it: {path}");
        assert!(!answer.headers.contains_key("tidegate-route"), "{answer:?}");
    }
    let answer = gateway.get("/constant").await;
    let all = |name| answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((all("vary"), all("set-cookie"), all("x-more")), (vec!["own, x"], vec!["a=1", "b=2"], vec!["1"]));
    assert_eq!((all("x-own"), all("x-new")), (vec!["own"], vec!["$"]));
}

#[tokio::test]
async fn a_tunnel_has_them_as_well() {
    let a = Origin::named("a").start().await;
    let text = r#"
        [[route]]
        path = "/"
        to = "ws://{a}"
        request_headers = { set = { X-Real-IP = "$client_ip" } }
        response_headers = { set = { X-Id = "$request_id" } }
    "#;
    let gateway = Gateway::configure(text).origin(&a).start().await;

    let websocket = gateway.websocket("/").await;

    assert_eq!(websocket.headers()["x-id"].len(), 32);
}

/// Names and a certificate that clients choose themselves.
#[tokio::test]
async fn what_the_handshake_said_is_known() {
    let (a, ca, clients) = (Origin::named("a").start().await, Ca::new(), Ca::new());
    let text = r#"
        [[listen]]
        address = "127.0.0.1:0"
        tls = { certificate = "cert.pem", key = "cert-key.pem", client_ca = "clients.pem", client_certificate = "optional" }
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { set = { Client-Cert = "$client_cert", X-Subject = "$client_cert_subject", X-Print = "$client_cert_fingerprint", X-Name = "$tls_server_name", X-Tls = "$tls_version", X-Scheme = "$scheme" } }
    "#;
    let setup = Gateway::configure(text).origin(&a).tls(&ca, &["localhost"]).file("clients.pem", clients.pem());
    let gateway = setup.start().await;
    let identity = clients.issue(&["client.example"]);

    let stranger = ask(&gateway, &ca.client_config()).await;
    let member = ask(&gateway, &ca.client_config_as(&identity)).await;

    for field in ["client-cert", "x-subject", "x-print"] {
        assert_eq!(stranger.header(field), None, "{field} is not for the client to say");
    }
    for seen in [&stranger, &member] {
        let fields = ["x-name", "x-tls", "x-scheme"].map(|name| seen.header(name).unwrap_or_default().to_owned());
        assert_eq!(fields, ["localhost", "TLSv1.3", "https"]);
    }
    let cert = member.header("client-cert").unwrap();
    assert!(cert.starts_with(":MII") && cert.ends_with(':') && cert.len() > 300, "{cert}");
    assert!(member.header("x-subject").is_some_and(|subject| subject.contains("CN=")), "{member:?}");
    assert_eq!(member.header("x-print").unwrap().len(), 64);
}

async fn ask(gateway: &Gateway, client: &Arc<ClientConfig>) -> Seen {
    let stream = TcpStream::connect(gateway.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let shaken = within("a handshake", TlsConnector::from(client.clone()).connect(name, stream)).await.unwrap();
    let mut raw = Raw::new(Box::new(shaken) as BoxedIo);
    let forged = "Client-Cert: :AAAA:\r\nX-Subject: CN=root\r\nX-Print: 00\r\n";
    raw.write(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{forged}\r\n").as_bytes()).await;
    Answer::seen(&raw.read_answer().await.unwrap())
}
