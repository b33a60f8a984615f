//! Requests that name their endpoint, over real websockets and HTTP.

mod beside_apache;
mod cookies;
mod failing;
mod keys;

use tidegate_tests::{Gateway, Origin, Setup, get, upgrade_request};

/// A cluster of a, b and c, routes of the same names, with these lines in its section.
async fn three(lines: &str) -> ([Origin; 3], Setup) {
    let origins =
        [Origin::named("a").start().await, Origin::named("b").start().await, Origin::named("c").start().await];
    let text = format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n{lines}\nendpoints = [\
         {{ url = \"http://{{a}}\", route = \"a\" }}, {{ url = \"http://{{b}}\", route = \"b\" }}, \
         {{ url = \"http://{{c}}\", route = \"c\" }}]\n"
    );
    let setup = origins.iter().fold(Gateway::configure(&text), Setup::origin);
    (origins, setup)
}

/// Who answers a GET with these fields.
async fn asked(gateway: &Gateway, path: &str, fields: &[(&'static str, &str)]) -> String {
    let mut request = get(path);
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("x-endpoint").to_owned()
}

/// A websocket with this cookie.
async fn websocket(gateway: &Gateway, path: &str, cookie: &str) -> tidegate_tests::Websocket {
    let mut request = upgrade_request(path);
    if !cookie.is_empty() {
        request.headers_mut().append("cookie", cookie.parse().unwrap());
    }
    gateway.try_websocket(request).await.unwrap().greeted().await
}
