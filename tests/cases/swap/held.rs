//! Several plugins change together, and one of them is refused.

use tidegate_tests::{Gateway, Origin};

use crate::running::{Running, guest, replace};

/// Two clusters of `a` and `b`, each with a plugin of its own.
const TWO: &str = r#"
[[route]]
path = "/mine"
to = "balancer://mine"
[[route]]
path = "/other"
to = "balancer://other"
[cluster.mine]
balancer = "mine"
endpoints = ["ws://{a}", "ws://{b}"]
[cluster.other]
balancer = "other"
endpoints = ["ws://{a}", "ws://{b}"]
[plugin.mine]
file = "mine.wat"
[plugin.other]
file = "other.wat"
"#;

async fn start() -> (Origin, Origin, Gateway) {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(TWO).origin(&a).origin(&b);
    let setup = setup.file("mine.wat", guest("first")).file("other.wat", guest("first"));
    let gateway = setup.start().await;
    (a, b, gateway)
}

async fn chosen(gateway: &Gateway) -> [String; 2] {
    [gateway.get("/mine").await.seen().endpoint, gateway.get("/other").await.seen().endpoint]
}

fn refused(gateway: &Gateway) -> [f64; 2] {
    ["mine", "other"].map(|name| gateway.metric(&format!("tidegate_plugin_refused{{plugin=\"{name}\"}}")))
}

#[tokio::test]
async fn a_good_file_is_taken_and_a_bad_one_beside_it_keeps_its_running_version() {
    let (_a, _b, gateway) = start().await;
    let put = |name: &str, content: &[u8]| replace(&gateway.folder().join(name), content);

    put("mine.wat", guest("last").as_bytes());
    put("other.wat", b"(module (func");
    let generation = gateway.inner().reload().unwrap().id();

    assert_eq!((generation, chosen(&gateway).await), (2, ["b".to_owned(), "a".to_owned()]));
    assert_eq!(refused(&gateway), [0.0, 1.0]);
    let again = gateway.inner().reload().unwrap_err().to_string();
    assert!(again.contains("plugin other") && !again.contains("mine"), "nothing new is left: {again}");
    assert_eq!(gateway.inner().generation().id(), 2);

    put("mine.wat", guest("first").as_bytes());
    gateway.inner().reload().unwrap();
    assert_eq!(chosen(&gateway).await, ["a", "a"], "the bad file holds nothing back later either");
    assert_eq!(refused(&gateway), [0.0, 1.0]);

    put("other.wat", guest("last").as_bytes());
    gateway.inner().reload().unwrap();
    assert_eq!(chosen(&gateway).await, ["a", "b"]);
    assert_eq!(refused(&gateway), [0.0, 0.0]);
}

#[tokio::test]
async fn a_plugin_that_fails_only_where_it_is_configured_is_held_back_alike() {
    let (_a, _b, gateway) = start().await;
    for bad in ["picky", "spin-in-self-test", "router-trap"] {
        let spinning = guest("spin").replace("(if (call $misbehave) (then", "(if (i32.const 1) (then");
        let text = if bad == "spin-in-self-test" { spinning } else { guest(bad) };
        let next = if chosen(&gateway).await[0] == "a" { "last" } else { "first" };
        replace(&gateway.folder().join("mine.wat"), guest(next).as_bytes());
        replace(&gateway.folder().join("other.wat"), text.as_bytes());

        gateway.inner().reload().unwrap_or_else(|error| panic!("{bad}: {error}"));

        let mine = if next == "last" { "b" } else { "a" };
        assert_eq!(chosen(&gateway).await, [mine, "a"], "{bad}");
        assert_eq!(refused(&gateway), [0.0, 1.0], "{bad}");
    }
}

#[tokio::test]
async fn two_bad_files_are_both_named() {
    let (_a, _b, gateway) = start().await;
    replace(&gateway.folder().join("mine.wat"), b"(module (func");
    replace(&gateway.folder().join("other.wat"), guest("picky").as_bytes());

    let error = gateway.inner().reload().unwrap_err().to_string();

    assert!(error.contains("plugin mine") && error.contains("plugin other"), "{error}");
    assert_eq!((gateway.inner().generation().id(), refused(&gateway)), (1, [1.0, 1.0]));
}

#[tokio::test]
async fn with_another_configuration_all_is_taken_or_nothing_and_the_good_plugin_says_what_it_waits_for() {
    let (_a, _b, gateway) = start().await;
    let file = gateway.folder().join("tidegate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    replace(&file, text.replace("path = \"/other\"", "path = \"/another\"").as_bytes());
    replace(&gateway.folder().join("mine.wat"), guest("last").as_bytes());
    replace(&gateway.folder().join("other.wat"), b"(module (func");

    let error = gateway.inner().reload().unwrap_err().to_string();

    assert!(error.contains("plugin other") && error.contains("waiting for that"), "{error}");
    assert!(error.contains("plugin mine"), "{error}");
    assert_eq!((gateway.inner().generation().id(), refused(&gateway)), (1, [1.0, 1.0]));
    assert_eq!(chosen(&gateway).await, ["a", "a"]);

    replace(&gateway.folder().join("other.wat"), guest("first").as_bytes());
    gateway.inner().reload().unwrap();
    assert_eq!(refused(&gateway), [0.0, 0.0], "nobody waits any more");
}

#[tokio::test]
async fn beside_a_file_that_stays_bad_the_other_is_swapped_again_and_again() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(TWO).origin(&a).origin(&b);
    let setup = setup.file("mine.wat", guest("first")).file("other.wat", guest("first"));
    let running = Running::start(setup).await;
    let folder = running.folder().to_owned();

    running
        .told("generation is live", || {
            replace(&folder.join("mine.wat"), guest("last").as_bytes());
            replace(&folder.join("other.wat"), b"(module (func");
        })
        .await;
    running.told("generation is live", || replace(&folder.join("mine.wat"), guest("first").as_bytes())).await;

    let refusals = running.said("its running version stays");
    assert!(refusals.iter().all(|line| line.contains("other.wat") && line.contains("mine")), "{refusals:?}");
    assert!(
        running.said("reload refused").is_empty(),
        "what is refused was said: {:?}",
        running.said("reload refused")
    );
}
