//! Responses mapped back to the client's view.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::HeaderValue;
use tidegate_tests::{Answer, Gateway, Origin, get};

/// An origin that answers 302 with the fields that the request's `x-say` header has: `name: value | name: value`, where
/// `{me}` stands for its own address, as the client knows it from `x-me`.
async fn parrot() -> Origin {
    let answer = |seen: &tidegate_tests::Seen| {
        let mut response = Response::builder().status(302);
        let said = seen.header("x-say").unwrap_or_default();
        for (name, value) in said.split(" | ").filter_map(|field| field.split_once(": ")) {
            response = response.header(name, value);
        }
        Some(response.body(Full::<Bytes>::default()).unwrap())
    };
    Origin::named("a").answering(answer).start().await
}

async fn said(gateway: &Gateway, path: &str, say: &str) -> Answer {
    let mut request = get(path);
    request.headers_mut().insert("host", "front.example:8080".parse().unwrap());
    request.headers_mut().insert("x-say", say.parse().unwrap());
    gateway.send(request).await
}

const ROUTES: &str = r#"
    [[route]]
    path = "/app"
    to = "http://{a}/inner"
    [[route]]
    path = "/ws"
    to = "ws://{a}/socket"
    [[route]]
    path = "/bal"
    to = "balancer://pool/alias"
    [[route]]
    path = "/asis"
    to = "http://{a}/inner"
    reverse = false
    [cluster.pool]
    endpoints = ["http://{a}/m", { url = "http://other.example:8080/foo", state = "drain" }]
"#;

#[tokio::test]
async fn locations_of_endpoints_become_those_of_the_gateway() {
    let origin = parrot().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let me = origin.address();
    for (path, location, expected) in [
        ("/app", format!("http://{me}/inner/y?q#f"), "http://front.example:8080/app/y?q#f"),
        ("/app", format!("http://{me}/inner"), "http://front.example:8080/app"),
        ("/app", format!("HTTP://{me}/inner/y"), "http://front.example:8080/app/y"),
        ("/app", format!("ws://{me}/inner/y"), "http://front.example:8080/app/y"),
        ("/ws", format!("http://{me}/socket/y"), "http://front.example:8080/ws/y"),
        ("/ws", format!("ws://{me}/socket/y"), "http://front.example:8080/ws/y"),
        ("/bal", format!("http://{me}/m/alias/q"), "http://front.example:8080/bal/q"),
        ("/bal", "http://OTHER.example:8080/foo/alias/z".to_owned(), "http://front.example:8080/bal/z"),
    ] {
        let answer = said(&gateway, path, &format!("location: {location}")).await;

        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, expected), "{path} {location}");
    }
}

#[tokio::test]
async fn locations_of_others_stay_as_they_are() {
    let origin = parrot().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let me = origin.address();
    for (path, location) in [
        ("/app", format!("http://{me}/innerfoo")),
        ("/app", format!("http://{me}/INNER/y")),
        ("/app", format!("http://{me}/other")),
        ("/app", format!("https://{me}/inner/y")),
        ("/app", "http://elsewhere.example/inner/y".to_owned()),
        ("/app", "/inner/y".to_owned()),
        ("/app", "relative".to_owned()),
        ("/bal", "http://other.example:8080/foo/ALIAS/z".to_owned()),
        ("/asis", format!("http://{me}/inner/y")),
    ] {
        let answer = said(&gateway, path, &format!("location: {location}")).await;

        assert_eq!(answer.header("location"), location, "{path}");
    }
}

#[tokio::test]
async fn content_location_and_its_kin_are_mapped_too() {
    let origin = parrot().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let url = format!("http://{}/inner/y", origin.address());

    let answer =
        said(&gateway, "/app", &format!("content-location: {url} | uri: {url} | destination: {url} | link: {url}"))
            .await;

    for name in ["content-location", "uri", "destination"] {
        assert_eq!(answer.header(name), "http://front.example:8080/app/y", "{name}");
    }
    assert_eq!(answer.header("link"), url, "what Apache leaves alone is left alone");
}

#[tokio::test]
async fn cookies_move_to_the_gateways_paths_and_name() {
    let origin = parrot().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let say = "set-cookie: a=1; Path=/inner/sub; HttpOnly | set-cookie: b=2; path=/inner | set-cookie: c=3; Path=/innermost \
               | set-cookie: d=4; Domain=127.0.0.1 | set-cookie: e=5";

    let answer = said(&gateway, "/app", say).await;

    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(
        cookies,
        ["a=1; Path=/app/sub; HttpOnly", "b=2; path=/app", "c=3; Path=/innermost", "d=4; Domain=front.example", "e=5",]
    );
}

#[tokio::test]
async fn cookies_of_a_balanced_endpoint_move_too() {
    let origin = parrot().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;

    let answer = said(&gateway, "/bal", "set-cookie: a=1; Path=/m/alias/x; Domain=.other.example").await;

    assert_eq!(answer.header("set-cookie"), "a=1; Path=/bal/x; Domain=.front.example");
}

/// As [`parrot`], for bytes that are no text: what the query holds, with its escapes undone.
async fn parrot_of_bytes() -> Origin {
    let answer = |seen: &tidegate_tests::Seen| {
        let (_, query) = seen.target.split_once('?')?;
        let mut response = Response::builder().status(302);
        for (name, value) in query.split('&').filter_map(|field| field.split_once('=')) {
            response = response.header(name, HeaderValue::from_bytes(&undone(value)).unwrap());
        }
        Some(response.body(Full::<Bytes>::default()).unwrap())
    };
    Origin::named("a").answering(answer).start().await
}

fn undone(text: &str) -> Vec<u8> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(&piece.as_bytes()[2..]);
    }
    bytes
}

#[tokio::test]
async fn fields_that_are_not_utf_8_are_mapped_byte_for_byte() {
    let origin = parrot_of_bytes().await;
    let gateway = Gateway::configure(ROUTES).origin(&origin).start().await;
    let me = origin.address();
    for (name, value, expected) in [
        ("location", format!("http://{me}/inner/caf%e9"), &b"http://front.example:8080/app/caf\xe9"[..]),
        ("location", format!("http://{me}/inner/caf%c3%a9"), "http://front.example:8080/app/café".as_bytes()),
        ("location", format!("http://{me}/other/%ff%80"), &undone(&format!("http://{me}/other/%ff%80"))),
        ("set-cookie", "a=%e9%a0;%20Path%3D/inner;%20x%3D%ff".to_owned(), b"a=\xe9\xa0; Path=/app; x=\xff"),
        ("set-cookie", "a=%c3%a9;%20Path%3D/inner".to_owned(), "a=é; Path=/app".as_bytes()),
    ] {
        let mut request = get(&format!("/app/x?{name}={value}"));
        request.headers_mut().insert("host", "front.example:8080".parse().unwrap());

        let answer = gateway.send(request).await;

        assert_eq!(answer.headers.get(name).map(HeaderValue::as_bytes), Some(expected), "{name} {value}");
    }
}

#[tokio::test]
async fn an_endpoint_that_sends_too_much_to_map_back_is_refused_for_that_answer() {
    let answer = |seen: &tidegate_tests::Seen| {
        let (bytes, fields) = seen.header("x-say")?.split_once(' ')?;
        let (bytes, fields): (usize, usize) = (bytes.parse().unwrap(), fields.parse().unwrap());
        let mut response = Response::builder().status(200);
        for _ in 0..fields {
            response = response.header("set-cookie", "a=b;path=/".repeat(bytes / 10));
        }
        Some(response.body(Full::<Bytes>::default()).unwrap())
    };
    let origin = Origin::named("a").answering(answer).start().await;
    let gateway = r#"
        [[route]]
        path = "/app"
        to = "balancer://long/inner"
        [cluster.long]
        endpoints = ["http://{a}"]
        limits = { head = "1MiB" }
    "#;
    let gateway = Gateway::configure(gateway).origin(&origin).start().await;
    for (say, status) in [("390000 1", 200), ("95000 4", 200), ("530000 1", 502), ("10 90", 200), ("10 257", 502)] {
        for _ in 0..6 {
            let answer = said(&gateway, "/app", say).await;

            assert_eq!(answer.status.as_u16(), status, "{say}: {}", answer.text());
        }
        assert_eq!(said(&gateway, "/app", "10 1").await.header("set-cookie"), "a=b;path=/", "others are served");
    }
    let faults = ["deadline", "unavailable"].map(|kind| {
        gateway.metric(&format!("tidegate_plugin_faults_total{{plugin=\"reverse\",role=\"rewriter\",kind=\"{kind}\"}}"))
    });
    assert!(faults == [0.0, 0.0], "{faults:?}");
}

#[tokio::test]
async fn further_origins_paths_and_patterns_are_mapped_where_that_is_said() {
    let origin = parrot().await;
    let text = r#"
        [[route]]
        path = "/stripped"
        to = "http://{a}/"
        reverse = { paths = true, origins = ["https://inside.example:8443/was"], cookie_paths = { "/root" = "/top" }, cookie_domains = { "inside.example" = "www.example" } }
        [[route]]
        path_regex = "^/by/([a-z]+)/(.*)$"
        to = "http://{a}/in/$1/$2"
        reverse = { path = "/by" }
        [[route]]
        path_regex = "^/plain/(.*)$"
        to = "http://{a}/in/$1"
        [[route]]
        path = "/kept"
        to = "http://{a}/"
    "#;
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let me = origin.address();
    for (path, field, value, expected) in [
        ("/stripped", "location", "/login?a=b".to_owned(), "/stripped/login?a=b"),
        ("/stripped", "location", "/stripped/login".to_owned(), "/stripped/login"),
        ("/stripped", "location", "//other.example/x".to_owned(), "//other.example/x"),
        ("/stripped", "content-location", "/x".to_owned(), "/stripped/x"),
        (
            "/stripped",
            "location",
            "https://inside.example:8443/was/x".to_owned(),
            "http://front.example:8080/stripped/x",
        ),
        ("/stripped", "location", "https://inside.example:8443/is/x".to_owned(), "https://inside.example:8443/is/x"),
        ("/stripped", "set-cookie", "a=1; Path=/root/x".to_owned(), "a=1; Path=/top/x"),
        (
            "/stripped",
            "set-cookie",
            "a=1; Path=/x; Domain=inside.example".to_owned(),
            "a=1; Path=/stripped/x; Domain=www.example",
        ),
        ("/by/x/y", "location", format!("http://{me}/in/z/w?q"), "http://front.example:8080/by/z/w?q"),
        ("/by/x/y", "location", format!("http://{me}/out"), &format!("http://{me}/out")),
        ("/by/x/y", "set-cookie", "a=1; Path=/in/x".to_owned(), "a=1; Path=/by/x"),
        ("/plain/y", "location", format!("http://{me}/in/z"), &format!("http://{me}/in/z")),
        ("/kept", "location", "/login".to_owned(), "/login"),
    ] {
        let answer = said(&gateway, path, &format!("{field}: {value}")).await;

        assert_eq!(answer.header(field), expected, "{path} {value}");
    }
}
