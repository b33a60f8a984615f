//! What is kept when something else changes: a balancer's state, and what endpoints hold.

use tidegate_tests::{Gateway, Origin, eventually};

const PAIR: &str = r#"
[[route]]
path = "/"
to = "balancer://set"
[cluster.set]
endpoints = ["ws://{a}", "ws://{b}"]
"#;

#[tokio::test]
async fn an_unchanged_cluster_goes_on_with_its_scores_over_an_unrelated_reload() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let text = PAIR.replace("\"ws://{b}\"", "{ url = \"ws://{b}\", weight = 3 }");
    let mut gateway = Gateway::configure(&text).origin(&a).origin(&b).start().await;
    // Apache's own sequence for the factors 1 and 3.
    let expected = "babbbabbbabbbabb";
    let mut chosen = String::new();

    for number in 0..expected.len() {
        chosen.push_str(&gateway.get("/").await.seen().endpoint);
        eventually("both to be idle", || gateway.in_flight(&a) + gateway.in_flight(&b) == 0).await;
        gateway.rewrite(&format!("[[route]]\npath = \"/other-{number}\"\nrespond = {{ status = 204 }}\n{text}"));
        gateway.inner().reload().unwrap();
    }

    assert_eq!(chosen, expected, "a reload between any two of them must not start the sequence anew");
    assert_eq!(gateway.inner().generation().id(), 17);
}

#[tokio::test]
async fn endpoints_that_stay_keep_their_counts_when_others_come() {
    let [a, b, c] = three().await;
    let mut gateway = Gateway::configure(PAIR).origin(&a).origin(&b).origin(&c).start().await;
    let mut held = [gateway.websocket("/").await, gateway.websocket("/").await, gateway.websocket("/").await];
    let before = [gateway.in_flight(&a), gateway.in_flight(&b)];
    assert_eq!(before, [2, 1]);

    gateway.rewrite(&PAIR.replace("\"ws://{b}\"", "\"ws://{b}\", \"ws://{c}\""));
    gateway.inner().reload().unwrap();

    assert_eq!([gateway.in_flight(&a), gateway.in_flight(&b)], before, "counts are not the configuration's");
    let next = gateway.websocket("/").await;
    assert_eq!(next.endpoint(), "c", "who is new holds nothing");
    for tunnel in &mut held {
        tunnel.echo("still there").await;
    }
}

#[tokio::test]
async fn an_endpoint_removed_with_open_tunnels_keeps_them_and_finds_its_count_when_it_returns() {
    let [a, b, c] = three().await;
    let mut gateway = Gateway::configure(PAIR).origin(&a).origin(&b).origin(&c).start().await;
    let (mut on_a, on_b) = (gateway.websocket("/").await, gateway.websocket("/").await);
    assert_eq!((on_a.endpoint(), on_b.endpoint()), ("a", "b"));

    // Twice, so that no generation that is kept ready knows `a` any more.
    for text in [PAIR.replace("ws://{a}", "ws://{c}"), PAIR.replace("ws://{a}\", \"", "")] {
        gateway.rewrite(&text);
        gateway.inner().reload().unwrap();
        on_a.echo("its endpoint is gone from the configuration").await;
        assert_eq!(gateway.in_flight(&a), 1, "a lease is given back to where it was taken");
    }
    on_b.close().await;
    eventually("b to be idle", || gateway.in_flight(&b) == 0).await;

    gateway.rewrite(PAIR);
    gateway.inner().reload().unwrap();
    assert_eq!(gateway.in_flight(&a), 1, "back, and what it held all along still counts");
    let next = gateway.websocket("/").await;
    assert_eq!(next.endpoint(), "b", "a is busy");

    on_a.close().await;
    eventually("a to be idle", || gateway.in_flight(&a) == 0).await;
}

#[tokio::test]
async fn an_endpoint_put_to_drain_or_maint_keeps_its_tunnels_and_gets_no_more() {
    for state in ["drain", "maint"] {
        let [a, b, _] = three().await;
        let mut gateway = Gateway::configure(PAIR).origin(&a).origin(&b).start().await;
        let (mut on_a, on_b) = (gateway.websocket("/").await, gateway.websocket("/").await);
        assert_eq!((on_a.endpoint(), on_b.endpoint()), ("a", "b"));

        let a_is = format!("{{ url = \"ws://{{a}}\", state = \"{state}\" }}");
        gateway.rewrite(&PAIR.replace("\"ws://{a}\"", &a_is));
        gateway.inner().reload().unwrap();

        on_a.echo("nobody told me").await;
        for _ in 0..3 {
            assert_eq!(gateway.websocket("/").await.endpoint(), "b", "{state}: no new work, however busy b is");
        }
        on_a.echo("still here").await;
        assert_eq!(gateway.in_flight(&a), 1, "{state}");
    }
}

async fn three() -> [Origin; 3] {
    [Origin::named("a").start().await, Origin::named("b").start().await, Origin::named("c").start().await]
}
