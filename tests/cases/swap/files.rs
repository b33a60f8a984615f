//! A plugin's file is replaced: by a rename, in place, by a switched link, in pieces.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use tidegate_tests::guests::FEEDBACK;
use tidegate_tests::{Gateway, Origin};

use super::MINE;
use crate::running::{Running, guest, replace};

/// Half of the time for which a file must look the same before it counts as written.
const HALF_OF_QUIET: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_plugin_replaced_by_rename_decides_the_next_connection_and_open_tunnels_notice_nothing() {
    check(|running| replace(&running.folder().join("mine.wat"), guest("last").as_bytes())).await;
}

#[tokio::test]
async fn a_plugin_written_in_place_decides_the_next_connection_and_open_tunnels_notice_nothing() {
    check(|running| fs::write(running.folder().join("mine.wat"), guest("last")).unwrap()).await;
}

#[tokio::test]
async fn a_plugin_behind_a_switched_link_decides_the_next_connection_and_open_tunnels_notice_nothing() {
    let (a, b) = pair().await;
    let setup = Gateway::configure(MINE).origin(&a).origin(&b);
    let folder = setup.folder().to_owned();
    for (version, plugin) in [("..1", "first"), ("..2", "last"), ("..3", "first")] {
        fs::create_dir(folder.join(version)).unwrap();
        fs::write(folder.join(version).join("mine.wat"), guest(plugin)).unwrap();
    }
    symlink("..1", folder.join("..data")).unwrap();
    symlink("..data/mine.wat", folder.join("mine.wat")).unwrap();
    let running = Running::start(setup).await;
    let mut held = running.websocket("/").await;

    for (before, version, chosen) in [("..1", "..2", "b"), ("..2", "..3", "a")] {
        running
            .swapped_by(|| {
                symlink(version, folder.join("..tmp")).unwrap();
                fs::rename(folder.join("..tmp"), folder.join("..data")).unwrap();
                fs::remove_dir_all(folder.join(before)).unwrap();
            })
            .await;

        assert_eq!(running.websocket("/").await.endpoint(), chosen, "after the switch to {version}");
        held.echo(version).await;
    }
}

#[tokio::test]
async fn a_half_written_plugin_is_waited_out() {
    let (a, b) = pair().await;
    let setup = Gateway::configure(MINE).origin(&a).origin(&b).file("mine.wat", guest("first"));
    let running = Running::start(setup).await;
    let versions = [("last", "b"), ("first", "a")].into_iter().cycle();

    for (plugin, chosen) in versions.take(40) {
        let (path, content) = (running.folder().join("mine.wat"), guest(plugin));
        let (first, second) = content.as_bytes().split_at(content.len() / 2);
        let mut pause = Duration::ZERO;
        let refusals = running.said("reload refused").len();
        running
            .swapped_by(|| {
                let mut file = fs::File::create(path).unwrap();
                let began = Instant::now();
                file.write_all(first).unwrap();
                file.sync_all().unwrap();
                // Long enough for an eager reader, short enough for a patient one.
                std::thread::yield_now();
                file.write_all(second).unwrap();
                pause = began.elapsed();
            })
            .await;

        assert_eq!(running.websocket("/").await.endpoint(), chosen, "the whole file decides");
        // On a machine that was busy elsewhere meanwhile, half a file had time to pass for a whole one: once more.
        if pause < HALF_OF_QUIET {
            assert_eq!(running.said("reload refused").len(), refusals, "half a file must not be read as a whole one");
            return;
        }
    }
    panic!("never two writes within {HALF_OF_QUIET:?}");
}

#[tokio::test]
async fn a_changed_plugin_config_configures_a_fresh_instance_that_takes_over_the_state() {
    let (a, b) = pair().await;
    let text = MINE.replace("mine.wat\"", "mine.wasm\"\nconfig = { turn = 1 }");
    let setup = Gateway::configure(&text).origin(&a).origin(&b).file("mine.wasm", FEEDBACK);
    let running = Running::start(setup).await;
    let mut held = running.websocket("/").await;
    assert_eq!((held.endpoint(), running.said(r#"configured with {"turn":1} for 2"#).len()), ("a", 1));

    running.swapped_by(|| running.edit("turn = 1", "turn = 2")).await;

    assert_eq!(running.said(r#"configured with {"turn":2} for 2"#).len(), 1, "configured with what is new");
    assert_eq!(running.websocket("/").await.endpoint(), "b", "its successor knows whose turn it is");
    held.echo("still there").await;
}

async fn check(change: impl FnOnce(&Running)) {
    let (a, b) = pair().await;
    let setup = Gateway::configure(MINE).origin(&a).origin(&b).file("mine.wat", guest("first"));
    let running = Running::start(setup).await;
    let mut held = running.websocket("/").await;
    assert_eq!(held.endpoint(), "a");

    running.swapped_by(|| change(&running)).await;

    assert_eq!(running.websocket("/").await.endpoint(), "b", "the new code decides");
    held.echo("still there").await;
    assert_eq!(running.said("reload refused"), Vec::<String>::new());
}

async fn pair() -> (Origin, Origin) {
    (Origin::named("a").start().await, Origin::named("b").start().await)
}
