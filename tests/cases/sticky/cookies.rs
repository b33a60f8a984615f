//! The cookie that the gateway sets.

use super::{three, websocket};
use tidegate_tests::{Ca, Gateway, Origin, Setup, get};

#[tokio::test]
async fn a_client_gets_its_cookie_once_by_answer_or_by_101() {
    let (_origins, setup) = three("sticky = { cookie = \"R\", issue = { max_age = \"1h\" } }").await;
    let gateway = setup.start().await;

    let first = gateway.get("/").await;
    let tunnel = websocket(&gateway, "/", "").await;

    let route = first.header("x-endpoint");
    assert_eq!(first.header("set-cookie"), format!("R=.{route}; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600"));
    let given = tunnel.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(given, format!("R=.{}", tunnel.endpoint()));
    let again = websocket(&gateway, "/", &given).await;
    assert_eq!(again.endpoint(), tunnel.endpoint());
    assert!(!again.headers().contains_key("set-cookie"), "it says so already");
    let mut request = get("/");
    request.headers_mut().insert("cookie", "R=.gone".parse().unwrap());
    let moved = gateway.send(request).await;
    assert_eq!(moved.header("set-cookie").split(';').next(), Some(&*format!("R=.{}", moved.header("x-endpoint"))));
}

#[tokio::test]
async fn the_cookie_is_secure_where_the_client_came_by_tls_and_stands_beside_those_of_the_endpoint() {
    let origin = Origin::named("a")
        .answering(|_| {
            let response = hyper::Response::builder().header("set-cookie", "own=1; Path=/app");
            Some(response.body(http_body_util::Full::default()).unwrap())
        })
        .start()
        .await;
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n\
                [[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{a}\"]\n\
                sticky = { cookie = \"R\", issue = {} }\n";
    let gateway = Gateway::configure(text).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;

    let answer = gateway.get("/").await;

    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let [own, ours] = cookies[..] else { panic!("{cookies:?}") };
    assert_eq!(own, "own=1; Path=/app");
    assert!(ours.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"), "{ours}");
    assert!(!ours.contains("127") && !ours.contains(&origin.address().port().to_string()), "no address: {ours}");
}

#[tokio::test]
async fn a_cookie_of_one_gateway_holds_at_another() {
    let origins = [Origin::named("a").start().await, Origin::named("b").start().await];
    let start = async || {
        let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
                    endpoints = [\"http://{a}\", \"http://{b}\"]\nsticky = { cookie = \"R\", issue = {} }\n";
        origins.iter().fold(Gateway::configure(text), Setup::origin).start().await
    };
    let (one, other) = (start().await, start().await);
    for _ in 0..4 {
        let tunnel = websocket(&one, "/", "").await;
        let cookie = tunnel.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let _busy = websocket(&other, "/", &cookie).await;

        assert_eq!(websocket(&other, "/", &cookie).await.endpoint(), tunnel.endpoint(), "no endpoint has a route");
    }
}
