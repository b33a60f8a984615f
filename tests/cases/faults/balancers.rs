//! Balancers of one's own, good and bad.

use tidegate_tests::guests::{FEEDBACK_FILE, PANICS_FILE, wat};
use tidegate_tests::{Gateway, Origin, eventually};

use super::{faults, faults_of, provoking, provoking_upgrade};

/// A gateway before two origins, balanced by the plugin in `file`.
struct Balanced {
    gateway: Gateway,
    a: Origin,
    b: Origin,
}

impl Balanced {
    async fn by(file: &str, config: &str) -> Self {
        let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
        let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                    [cluster.pool]\nbalancer = \"guest\"\nconfig = {config}\nendpoints = [\"ws://{a}\", \"ws://{b}\"]\n\
                    [plugin.guest]\nfile = {file}\nmemory = \"4MiB\"\n";
        let setup =
            Gateway::configure(text).origin(&a).origin(&b).put("config", config).put("file", format!("{file:?}"));
        Self { gateway: setup.start().await, a, b }
    }

    /// Waits until nothing is counted as busy.
    async fn settled(&self) {
        eventually("everything to be given back", || self.busy() == (0, 0)).await;
    }

    fn busy(&self) -> (u32, u32) {
        (self.gateway.in_flight(&self.a), self.gateway.in_flight(&self.b))
    }
}

#[tokio::test]
async fn a_balancer_written_by_hand_decides() {
    let pool = Balanced::by(&wat("first"), "{}").await;

    let held =
        [pool.gateway.websocket("/").await, pool.gateway.websocket("/").await, pool.gateway.websocket("/").await];

    assert!(held.iter().all(|websocket| websocket.endpoint() == "a"), "it always takes the first");
    assert_eq!(pool.busy(), (3, 0));
}

#[tokio::test]
async fn a_balancer_may_take_turns_and_hears_how_it_went() {
    for file in [wat("rotate"), FEEDBACK_FILE.to_owned()] {
        let pool = Balanced::by(&file, "{}").await;
        let mut found = String::new();
        for _ in 0..6 {
            found += pool.gateway.websocket("/").await.endpoint();
        }

        assert_eq!(found, "ababab", "{file}");
        pool.settled().await;
        assert!(faults(&pool.gateway, "guest", "balancer") == 0.0);
    }
}

#[tokio::test]
async fn every_fault_of_a_balancer_is_stood_in_for_by_the_least_busy() {
    for (guest, kinds) in [
        ("spin", &["deadline"][..]),
        ("trap", &["trap"]),
        ("memory-bomb", &["memory", "trap"]),
        ("log-flood", &["deadline", "trap"]),
        ("stray", &["answer"]),
    ] {
        let pool = Balanced::by(&wat(guest), "{}").await;

        let mut held = Vec::new();
        for _ in 0..4 {
            let websocket = pool.gateway.try_websocket(provoking_upgrade("/")).await.unwrap();
            held.push(websocket.greeted().await);
        }
        for websocket in &mut held {
            websocket.echo("the tunnel knows nothing of it").await;
        }

        assert_eq!(pool.busy(), (2, 2), "{guest}: least busy spreads");
        let counted: f64 = kinds.iter().map(|kind| faults_of(&pool.gateway, "guest", "balancer", kind)).sum();
        assert!(counted >= 4.0, "{guest}: {counted} faults of {kinds:?}");
        held.clear();
        pool.settled().await;
        assert_eq!(pool.gateway.get("/").await.header("x-endpoint"), "a", "{guest} decides again when it behaves");
    }
}

#[tokio::test]
async fn a_balancer_that_fails_again_and_again_is_put_aside_and_returns() {
    let pool = Balanced::by(&wat("trap"), "{}").await;
    for _ in 0..20 {
        let answer = pool.gateway.send(provoking("/")).await;
        assert_eq!(answer.status, 200);
    }
    assert!(faults_of(&pool.gateway, "guest", "balancer", "trap") >= 5.0);

    // While it is aside the stand-in decides, and takes turns; the guest always takes the first.
    let mut by_the_guest = 0;
    let limit = std::time::Instant::now() + tidegate_tests::LIMIT;
    while by_the_guest < 5 {
        assert!(std::time::Instant::now() < limit, "the guest never returned");
        let held = [pool.gateway.websocket("/").await, pool.gateway.websocket("/").await];
        by_the_guest += usize::from(held.iter().all(|websocket| websocket.endpoint() == "a"));
        drop(held);
        pool.settled().await;
    }
}

#[tokio::test]
async fn a_balancer_in_rust_that_panics_is_stood_in_for() {
    let pool = Balanced::by(PANICS_FILE, "{}").await;

    let first = pool.gateway.websocket("/").await;
    let second = pool.gateway.websocket("/").await;
    let third = pool.gateway.websocket("/").await;

    assert_eq!((first.endpoint(), second.endpoint()), ("a", "b"), "it panics once a is busy");
    assert_eq!(pool.busy(), if third.endpoint() == "a" { (2, 1) } else { (1, 2) });
    assert!(faults_of(&pool.gateway, "guest", "balancer", "trap") >= 2.0);
}

#[tokio::test]
async fn open_tunnels_do_not_notice_a_balancer_that_spins() {
    let pool = Balanced::by(&wat("spin"), "{}").await;
    let mut held = pool.gateway.websocket("/").await;

    let spinning = (0..8).map(|_| pool.gateway.send(provoking("/")));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(spinning), async {
        for _ in 0..50 {
            held.echo("still here").await;
        }
    });

    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn a_plugin_that_refuses_its_configuration_refuses_the_start() {
    let setup = Gateway::configure(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nbalancer = \"picky\"\n\
         endpoints = [\"ws://127.0.0.1:9\"]\n[plugin.picky]\nfile = {file}\n",
    )
    .put("file", format!("{:?}", wat("picky")));

    let refused = setup.try_start().await.unwrap_err();

    assert!(refused.to_string().contains("picky"), "{refused}");
}
