//! Apache's choices, tunnel by tunnel.

use super::balanced::Balanced;

#[tokio::test]
async fn held_tunnels_spread_as_in_apache() {
    for (members, expected) in [
        (&["", ""][..], "abababab"),
        (&[", weight = 1", ", weight = 3"], "babababa"),
        (&["", "", ", state = \"spare\""], "abababab"),
        (&["", ", state = \"maint\"", ", state = \"spare\""], "acacacac"),
        (&["", ", state = \"drain\"", ", state = \"spare\""], "acacacac"),
        (&[", state = \"maint\"", ", state = \"maint\"", ", state = \"standby\""], "cccccccc"),
        (&["", "", "", ""], "abcdabcd"),
        (&[", group = 1", ", group = 1", ""], "cccc"),
    ] {
        let mut cluster = Balanced::new(members).await;

        let found = cluster.hold(expected.len()).await;

        assert_eq!(found, expected, "{members:?}");
        for (origin, busy) in cluster.origins.iter().zip(cluster.busy()) {
            let held = expected.matches(origin.name()).count();
            assert_eq!(busy as usize, held, "an open tunnel weighs on {}", origin.name());
            assert_eq!(origin.open(), held);
        }
        cluster.finish().await;
    }
}

#[tokio::test]
async fn requests_after_held_tunnels_follow_apache() {
    for (members, held, then) in
        [(["", ""], "abababab", "abababab"), ([", weight = 1", ", weight = 3"], "babababa", "bbbbbbbb")]
    {
        let mut cluster = Balanced::new(&members).await;

        let holding = cluster.hold(held.len()).await;
        let following = cluster.sequence(then.len()).await;

        assert_eq!((holding.as_str(), following.as_str()), (held, then), "{members:?}");
        cluster.finish().await;
    }
}

#[tokio::test]
async fn tunnels_that_come_and_go_follow_apache() {
    let mut cluster = Balanced::new(&["", "", ""]).await;

    for step in "+a +b +c +a -b +b -a -a +a +c".split(' ') {
        match step.split_at(1) {
            ("+", name) => assert_eq!(cluster.open().await, name, "at {step}"),
            (_, name) => cluster.close(name).await,
        }
    }

    assert_eq!(cluster.busy(), [1, 1, 2]);
    cluster.finish().await;
}

#[tokio::test]
async fn a_burst_spreads_evenly() {
    let cluster = Balanced::new(&["", "", "", ""]).await;

    let opening = (0..100).map(|_| cluster.gateway.websocket("/"));
    let held = futures_util::future::join_all(opening).await;

    assert_eq!(cluster.busy(), [25, 25, 25, 25], "choosing and counting are one step");
    drop(held);
    cluster.finish().await;
}

#[tokio::test]
async fn requests_and_tunnels_count_alike() {
    let mut cluster = Balanced::new(&["", ""]).await;
    assert_eq!(cluster.hold(1).await, "a");

    let following = cluster.sequence(5).await;

    assert_eq!(following, "bbbbb", "a holds a tunnel, b holds nothing between requests");
    cluster.finish().await;
}
