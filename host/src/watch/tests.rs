//! Real files in a temporary folder; waits end with the condition or a limit.

use std::fs;
use std::future::Future;

use super::*;

/// A change must come within this.
const SOON: Duration = Duration::from_secs(10);
/// No change may come within this.
const WHILE: Duration = Duration::from_millis(400);

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

async fn reported(watcher: &mut Watcher) -> Vec<PathBuf> {
    tokio::time::timeout(SOON, watcher.changed()).await.expect("a change must be reported")
}

async fn quiet(watcher: &mut Watcher) {
    let seen = tokio::time::timeout(WHILE, watcher.changed()).await;
    assert!(seen.is_err(), "nothing must be reported, but was: {seen:?}");
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn a_write_is_reported_once_and_a_touch_never() {
    run(async {
        let folder = folder(&[("a", "1"), ("b", "1")]);
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let mut watcher = Watcher::new(vec![a.clone(), b.clone()]);
        quiet(&mut watcher).await;

        fs::write(&a, "2").unwrap();
        assert_eq!(reported(&mut watcher).await, [a]);

        fs::write(&b, "1").unwrap();
        fs::write(folder.path().join("other"), "1").unwrap();
        quiet(&mut watcher).await;
    });
}

#[test]
fn a_change_while_no_task_waits_or_in_a_cancelled_wait_is_not_lost() {
    run(async {
        let folder = folder(&[("a", "1")]);
        let a = folder.path().join("a");
        let mut watcher = Watcher::new(vec![a.clone()]);
        quiet(&mut watcher).await;

        fs::write(&a, "2").unwrap();
        for _ in 0..20 {
            let cancelled = tokio::time::timeout(Duration::from_millis(2), watcher.changed()).await;
            if let Ok(files) = cancelled {
                return assert_eq!(files, [a], "a slow machine may be done before its time is up");
            }
        }

        assert_eq!(reported(&mut watcher).await, [a]);
    });
}

#[test]
fn what_is_invalidated_is_reported_once_more() {
    run(async {
        let folder = folder(&[("a", "1"), ("b", "1")]);
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let mut watcher = Watcher::new(vec![a.clone(), b.clone()]);
        quiet(&mut watcher).await;

        watcher.invalidate();

        assert_eq!(reported(&mut watcher).await, [a, b]);
        quiet(&mut watcher).await;
    });
}

#[test]
fn a_half_written_file_is_waited_out() {
    run(async {
        let folder = folder(&[("a", "old")]);
        let a = folder.path().join("a");
        let mut watcher = Watcher::new(vec![a.clone()]);
        let path = a.clone();
        let writer = std::thread::spawn(move || {
            let mut content = String::new();
            for _ in 0..30 {
                content.push_str("part ");
                fs::write(&path, &content).unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
            content
        });

        let files = reported(&mut watcher).await;

        assert_eq!(files, std::slice::from_ref(&a));
        assert_eq!(fs::read_to_string(&a).unwrap(), writer.join().unwrap(), "reported only after the last part");
        quiet(&mut watcher).await;
    });
}

#[test]
fn a_replacement_by_rename_is_reported_after_the_gap_and_a_deletion_in_the_end() {
    run(async {
        let folder = folder(&[("a", "old"), ("next", "new")]);
        let a = folder.path().join("a");
        let mut watcher = Watcher::new(vec![a.clone()]);
        quiet(&mut watcher).await;

        fs::remove_file(&a).unwrap();
        let (from, to) = (folder.path().join("next"), a.clone());
        let mover = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(400));
            fs::rename(from, to).unwrap();
        });
        assert_eq!(reported(&mut watcher).await, std::slice::from_ref(&a));
        assert!(a.exists(), "reported after the file was back");
        mover.join().unwrap();

        fs::remove_file(&a).unwrap();
        assert_eq!(reported(&mut watcher).await, std::slice::from_ref(&a), "a file that stays away is reported");

        fs::write(&a, "again").unwrap();
        assert_eq!(reported(&mut watcher).await, [a]);
    });
}

#[cfg(unix)]
#[test]
fn a_switched_link_of_the_folder_is_seen_again_and_again() {
    use std::os::unix::fs::symlink;
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for number in 0..3 {
            fs::create_dir(at(&format!("..{number}"))).unwrap();
            fs::write(at(&format!("..{number}/cert.pem")), format!("{number}")).unwrap();
        }
        symlink("..0", at("..data")).unwrap();
        symlink("..data/cert.pem", at("cert.pem")).unwrap();
        let mut watcher = Watcher::new(vec![at("cert.pem")]);
        quiet(&mut watcher).await;

        for number in 1..3 {
            symlink(format!("..{number}"), at("..tmp")).unwrap();
            fs::rename(at("..tmp"), at("..data")).unwrap();
            fs::remove_dir_all(at(&format!("..{}", number - 1))).unwrap();
            assert_eq!(reported(&mut watcher).await, [at("cert.pem")], "switch {number}");
        }
        fs::write(at("..2/cert.pem"), "written in place").unwrap();
        assert_eq!(reported(&mut watcher).await, [at("cert.pem")], "the target's folder is watched too");
    });
}

#[test]
fn a_folder_that_is_replaced_is_found_again() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("certs");
        let a = inner.join("a");
        fs::create_dir(&inner).unwrap();
        fs::write(&a, "1").unwrap();
        let mut watcher = Watcher::new(vec![a.clone()]);
        quiet(&mut watcher).await;

        fs::remove_dir_all(&inner).unwrap();
        assert_eq!(reported(&mut watcher).await, std::slice::from_ref(&a), "gone with its folder");
        fs::create_dir(&inner).unwrap();
        fs::write(&a, "2").unwrap();
        assert_eq!(reported(&mut watcher).await, std::slice::from_ref(&a), "back with its folder");
        fs::write(&a, "3").unwrap();
        assert_eq!(reported(&mut watcher).await, [a]);
    });
}

#[test]
fn the_set_can_be_replaced_and_polling_sees_the_same() {
    run(async {
        let folder = folder(&[("a", "1"), ("b", "1")]);
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let mut watcher = Watcher::polling(vec![a.clone()]);
        watcher.watch(vec![b.clone()]);

        fs::write(&a, "2").unwrap();
        fs::write(&b, "2").unwrap();

        assert_eq!(reported(&mut watcher).await, [b], "only what is in the set");
    });
}

#[test]
fn what_was_read_without_a_report_may_change_back() {
    run(async {
        let folder = folder(&[]);
        let a = folder.path().join("a");
        let mut watcher = Watcher::new(vec![a.clone()]);
        fs::write(&a, "1").unwrap();

        watcher.rebase();
        fs::remove_file(&a).unwrap();

        assert_eq!(reported(&mut watcher).await, [a], "it is missing, as it was at first");
    });
}

#[test]
fn wasm_that_is_written_slowly_is_reported_once_it_is_whole_or_grows_no_more() {
    run(async {
        let folder = folder(&[("a", "1")]);
        let a = folder.path().join("a");
        let mut watcher = Watcher::new(vec![a.clone()]);
        // A custom section of 300 bytes.
        let whole = [b"\0asm\x01\0\0\0\0\xac\x02".as_slice(), &[0; 300]].concat();
        let put = |length: usize| {
            fs::write(&a, &whole[..length]).unwrap();
            fingerprint::take(std::slice::from_ref(&a))
        };
        let began = Instant::now();
        watcher.unsettled = Some(Unsettled { fingerprints: put(9), since: began, began });

        for (step, length) in (1..).zip([50, 100, 200, 310]) {
            let at = began + TORN * step;
            let part = put(length);
            watcher.settle(part.clone(), at);
            assert_eq!(watcher.settle(part, at + QUIET), None, "{length} bytes, however long it takes");
        }
        let at = began + TORN * 9;
        let part = fingerprint::take(std::slice::from_ref(&a));
        assert_eq!(watcher.settle(part, at), Some(vec![a.clone()]), "it does not grow any more");
        let all = put(311);
        watcher.unsettled = Some(Unsettled { fingerprints: all.clone(), since: at, began: at });
        assert_eq!(watcher.settle(all, at + QUIET), Some(vec![a.clone()]), "it is whole");
    });
}
