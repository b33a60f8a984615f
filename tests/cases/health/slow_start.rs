//! Endpoints that have just come get less than their share.

use tidegate_tests::{Gateway, Origin};

use super::place;

fn text(endpoints: &[&Origin], slow: &str) -> String {
    let urls: Vec<_> = endpoints.iter().map(|origin| format!("http://{}", place(origin))).collect();
    format!("[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nendpoints = {urls:?}\n{slow}")
}

#[tokio::test]
async fn a_new_member_begins_slowly_and_first_members_do_not() {
    let (a, b, c) =
        (Origin::named("a").start().await, Origin::named("b").start().await, Origin::named("c").start().await);
    let slow = "slow_start = \"1d\"\n";
    let mut gateway = Gateway::configure(&text(&[&a, &b], slow)).start().await;
    for _ in 0..20 {
        gateway.get("/").await;
    }
    assert_eq!((gateway.picks(&a), gateway.picks(&b)), (10, 10), "at the start nobody is spared");

    gateway.rewrite(&text(&[&a, &b, &c], slow));
    gateway.inner().reload().unwrap();
    for _ in 0..20 {
        gateway.get("/").await;
    }
    assert_eq!(gateway.picks(&c), 0, "the first minutes of a day");
    gateway.rewrite(&text(&[&a, &b, &c], ""));
    gateway.inner().reload().unwrap();
    for _ in 0..20 {
        gateway.get("/").await;
    }

    assert!(gateway.picks(&c) > 0, "without a slow start it is like the others");
}

#[tokio::test]
async fn an_only_member_takes_everything() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let slow = "slow_start = \"1d\"\n";
    let mut gateway = Gateway::configure(&text(&[&a], slow)).start().await;
    gateway.get("/").await;
    gateway.rewrite(&text(&[&a, &b], slow));
    gateway.inner().reload().unwrap();
    a.kill();

    for _ in 0..3 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b");
    }
}
