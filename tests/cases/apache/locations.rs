//! The Location that a client sees.

use tidegate_tests::{Answer, Gateway, Origin, Raw};

use super::httpd::{self, Httpd};
use crate::running::plain;

/// What an endpoint says, `{o}` being itself; both make the same of it.
const SAME: [&str; 14] = [
    "http://{o}/app/y",
    "http://{o}/app",
    "http://{o}/app/",
    "http://{o}/app?x=1",
    "http://{o}/app/a%2Fb?x#y",
    "HTTP://{o}/app/y",
    "http://{o}/other",
    "http://{o}",
    "http://127.0.0.1/app/y",
    "https://{o}/app/y",
    "http://elsewhere.example/app/y",
    "/other",
    "relative",
    "../up",
];

/// The same, ours, and Apache's. Ours ends on segment boundaries, and knows that `ws` and `http` are the same server.
const SAFER: [(&str, &str, &str); 2] = [
    ("http://{o}/appfoo", "http://{o}/appfoo", "http://gateway.test/pubfoo"),
    ("ws://{o}/app/y", "http://gateway.test/pub/y", "ws://{o}/app/y"),
];

#[tokio::test]
async fn a_location_becomes_what_apache_makes_of_it() {
    let Some(apache) = httpd::found() else { return };
    let origin = Origin::named("o")
        .answering(|seen| {
            let response = hyper::Response::builder().status(302).header("location", seen.header("x-location")?);
            Some(response.body(http_body_util::Full::default()).unwrap())
        })
        .start()
        .await;
    let here = origin.address().to_string();
    let directives = format!("ProxyPass /pub http://{here}/app\nProxyPassReverse /pub http://{here}/app\n");
    let apache = Httpd::start(apache, &directives).await;
    let text = "[[route]]\npath = \"/pub\"\nto = \"http://{o}/app\"\n";
    let gateway = Gateway::configure(text).origin(&origin).start().await;
    let at = |text: &str| text.replace("{o}", &here);

    for location in SAME.map(at) {
        let theirs = ask(plain(apache.address()).await, &location).await;
        let ours = ask(gateway.connect().await, &location).await;

        assert_eq!(ours.header("location"), theirs.header("location"), "of {location}: ours, and Apache's");
    }
    for (location, expected, apaches) in SAFER {
        let theirs = ask(plain(apache.address()).await, &at(location)).await;
        let ours = ask(gateway.connect().await, &at(location)).await;

        assert_eq!(ours.header("location"), at(expected), "of {location}");
        assert_eq!(
            theirs.header("location"),
            at(apaches),
            "Apache's of {location}, or the documentation is out of date"
        );
    }
}

async fn ask(io: tidegate_tests::BoxedIo, location: &str) -> Answer {
    let mut raw = Raw::new(io);
    let request = format!("GET /pub/x HTTP/1.1\r\nHost: gateway.test\r\nX-Location: {location}\r\n\r\n");
    raw.write(request.as_bytes()).await;
    let answer = raw.read_answer().await.expect("an answer");
    assert_eq!(answer.status, 302, "{answer:?}");
    answer
}
