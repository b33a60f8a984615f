//! Redirects made of what is asked for.

use tidegate_tests::{Gateway, Origin, Raw};

const TEXT: &str = r#"
[[route]]
path = "/app"
redirect = { to = "https://$host:8443$path?$query", status = 308 }
[[route]]
path_regex = "^/v1/([a-z]+)$"
redirect = { to = "https://api.$host/v2/$1?from=$path" }
[[route]]
path = "/"
hosts = ["example.org"]
redirect = { to = "https://www.$host" }
[[route]]
path = "/"
to = "http://{a}"
"#;

#[tokio::test]
async fn names_in_a_target_stand_for_what_the_client_asks_for() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(TEXT).origin(&origin).start().await;
    let mut raw = Raw::new(gateway.connect().await);
    let table = [
        ("front.example:8080", "/app/a%20b?x=1", 308, "https://front.example:8443/app/a%20b?x=1"),
        ("FRONT.example", "/app", 308, "https://front.example:8443/app"),
        ("[2001:DB8::1]:80", "/app?", 308, "https://[2001:db8::1]:8443/app?"),
        ("front.example", "/v1/users?x=1", 302, "https://api.front.example/v2/users?from=/v1/users"),
        ("example.org", "/a?b", 302, "https://www.example.org/a?b"),
        ("front.example", "/app//evil.example/", 308, "https://front.example:8443/app//evil.example/"),
    ];

    for (host, target, status, location) in table {
        raw.write(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
        let answer = raw.read_answer().await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location), "{host} {target}");
    }
    raw.write(b"GET /app HTTP/1.0\r\n\r\n").await;
    let nameless = raw.read_answer().await.unwrap();
    assert_eq!(nameless.status, 400, "it names no host: {}", nameless.text());
}
