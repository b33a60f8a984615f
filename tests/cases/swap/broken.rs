//! A plugin's file is replaced by one that cannot be used: nothing changes, and somebody is told why.

use tidegate_tests::{Gateway, Origin};

use super::MINE;
use crate::running::{Running, guest, replace};

/// What is put in place of a good plugin, and what must be said about it.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let spinning = guest("spin").replace("(if (call $misbehave) (then", "(if (i32.const 1) (then");
    assert_ne!(spinning, guest("spin"));
    vec![
        ("an empty file", Vec::new(), "found an empty file; write it beside and rename it into place"),
        ("garbage", b"\x7fELF\x02\x01\x01\0\0\0".to_vec(), "expected a file that starts with `\\0asm`, or .wat text"),
        ("text that does not parse", b"(module (func".to_vec(), "check it with `wasm-tools parse FILE`"),
        ("half a component", b"\0asm\x0d\0\x01\0\xff".to_vec(), "check it with `wasm-tools validate FILE`"),
        ("another role", guest("router-trap").into_bytes(), "expected a balancer, found a router"),
        ("a plugin that refuses its configuration", guest("picky").into_bytes(), "/zone: expected a zone, found none"),
        ("a plugin that spins in its self-test", spinning.into_bytes(), "that was a self-test"),
    ]
}

#[tokio::test]
async fn a_broken_plugin_changes_nothing_is_told_in_the_log_and_a_good_one_works_after_it() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(MINE).origin(&a).origin(&b).file("mine.wat", guest("first"));
    let running = Running::start(setup).await;
    let mut held = running.websocket("/").await;
    let file = running.folder().join("mine.wat");

    for (what, content, said) in broken() {
        let line = running.refused_after(|| replace(&file, &content)).await;

        assert!(line.contains(said), "{what}: expected {said:?} in {line}");
        assert!(line.contains("plugin mine") && line.contains("mine.wat"), "{what}: the plugin and its file: {line}");
        assert_eq!(running.websocket("/").await.endpoint(), "a", "{what}: the old code goes on deciding");
        held.echo(what).await;
    }

    running.swapped_by(|| replace(&file, guest("last").as_bytes())).await;
    assert_eq!(running.websocket("/").await.endpoint(), "b", "a good file works after bad ones");
    held.echo("still there").await;
}

#[tokio::test]
async fn a_refusal_is_forgotten_when_the_good_file_comes_back() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let gateway = Gateway::configure(MINE).origin(&a).origin(&b).file("mine.wat", guest("first")).start().await;
    let file = gateway.folder().join("mine.wat");
    let refused = || gateway.metric("tidegate_plugin_refused{plugin=\"mine\"}");
    replace(&file, b"garbage");
    gateway.inner().reload().unwrap_err();
    assert_eq!(refused(), 1.0);

    replace(&file, guest("first").as_bytes());
    gateway.inner().reload().unwrap();

    assert_eq!(refused(), 0.0, "what is served is what the file says");
}

#[tokio::test]
async fn a_refused_reload_is_counted_and_leaves_the_generation() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(MINE).origin(&a).origin(&b).file("mine.wat", guest("first"));
    let gateway = setup.start().await;
    let file = gateway.folder().join("mine.wat");
    let counted = |outcome| gateway.metric(&format!("tidegate_reloads_total{{outcome=\"{outcome}\"}}"));
    let mut refused = 0.0;

    for (what, content, said) in broken() {
        replace(&file, &content);
        let error = gateway.inner().reload().unwrap_err().to_string();

        refused += 1.0;
        assert!(error.contains(said), "{what}: expected {said:?} in {error}");
        assert_eq!(counted("refused"), refused, "{what}");
        assert_eq!((gateway.inner().generation().id(), counted("committed")), (1, 0.0), "{what}");
        assert_eq!(gateway.get("/").await.seen().endpoint, "a", "{what}");
    }

    replace(&file, guest("last").as_bytes());
    assert_eq!(gateway.inner().reload().unwrap().id(), 2, "refused ones take no number");
    assert_eq!(gateway.get("/").await.seen().endpoint, "b");
    assert_eq!((counted("refused"), counted("committed")), (refused, 1.0));
}
