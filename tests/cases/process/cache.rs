//! The folder of compiled plugins: who may write there decides whether it is used.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tidegate_tests::{Gateway, Origin, Setup};

use crate::running::{Running, guest, replace};

fn served_from(origin: &Origin) -> Setup {
    let text = "[gateway]
cache = \"cache\"
[[route]]
path = \"/\"
to = \"balancer://c\"
[cluster.c]
balancer = \"mine\"
endpoints = [\"ws://{a}\"]
[plugin.mine]
file = \"mine.wat\"
";
    Gateway::configure(text).origin(origin).file("mine.wat", guest("first"))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    listed.filter(|path| path.extension().is_some_and(|extension| extension == "plugin")).collect()
}

#[tokio::test]
async fn compiled_plugins_are_kept_for_this_user_alone() {
    let origin = Origin::named("a").start().await;
    let running = Running::start(served_from(&origin)).await;

    let folder = running.folder().join("cache");

    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    // The balancer, the router and the rewriter.
    assert_eq!((mode(&folder), entries(&folder).len()), (0o700, 3));
    assert!(entries(&folder).iter().all(|entry| mode(entry) == 0o600));
    assert!(running.said("cache").is_empty(), "{:?}", running.process.stderr());
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_not_used_and_one_warning_says_what_to_do() {
    let origin = Origin::named("a").start().await;
    let setup = served_from(&origin);
    let folder = setup.folder().join("cache");
    std::fs::create_dir(&folder).unwrap();
    set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();

    let running = Running::start(setup).await;
    assert_eq!(running.websocket("/").await.endpoint(), "a", "it serves all the same");
    running.swapped_by(|| replace(&running.folder().join("mine.wat"), guest("last").as_bytes())).await;

    let warnings = running.said("no cache for compiled plugins");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("chmod go-w") && warnings[0].contains("mode 777"), "{warnings:?}");
    assert!(entries(&folder).is_empty(), "nothing is put there either");
}

#[tokio::test]
async fn damaged_and_exchanged_entries_are_compiled_anew() {
    let origin = Origin::named("a").start().await;
    let setup = served_from(&origin);
    let (config, folder) = (setup.write(), setup.folder().join("cache"));
    let check = || async {
        let mut process = tidegate_tests::Process::start(&["check", config.to_str().unwrap()]);
        let status = process.ended().await;
        assert!(status.success(), "{:?}", process.stderr());
    };
    check().await;
    let good: Vec<_> = entries(&folder).into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect();

    let mut bad = Vec::new();
    for (number, (_, path)) in good.iter().enumerate() {
        let mut another = good[(number + 1) % good.len()].0.clone();
        if number == 0 {
            another.truncate(another.len() / 2);
        }
        std::fs::write(path, &another).unwrap();
        bad.push((another, path));
    }
    check().await;

    for (bytes, path) in bad {
        assert_ne!(std::fs::read(path).unwrap(), bytes, "{} is another again", path.display());
    }
}
