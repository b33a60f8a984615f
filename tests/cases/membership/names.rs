//! Endpoints by name, with a name server that changes its mind.

use std::net::Ipv4Addr;

use tidegate_tests::{Gateway, Names, Origin, Setup, eventually};

const ONE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const TWO: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Two servers with one port, as two addresses of one name have.
async fn twins() -> (Origin, Origin, u16) {
    let a = Origin::named("a").start().await;
    let port = a.address().port();
    let b = Origin::named("b").at((TWO, port)).start().await;
    (a, b, port)
}

fn setup(names: &Names, endpoint: &str) -> Setup {
    let text = r#"
[gateway]
resolver = ["{dns}"]
[admin]
address = "127.0.0.1:0"
[[route]]
path = "/"
to = "balancer://app"
[cluster.app]
endpoints = [{endpoint}]
"#;
    Gateway::configure(&text.replace("{endpoint}", endpoint)).put("dns", names.address())
}

fn members(gateway: &Gateway) -> Vec<String> {
    let generation = gateway.inner().generation();
    generation.config().clusters[0].endpoints.iter().map(|endpoint| endpoint.url.clone()).collect()
}

#[tokio::test]
async fn addresses_come_and_go_and_tunnels_notice_nothing() {
    let (a, b, port) = twins().await;
    let names = Names::start().await;
    names.addresses("app.test", 1, &[ONE]);
    let gateway = setup(&names, &format!("\"ws://app.test:{port}\"")).start().await;
    assert_eq!(members(&gateway), [format!("ws://127.0.0.1:{port}")], "known from the beginning");
    let mut on_a = gateway.websocket("/").await;
    assert_eq!(on_a.endpoint(), "a");

    names.addresses("app.test", 1, &[TWO, ONE]);
    eventually("the second address", || members(&gateway).len() == 2).await;
    let mut on_b = gateway.websocket("/").await;
    assert_eq!(on_b.endpoint(), "b", "the address that stayed kept its count");
    names.addresses("app.test", 1, &[TWO]);
    eventually("the first address to go", || members(&gateway) == [format!("ws://127.0.0.2:{port}")]).await;
    for _ in 0..3 {
        assert_eq!(gateway.websocket("/").await.endpoint(), "b");
    }

    on_a.echo("still here").await;
    on_b.echo("and here").await;
    assert_eq!(gateway.in_flight(&a), 1, "its tunnel is still counted");
    names.addresses("app.test", 1, &[ONE, TWO]);
    eventually("the first address to return", || members(&gateway).len() == 2).await;
    assert_eq!(gateway.in_flight(&a), 1, "and found its count again");
    assert_eq!(a.seen()[0].header("host"), Some(format!("app.test:{port}").as_str()), "Host is the name");
    drop((on_a, on_b));
    eventually("counts to be zero", || gateway.in_flight(&a) + gateway.in_flight(&b) == 0).await;
}

#[tokio::test]
async fn what_is_known_stays_while_a_name_server_fails() {
    let (_a, _b, port) = twins().await;
    let names = Names::start().await;
    names.addresses("app.test", 1, &[ONE, TWO]);
    let gateway = setup(&names, &format!("\"ws://app.test:{port}\"")).start().await;
    assert_eq!(members(&gateway).len(), 2);

    names.break_off("app.test");
    eventually("a lookup to fail", || gateway.metric("tidegate_name_lookups_total{outcome=\"failed\"}") > 0.0).await;

    assert_eq!(members(&gateway).len(), 2);
    assert_eq!(gateway.get("/").await.status, 200);
    assert_eq!(gateway.inner().generation().id(), 1);
    names.addresses("app.test", 1, &[TWO]);
    eventually("the name to be asked for again", || members(&gateway).len() == 1).await;
}

#[tokio::test]
async fn a_name_without_an_address_does_not_hold_up_the_start() {
    let (_a, _b, port) = twins().await;
    let names = Names::start().await;
    let gateway = setup(&names, &format!("\"ws://app.test:{port}\"")).start().await;
    assert_eq!(members(&gateway), [format!("ws://app.test:{port}")]);
    assert_eq!(gateway.get("/").await.status, 503, "there is nobody yet");

    names.addresses("app.test", 1, &[ONE]);

    eventually("the name to have an address", || members(&gateway) == [format!("ws://127.0.0.1:{port}")]).await;
    assert_eq!(gateway.get("/").await.status, 200);
    assert_eq!(gateway.metric("tidegate_name_addresses{name=\"app.test\"}"), 1.0);
}

#[tokio::test]
async fn an_answer_holds_for_its_ttl() {
    let (_a, _b, port) = twins().await;
    let names = Names::start().await;
    names.addresses("long.test", 3600, &[ONE]);
    names.addresses("short.test", 1, &[TWO]);
    let endpoints = format!("\"ws://long.test:{port}\", \"ws://short.test:{port}\"");
    let gateway = setup(&names, &endpoints).start().await;

    eventually("the short one to be asked for again", || names.asked("short.test") >= 3).await;

    assert_eq!(names.asked("long.test"), 1);
    assert_eq!(gateway.inner().generation().id(), 1, "the same answer makes no generation");
}

#[tokio::test]
async fn services_have_ports_weights_and_priorities() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let names = Names::start().await;
    let port = |origin: &Origin| origin.address().port();
    names.addresses("one.test", 1, &[ONE]);
    names.services("_chat._tcp.test", 1, &[(10, 1, port(&a), "one.test"), (20, 1, port(&b), "one.test")]);
    let gateway = setup(&names, "\"ws://_chat._tcp.test\"").start().await;
    let expected = [format!("ws://127.0.0.1:{}", port(&a)), format!("ws://127.0.0.1:{}", port(&b))];
    assert_eq!(members(&gateway), expected);
    for _ in 0..4 {
        assert_eq!(gateway.get("/").await.seen().endpoint, "a", "the lowest priority first");
    }
    assert_eq!(a.seen()[0].header("host"), Some("test"), "Host is the domain of the service");

    names.services("_chat._tcp.test", 1, &[(10, 3, port(&b), "one.test"), (10, 1, port(&a), "one.test")]);

    eventually("other records to count", || {
        let generation = gateway.inner().generation();
        let mut weights: Vec<_> =
            generation.config().clusters[0].endpoints.iter().map(|member| member.weight).collect();
        weights.sort_unstable();
        weights == [50, 150]
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_switched_off_is_one_endpoint() {
    let (_a, _b, port) = twins().await;
    let names = Names::start().await;
    names.addresses("app.test", 1, &[ONE, TWO]);
    let endpoint = format!("{{ url = \"ws://app.test:{port}\", discover = \"off\" }}");

    let gateway = setup(&names, &endpoint).start().await;

    assert_eq!(members(&gateway), [format!("ws://app.test:{port}")]);
    assert_eq!(names.asked("app.test"), 0);
}

#[tokio::test]
async fn one_address_of_a_name_is_drained_and_the_name_undoes_it() {
    use serde_json::{Value, json};
    let (_a, _b, port) = twins().await;
    let names = Names::start().await;
    names.addresses("app.test", 1, &[ONE, TWO]);
    let gateway = setup(&names, &format!("\"ws://app.test:{port}\"")).start().await;
    let admin = tidegate_tests::Admin::of(gateway.inner());
    let at = |host: &str| format!("/api/v1/clusters/app/endpoints?url=ws://{host}:{port}");

    admin.good("PATCH", &at("127.0.0.1"), &json!({ "state": "drain" })).await;
    for _ in 0..3 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b");
    }
    let refused = admin.send("DELETE", &at("127.0.0.1"), &Value::Null).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("app.test"), "{}", refused.text());
    let changed = admin.good("PATCH", &at("app.test"), &json!({ "weight": 2 })).await;

    assert_eq!(changed["changed"].as_array().unwrap().len(), 3, "the name and both addresses: {changed}");
}
