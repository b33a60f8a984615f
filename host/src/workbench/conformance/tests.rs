//! Good plugins pass, and each kind of bad one fails the test that is for it.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::plugin::{Compiler, SHIPPED, shipped};
use crate::workbench::{CheckOptions, TrialSettings, check};

/// Short enough for a machine that is busy with other tests.
const SHORT: ConformanceBounds = ConformanceBounds { decisions: 2_000, time: Duration::from_secs(2) };

fn report(bytes: &[u8], config: Option<Value>) -> ConformanceReport {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let settings = TrialSettings { config, ..TrialSettings::default() };
    let options = CheckOptions { settings, conformance: Some(SHORT), ..CheckOptions::default() };
    check(file.path(), &options, Compiler::InProcess).unwrap().conformance.unwrap()
}

fn failures(report: &ConformanceReport) -> Vec<(&'static str, &str)> {
    let failed = report.tests.iter().filter_map(|test| match &test.verdict {
        Verdict::Failed { why } => Some((test.name, why.as_str())),
        Verdict::Passed | Verdict::NotApplicable { .. } => None,
    });
    failed.collect()
}

#[test]
fn every_shipped_plugin_passes() {
    for name in SHIPPED {
        let config = match name {
            "prefix" => Some(
                json!({ "routes": [{ "path": "/a", "action": { "forward": { "cluster": "chat", "path": "/b" } } }] }),
            ),
            "reverse" => {
                Some(json!({ "routes": [{ "path": "/", "to_path": "/", "origins": ["http://192.0.2.1:8000"] }] }))
            }
            _ => None,
        };
        let report = report(shipped(name).unwrap(), config);

        assert_eq!(failures(&report), [], "{name}");
        let passed = report.tests.iter().filter(|test| test.verdict == Verdict::Passed).count();
        assert!(passed > report.tests.len() / 2, "{name} is put to the tests: {report:#?}");
    }
}

/// Of a route's plugins, whose answer most of the time it is.
#[test]
fn a_router_that_passes_is_put_to_the_tests_as_any_other() {
    let forwards = include_str!("../../../../tests/guests/router-trap.wat");
    let passes =
        forwards.replace("(i32.store8 (i32.const 128) (i32.const 0))", "(i32.store8 (i32.const 128) (i32.const 3))");

    let report = report(passes.as_bytes(), None);

    assert_ne!(passes, forwards);
    assert_eq!(failures(&report), []);
}

/// A balancer by its `pick`, which finds the eligible ids at `$eligible` and is given back by `$some` or `$none`.
fn balancer(pick: &str) -> String {
    include_str!("wrong.wat").replace(";; PICK", pick)
}

#[test]
fn each_wrong_balancer_fails_the_test_that_is_for_it() {
    let first = "(call $some (i32.load (local.get $eligible)))";
    let table = [
        // An index instead of an id, once no self-test sees it.
        ("(if (result i32) (call $late) (then (call $some (i32.const 0))) (else FIRST))", "ids with gaps", "found 0"),
        (
            "(if (result i32) (i32.ge_u (local.get $count) (i32.const 4096)) (then (call $none)) (else FIRST))",
            "4,096 endpoints",
            "returned none",
        ),
        // 64 KiB in every hundredth pick.
        (
            "(if (i32.and (call $late) (i32.eqz (i32.rem_u (global.get $picks) (i32.const 100))))
               (then (drop (memory.grow (i32.const 1)))))
             FIRST",
            "memory does not grow",
            "memory grows for as long as decisions are made",
        ),
        // 64 KiB in every pick: soon there is no more to be had.
        (
            "(if (call $late) (then (drop (memory.grow (i32.const 1))))) FIRST",
            "memory does not grow",
            "and is denied more",
        ),
        // 1 MiB in every pick: there is no more to be had before the first look.
        (
            "(if (call $late) (then (drop (memory.grow (i32.const 16))))) FIRST",
            "memory does not grow",
            "and is denied more",
        ),
        // Whoever was the first of many stays the choice.
        (
            "(if (call $late)
               (then
                 (if (i32.lt_s (global.get $kept) (i32.const 0))
                   (then (global.set $kept (i32.load (local.get $eligible)))))
                 (return (call $some (global.get $kept)))))
             FIRST",
            "members that come and go between picks",
            "eligible [",
        ),
        // A product that overflows is taken for a reason to trap.
        (
            "(if (i32.eq (i32.load (local.get $busy)) (i32.const 0x7fffffff)) (then unreachable)) FIRST",
            "unequal busyness",
            "busy [2147483647",
        ),
        (
            "(if (i32.eq (local.get $affinity) (i32.const 0x7fffffff)) (then unreachable)) FIRST",
            "with and without an affinity",
            "affinity 2147483647",
        ),
        // Loads are looked up by ids, which leads behind the list.
        (
            "(if (result i32)
               (i32.lt_u
                 (i32.load (i32.add (local.get $busy) (i32.shl (i32.load (local.get $eligible)) (i32.const 2))))
                 (i32.load (i32.add (local.get $busy) (i32.shl (local.get $last) (i32.const 2)))))
               (then FIRST)
               (else (call $some (local.get $last))))",
            "memory that earlier calls have used",
            "`busy` is by position",
        ),
        // Weights are read where `configure` found them, and picks have been there since.
        (
            "(if (result i32)
               (i32.gt_u (call $weight (i32.load (local.get $eligible))) (call $weight (local.get $last)))
               (then FIRST)
               (else (call $some (local.get $last))))",
            "memory that earlier calls have used",
            "must be copied",
        ),
    ];
    for (pick, test, expected) in table {
        let report = report(balancer(&pick.replace("FIRST", first)).as_bytes(), None);

        let found = failures(&report);
        assert!(found.iter().any(|(name, why)| *name == test && why.contains(expected)), "{pick}: {found:#?}");
    }
}

#[test]
fn who_remembers_how_busy_endpoints_were_is_not_taken_for_one_that_reads_leftovers() {
    let remembers = balancer(
        "(global.set $kept (i32.add (i32.mul (global.get $kept) (i32.const 3)) (i32.load (local.get $busy))))
         (if (result i32) (i32.and (global.get $kept) (i32.const 64))
           (then (call $some (i32.load (local.get $eligible))))
           (else (call $some (local.get $last))))",
    );

    let report = report(remembers.as_bytes(), None);

    let found = report.tests.iter().find(|test| test.name == "memory that earlier calls have used").unwrap();
    assert!(
        matches!(&found.verdict, Verdict::NotApplicable { why } if why.contains("in earlier picks")),
        "{report:#?}"
    );
}

#[test]
fn who_may_wait_for_reports_is_not_blamed_for_choosing_nobody() {
    let waits =
        balancer("(call $none)").replacen("(module", "(module (import \"tidegate\" \"now\" (func (result f64)))", 1);

    let report = report(waits.as_bytes(), None);

    assert_eq!(failures(&report), []);
    let why = |name: &str| match report.tests.iter().find(|test| test.name == name).map(|test| &test.verdict) {
        Some(Verdict::NotApplicable { why }) => why.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(why("some pick is not none").contains("imports `clock`"));
    assert!(why("4,096 endpoints").contains("imports `clock`"));
}
