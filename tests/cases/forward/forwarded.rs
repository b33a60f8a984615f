//! What endpoints are told about the client.

use tidegate_tests::{Gateway, Origin, Raw, Seen};

const FORGED: &str = "GET / HTTP/1.1\r\nHost: front.example:8080\r\nX-Forwarded-For: 203.0.113.9\r\n\
                      X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example\r\nX-Forwarded-Port: 443\r\n\
                      Forwarded: for=203.0.113.9;proto=https\r\n\r\n";

async fn told(gateway: &Gateway, head: impl AsRef<[u8]>) -> Seen {
    let mut raw = Raw::new(gateway.connect_from([127, 0, 0, 2].into()).await);
    raw.write(head.as_ref()).await;
    raw.read_answer().await.unwrap().seen()
}

async fn gateway(forwarded: &str, origin: &Origin) -> Gateway {
    let text = format!("[gateway]\nforwarded = {forwarded}\n[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    Gateway::configure(&text).origin(origin).start().await
}

#[tokio::test]
async fn strangers_are_not_believed() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(r#"{ trusted = ["127.0.0.1", "10.0.0.0/8"] }"#, &origin).await;

    let seen = told(&gateway, FORGED).await;

    let port = gateway.address().port().to_string();
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.2"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("x-forwarded-host"), Some("front.example:8080"));
    assert_eq!(seen.header("x-forwarded-port"), Some(port.as_str()));
    assert_eq!(seen.header("forwarded"), Some("for=127.0.0.2;host=\"front.example:8080\";proto=http"));
}

#[tokio::test]
async fn trusted_proxies_are_believed_and_extended() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(r#"{ trusted = ["127.0.0.0/8"] }"#, &origin).await;

    let seen = told(&gateway, FORGED).await;

    assert_eq!(seen.header("x-forwarded-for"), Some("203.0.113.9, 127.0.0.2"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
    assert_eq!(seen.header("x-forwarded-host"), Some("public.example"));
    assert_eq!(seen.header("x-forwarded-port"), Some("443"));
    let forwarded = "for=203.0.113.9;proto=https, for=127.0.0.2;host=\"front.example:8080\";proto=http";
    assert_eq!(seen.header("forwarded"), Some(forwarded));
}

#[tokio::test]
async fn what_is_switched_off_is_neither_sent_nor_believed() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway("{ x_forwarded = false, forwarded = false }", &origin).await;

    let seen = told(&gateway, FORGED).await;

    let told: Vec<_> = seen.headers.iter().filter(|(name, _)| name.contains("forwarded")).collect();
    assert!(told.is_empty(), "{told:?}");
}

/// Names that servers believe, or take for others.
const CLAIMS: [&str; 16] = [
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-Prefix",
    "X-Forwarded-Scheme",
    "X-Forwarded-Client-Cert",
    "X-Forward-For",
    "Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Original-Host",
    "Client-Cert",
    "X-SSL-Client-Verify",
    "Proxy-Authorization",
];

/// What nobody may say, trusted or not.
const LOOK_ALIKES: [&str; 8] = [
    "Proxy",
    "X_Forwarded_For",
    "X-Forwarded_Proto",
    "X.Forwarded.For",
    "X_Real_IP",
    "Content_Length",
    "Transfer.Encoding",
    "session_id",
];

fn claiming(extra: &str) -> String {
    let claims: String = CLAIMS.iter().chain(&LOOK_ALIKES).map(|name| format!("{name}: forged\r\n")).collect();
    format!("GET / HTTP/1.1\r\nHost: h\r\n{extra}{claims}X-Own: 1\r\nCookie: a=b\r\n\r\n")
}

fn of<'a>(seen: &'a Seen, names: &[&'a str]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| seen.header(&name.to_ascii_lowercase()).is_some()).collect()
}

#[tokio::test]
async fn whole_families_are_for_trusted_proxies_and_look_alikes_for_nobody() {
    let origin = Origin::named("a").start().await;
    let (strange, trusting) =
        (gateway("{ }", &origin).await, gateway(r#"{ trusted = ["127.0.0.0/8"] }"#, &origin).await);

    let from_stranger = told(&strange, claiming("")).await;
    let from_proxy = told(&trusting, claiming("")).await;

    assert_eq!(of(&from_stranger, &CLAIMS), Vec::<&str>::new(), "{from_stranger:?}");
    assert_eq!(of(&from_proxy, &CLAIMS), CLAIMS);
    for seen in [&from_stranger, &from_proxy] {
        assert_eq!(of(seen, &LOOK_ALIKES), Vec::<&str>::new(), "{seen:?}");
        assert_eq!(
            (seen.header("x-own"), seen.header("cookie")),
            (Some("1"), Some("a=b")),
            "what is the client's stays"
        );
    }
}

#[tokio::test]
async fn handshakes_claim_nothing_either() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway("{ }", &origin).await;
    let mut raw = gateway.raw().await;
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    raw.write(claiming(handshake).as_bytes()).await;

    assert!(raw.read_head().await.unwrap().starts_with("HTTP/1.1 101"));
    let seen = origin.seen().pop().unwrap();
    assert_eq!(of(&seen, &CLAIMS), Vec::<&str>::new(), "{seen:?}");
    assert_eq!(of(&seen, &LOOK_ALIKES), Vec::<&str>::new(), "{seen:?}");
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
}

#[tokio::test]
async fn underscores_pass_where_they_are_asked_for_but_for_look_alikes() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(r#"{ underscores = "pass" }"#, &origin).await;

    let seen = told(&gateway, claiming("")).await;

    assert_eq!(of(&seen, &LOOK_ALIKES), ["session_id"], "{seen:?}");
    assert_eq!(of(&seen, &CLAIMS), Vec::<&str>::new(), "{seen:?}");
}

#[tokio::test]
async fn operators_may_say_what_strangers_may_not() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/"
        to = "http://{a}"
        request_headers = { set = { X-Real-IP = "10.9.9.9", X_Custom = "1", X-Forwarded-Prefix = "/app" }, remove = ["Forwarded"] }
    "#,
    )
    .origin(&origin)
    .start()
    .await;

    let seen = told(&gateway, claiming("")).await;

    assert_eq!(seen.all("x-real-ip"), ["10.9.9.9"]);
    assert_eq!(seen.all("x_custom"), ["1"]);
    assert_eq!(seen.all("x-forwarded-prefix"), ["/app"]);
    assert_eq!(seen.header("forwarded"), None);
}

/// What endpoints do not hear, plugins do not hear either: here the key of a hash.
#[tokio::test]
async fn deciders_do_not_hear_claims() {
    for (trusted, is_heard) in [("", false), ("\"127.0.0.0/8\"", true)] {
        let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
        let text = format!(
            r#"
            [gateway]
            forwarded = {{ trusted = [{trusted}] }}
            [[route]]
            path = "/"
            to = "balancer://pool"
            [cluster.pool]
            balancer = "consistent-hash"
            affinity = {{ header = "X-Real-IP" }}
            endpoints = ["http://{{a}}", "http://{{b}}"]
        "#
        );
        let gateway = Gateway::configure(&text).origin(&a).origin(&b).start().await;

        for _ in 0..16 {
            told(&gateway, "GET / HTTP/1.1\r\nHost: h\r\nX-Real-IP: 10.0.0.1\r\n\r\n").await;
        }

        let is_together = a.seen().is_empty() || b.seen().is_empty();
        assert_eq!(is_together, is_heard, "with a key they meet, without one they spread");
    }
}

#[tokio::test]
async fn a_byte_that_is_no_text_hides_no_address() {
    let origin = Origin::named("a").start().await;
    let gateway = gateway(r#"{ trusted = ["127.0.0.0/8"] }"#, &origin).await;
    for (sent, expected) in [
        (&b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: \xff, 198.51.100.9\r\n"[..], "198.51.100.9, 127.0.0.2"),
        (b"X-Forwarded-For: 6.6.6.6, \xff, 198.51.100.9\r\n", "198.51.100.9, 127.0.0.2"),
        (b"X-Forwarded-For: 198.51.100.9\r\nConnection: X-Forwarded-For\r\n", "198.51.100.9, 127.0.0.2"),
    ] {
        let head = [b"GET / HTTP/1.1\r\nHost: h\r\n", sent, b"\r\n"].concat();

        let seen = told(&gateway, head).await;

        let [list] = seen.all("x-forwarded-for")[..] else { panic!("one line: {seen:?}") };
        assert!(list.ends_with(expected), "{list}");
    }
}
