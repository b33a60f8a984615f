//! What in a request names its endpoint.

use super::{asked, three, websocket};
use tidegate_tests::Gateway;

#[tokio::test]
async fn a_cookie_or_a_parameter_leads_to_its_endpoint_every_time() {
    let (_origins, setup) = three("sticky = { cookie = \"ROUTEID\", parameter = \"sid\" }").await;
    let gateway = setup.start().await;
    for route in ["c", "b", "a"] {
        let held = websocket(&gateway, "/", &format!("x=1; ROUTEID=abc.{route}")).await;
        let again = websocket(&gateway, "/", &format!("ROUTEID=.{route}")).await;
        assert_eq!((held.endpoint(), again.endpoint()), (route, route), "however busy it is");
        for path in [format!("/x;sid=abc.{route}"), format!("/x?y=1&sid=abc.{route}")] {
            assert_eq!(asked(&gateway, &path, &[("cookie", "ROUTEID=.a")]).await, route, "{path}: the URL goes first");
            assert_eq!(websocket(&gateway, &path, "").await.endpoint(), route, "{path}");
        }
    }
    assert_eq!(gateway.metric("tidegate_sticky_requests_total{outcome=\"hit\"}"), 18.0);
    assert_eq!(gateway.metric("tidegate_sticky_requests_total{outcome=\"miss\"}"), 0.0);
}

#[tokio::test]
async fn what_names_nobody_is_balanced() {
    let (_origins, setup) = three("sticky = { cookie = \"ROUTEID\", parameter = \"sid\" }").await;
    let gateway = setup.start().await;
    let _held = websocket(&gateway, "/", "ROUTEID=.a").await;

    for (path, cookie) in [
        ("/x?xsid=abc.a", "x=1"),
        ("/x", "XROUTEID=abc.a"),
        ("/x", "ROUTEID=a"),
        ("/x", "ROUTEID=\"abc.a\""),
        ("/x", "ROUTEID=abc.unknown"),
    ] {
        assert_ne!(asked(&gateway, path, &[("cookie", cookie)]).await, "a", "{path} {cookie}: a is the busiest");
    }
    assert_eq!(gateway.metric("tidegate_sticky_requests_total{outcome=\"miss\"}"), 5.0);
}

#[tokio::test]
async fn a_drained_endpoint_keeps_its_clients_and_gets_no_others() {
    let origins = [
        tidegate_tests::Origin::named("a").start().await,
        tidegate_tests::Origin::named("b").start().await,
        tidegate_tests::Origin::named("c").start().await,
    ];
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nsticky = { cookie = \"R\" }\n\
                endpoints = [{ url = \"http://{a}\", route = \"a\", state = \"drain\" }, \
                { url = \"http://{b}\", route = \"b\", state = \"maint\", redirect = \"a\" }, \
                { url = \"http://{c}\", route = \"c\" }]\n";
    let gateway = origins.iter().fold(Gateway::configure(text), tidegate_tests::Setup::origin).start().await;

    assert_eq!(asked(&gateway, "/", &[("cookie", "R=.a")]).await, "a", "it named it");
    assert_eq!(asked(&gateway, "/", &[("cookie", "R=.b")]).await, "a", "b cannot, and says who stands in");
    assert_eq!(gateway.metric("tidegate_sticky_requests_total{outcome=\"broken\"}"), 1.0);
    for _ in 0..5 {
        assert_eq!(asked(&gateway, "/", &[]).await, "c");
    }
}
