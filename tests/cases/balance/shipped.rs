//! The shipped balancers, each over real sockets. `bybusyness` has a file of its own, beside Apache.

use std::sync::Arc;

use futures_util::future::join;
use tidegate_tests::{Gateway, Origin, eventually, get};
use tokio::sync::Notify;

use super::balanced::Balanced;

#[tokio::test]
async fn byrequests_follows_apache_and_does_not_care_who_is_busy() {
    for (members, expected) in [
        (["", ""], "abababab"),
        ([", weight = 1", ", weight = 3"], "babbbabbbabbbabb"),
        ([", weight = 1", ", weight = 2.5"], "babbbabbabbbabba"),
    ] {
        let mut one_by_one = Balanced::by("balancer = \"byrequests\"", &members).await;
        assert_eq!(one_by_one.sequence(expected.len()).await, expected, "{members:?}");
        one_by_one.finish().await;

        let mut held = Balanced::by("balancer = \"byrequests\"", &members).await;
        assert_eq!(held.hold(expected.len()).await, expected, "{members:?}, held open");
        held.finish().await;
    }
}

#[tokio::test]
async fn least_busy_fills_by_weight() {
    let mut cluster = Balanced::by("balancer = \"least-busy\"", &[", weight = 1", ", weight = 3"]).await;

    assert_eq!(cluster.hold(8).await, "bbabbbab");
    assert_eq!(cluster.busy(), [2, 6], "where bybusyness shares them evenly");
    cluster.finish().await;
}

#[tokio::test]
async fn random_reaches_everyone() {
    let mut cluster = Balanced::by("balancer = \"random\"", &["", "", "", ", state = \"drain\""]).await;

    let found = cluster.sequence(60).await;

    assert!("abc".chars().all(|name| found.contains(name)), "{found}");
    assert!(!found.contains('d'), "{found}");
    cluster.finish().await;
}

#[tokio::test]
async fn bytraffic_counts_what_flows_through_an_open_tunnel() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nbalancer = \"bytraffic\"\nendpoints = [\"ws://{a}\", \"ws://{b}\"]\n";
    let gateway = Gateway::configure(text).origin(&a).origin(&b).start().await;
    let (mut first, second) = (gateway.websocket("/").await, gateway.websocket("/").await);
    assert_eq!((first.endpoint(), second.endpoint()), ("a", "b"), "nothing has flowed: the open tunnel decides");

    first.echo("x".repeat(100_000)).await;

    eventually("the bytes to be counted", || received(&gateway, &a) > 100_000).await;
    for _ in 0..5 {
        let answer = gateway.get("/").await;
        assert_eq!(answer.header("x-endpoint"), "b", "a has carried more, and its tunnel is still open");
    }
}

fn received(gateway: &Gateway, origin: &Origin) -> u64 {
    let lives = gateway.inner().registry().all().into_iter().flat_map(|(_, lives)| lives);
    lives.filter(|live| live.url().ends_with(&origin.address().to_string())).map(|live| live.received()).sum()
}

#[tokio::test]
async fn peak_ewma_prefers_who_answered_faster() {
    let release = Arc::new(Notify::new());
    let slow = Origin::raw({
        let release = release.clone();
        move |mut raw| {
            let release = release.clone();
            async move {
                while raw.read_head().await.is_some() {
                    release.notified().await;
                    raw.write(b"HTTP/1.1 200 OK\r\nx-endpoint: slow\r\ncontent-length: 0\r\n\r\n").await;
                }
            }
        }
    });
    let (slow, fast) = (slow.start().await, Origin::named("fast").start().await);
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nbalancer = \"peak-ewma\"\n\
                endpoints = [\"http://{raw}\", \"http://{fast}\"]\n";
    let gateway = Gateway::configure(text).origin(&slow).origin(&fast).start().await;

    let (first, second) = join(gateway.get("/"), async {
        eventually("the first to wait", || gateway.in_flight(&slow) == 1).await;
        let second = gateway.get("/").await;
        release.notify_one();
        second
    })
    .await;
    eventually("both to be given back", || gateway.in_flight(&slow) + gateway.in_flight(&fast) == 0).await;
    let third = gateway.get("/").await;

    assert_eq!(first.header("x-endpoint"), "slow", "of nobody anything is known: the first");
    assert_eq!(second.header("x-endpoint"), "fast", "the first holds a request");
    assert_eq!(third.header("x-endpoint"), "fast", "it answered while the other was still at it");
}

#[tokio::test]
async fn consistent_hash_keeps_a_key_together_also_when_others_leave() {
    let mut origins = Vec::new();
    for name in ["a", "b", "c", "d"] {
        origins.push(Origin::named(name).start().await);
    }
    let text = |names: &[&str]| {
        let endpoints: String = names.iter().map(|name| format!("\"ws://{{{name}}}\", ")).collect();
        format!(
            "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nbalancer = \"consistent-hash\"\n\
             config = {{ bound = 0 }}\naffinity = {{ query = \"room\" }}\nendpoints = [{endpoints}]\n"
        )
    };
    let setup =
        origins.iter().fold(Gateway::configure(&text(&["a", "b", "c", "d"])), |setup, origin| setup.origin(origin));
    let mut gateway = setup.start().await;
    let before = homes(&gateway).await;
    assert_eq!(before, homes(&gateway).await, "the same room, the same endpoint");
    let used: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(used.len(), 4, "all are used: {before:?}");

    gateway.rewrite(&text(&["d", "c", "a"]));
    gateway.inner().reload().unwrap();

    let after = homes(&gateway).await;
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after && *before != "b").count();
    assert!(!after.contains(&"b".to_owned()));
    assert!(moved <= 4, "those of b had to, {moved} others did: {before:?} {after:?}");
}

/// Who gets each of 40 rooms.
async fn homes(gateway: &Gateway) -> Vec<String> {
    let mut found = Vec::new();
    for room in 0..40 {
        found.push(gateway.send(get(&format!("/?room={room}"))).await.header("x-endpoint").to_owned());
    }
    found
}
