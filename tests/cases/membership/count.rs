//! Clusters with endpoints at the same address.

use tidegate_tests::{Gateway, eventually};

use crate::admin::origins;

const TEXT: &str = r#"
[[route]]
path = "/one"
to = "balancer://one"
[[route]]
path = "/two"
to = "balancer://two"
[[route]]
path = "/own"
to = "balancer://own"
[cluster.one]
endpoints = ["ws://{a}", "ws://{b}"]
count = "address"
[cluster.two]
endpoints = ["ws://{b}", "ws://{a}"]
count = "address"
[cluster.own]
endpoints = ["ws://{a}", "ws://{b}"]
"#;

#[tokio::test]
async fn clusters_that_count_by_address_see_each_others_tunnels() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = Gateway::configure(TEXT).origin(&a).origin(&b).start().await;

    let mut held = vec![gateway.websocket("/one").await];
    for path in ["/two", "/one", "/two", "/one", "/two"] {
        held.push(gateway.websocket(path).await);
    }

    let on_a = held.iter().filter(|tunnel| tunnel.endpoint() == "a").count();
    assert_eq!((on_a, held.len()), (3, 6), "they spread as if they were one");
    let registry = gateway.inner().registry().clone();
    let shared = move || {
        [&a, &b].map(|origin| registry.address(&origin.address().ip().to_string(), origin.address().port()).in_flight())
    };
    assert_eq!(shared(), [3, 3]);
    let own = gateway.websocket("/own").await;
    assert_eq!(shared(), [3, 3], "who counts for himself is not in it");
    drop((held, own));
    eventually("counts to be zero", || shared() == [0, 0]).await;
}
