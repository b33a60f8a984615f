//! What lives how long: compiled code, stores, the clock.

use super::*;

#[test]
fn the_same_bytes_are_compiled_once_while_they_are_in_use() {
    let runtime = Runtime::new(None).unwrap();
    let (one, two) = (load(&runtime, guest!("first")).unwrap(), load(&runtime, guest!("first")).unwrap());

    assert!(Arc::ptr_eq(&one.compiled, &two.compiled));
    drop((one, two));
    assert_eq!(runtime.live(), 0);
}

#[test]
fn two_thousand_swaps_leave_nothing_behind() {
    let runtime = Runtime::new(None).unwrap();
    let keep = load(&runtime, guest!("rotate")).unwrap();
    let mut current = balancer_of(&keep, None).unwrap();
    for round in 0..2000_u32 {
        let next = load(&runtime, guest!("rotate")).unwrap();
        let state = current.save();
        current = balancer_of(&next, state).unwrap();

        assert_eq!(pick(&mut *current, false).unwrap(), Some(1 + round % 2), "state goes along");
    }

    assert_eq!(runtime.live(), 1, "one compiled plugin");
    assert_eq!(runtime.status().len(), 2, "the first artifact and the last");
    assert_eq!(runtime.status().iter().map(|role| role.instances).sum::<usize>(), 1);
    let weak = Arc::downgrade(&keep.compiled);
    drop((current, keep));
    assert!(weak.upgrade().is_none(), "no store holds on to it");
}

#[test]
fn instances_outlive_the_runtime_and_keep_their_deadline() {
    let runtime = Runtime::new(None).unwrap();
    let mut balancer = balancer(&runtime, guest!("spin"));
    let life = runtime.ticker().life();
    drop(runtime);

    assert_eq!(pick(&mut *balancer, true).unwrap_err().kind, FaultKind::Deadline);

    drop(balancer);
    eventually("the clock ends with its last holder", || life.upgrade().is_none());
}

#[test]
fn an_unusable_cache_only_warns_and_a_usable_one_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();

    let without = Runtime::new(Some(&file)).unwrap();
    load(&without, guest!("first")).unwrap();

    let cache = folder.path().join("cache");
    let with = Runtime::new(Some(&cache)).unwrap();
    load(&with, guest!("first")).unwrap();
    assert!(std::fs::read_dir(&cache).unwrap().next().is_some());
}

#[test]
fn an_entry_of_the_cache_that_is_no_code_is_compiled_anew() {
    use sha2::{Digest as _, Sha256};

    let folder = tempfile::tempdir().unwrap();
    let entry = || {
        load(&Runtime::new(Some(folder.path())).unwrap(), guest!("first")).unwrap();
        let entries: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        std::fs::read(&entries[0]).map(|bytes| (entries[0].clone(), bytes)).unwrap()
    };
    let (path, whole) = entry();
    // With a checksum that is right: magic, checksum, rest.
    let (magic, rest) = (&whole[..16], &whole[48..whole.len() / 2]);
    std::fs::write(&path, [magic, &Sha256::digest(rest), rest].concat()).unwrap();

    let (same, again) = entry();

    assert_eq!(same, path);
    // What was measured differs from one time to the next.
    assert!(again.ends_with(&whole[whole.len() / 2..]), "the plugin is served, and the entry made anew");
}

#[test]
fn the_clock_wakes_for_a_call_after_a_long_rest() {
    let runtime = Runtime::new(None).unwrap();
    let mut balancer = balancer(&runtime, guest!("spin"));

    for _ in 0..3 {
        eventually("the clock rests", || runtime.ticker().is_asleep());
        assert_eq!(pick(&mut *balancer, true).unwrap_err().kind, FaultKind::Deadline);
    }
}
