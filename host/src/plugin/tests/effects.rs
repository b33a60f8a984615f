//! What imports do beyond their answer: who shares it, what trials leave of it, and which arguments end the call.

use super::super::buckets::Refill;
use super::messages::picking;
use super::standing::simulated;
use super::*;

const ADD: &str = "(import \"tidegate\" \"add\" (func $add (param i32 i32 f64 i32)))";
const TAKE: &str = "(import \"tidegate\" \"take\" (func $take (param i32 i32 f64 f64) (result i32)))";
const NOW: &str = "(import \"tidegate\" \"now\" (func $now (result f64)))";
/// Adds 1 to the counter `n`.
const COUNT: &str = "(call $add (i32.const 64) (i32.const 1) (f64.const 1) (i32.const 32))";
const KEY: &str = "(data (i32.const 64) \"n\")";

fn counted(artifact: &Artifact) -> Option<f64> {
    artifact.shared.add("n".to_owned(), 0.0)
}

#[test]
fn what_a_self_test_counts_and_takes_reaches_nobody() {
    let runtime = Runtime::new(None).unwrap();
    let take = "(drop (call $take (i32.const 64) (i32.const 1) (f64.const 0) (f64.const 2)))";
    let text = picking(&format!("{ADD} {TAKE} {KEY}"), &format!("{COUNT} {take}"));
    let artifact = load(&runtime, text.as_bytes()).unwrap();
    let mut balancer = balancer_of(&artifact, None).unwrap();
    let of_two = Refill::new(0.0, 2.0).unwrap();
    assert_eq!(counted(&artifact), Some(0.0));

    pick(&mut *balancer, false).unwrap();

    assert_eq!(counted(&artifact), Some(1.0), "what serves is counted");
    assert_eq!(artifact.shared.take("n", of_two), 0, "one token of two was taken");
    assert_ne!(artifact.shared.take("n", of_two), 0);
}

#[test]
fn what_a_probe_counts_reaches_nobody() {
    let runtime = Runtime::new(None).unwrap();
    let hangs = |imports: &str, count: &str| {
        String::from_utf8_lossy(guest!("router-trap"))
            .replace("(import \"tidegate\" \"header\"", &format!("{imports} (import \"tidegate\" \"header\""))
            .replace("x-misbehave", "n-misbehave")
            .replace("(if (call $misbehave) (then unreachable))", count)
    };
    let count = format!(
        "(if (i32.ne (local.get 4) (i32.const {})) (then {COUNT} (loop $again (br $again))))",
        "self-test.invalid".len()
    );
    let artifact = load(&runtime, hangs(ADD, &count).as_bytes()).unwrap();
    let router = artifact.router(&Value::Null, &["a".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap();
    for number in 0..5 {
        router.route(&RequestFacts { query: Some(number.to_string()), ..facts(false) }).unwrap_err();
    }

    assert_eq!(artifact.status()[0].open_circuits, 1, "the probes were made, and hung");
    assert_eq!(counted(&artifact), Some(5.0));
}

#[test]
fn arguments_outside_the_contract_end_the_call_with_their_sentence() {
    let (simulation, runtime) = simulated();
    let later = |call: &str| format!("(if (f64.gt (call $now) (f64.const 0)) (then {call} drop))");
    let mut balancers = Vec::new();
    for (import, call, sentence) in [
        (
            TAKE,
            "(call $take (i32.const 64) (i32.const 1) (f64.const nan) (f64.const 1))",
            "expected of `take` a rate of 0 or more tokens a second, found NaN",
        ),
        (
            TAKE,
            "(call $take (i32.const 64) (i32.const 1) (f64.const 1) (f64.const 0))",
            "expected of `take` a burst of 1 or more tokens, found 0",
        ),
        (
            "(import \"tidegate\" \"count\" (func $count (param i32 i32 i32 i32 f64))) (data (i32.const 64) \"n-\")",
            "(call $count (i32.const 64) (i32.const 2) (i32.const 0) (i32.const 0) (f64.const 1)) (i32.const 0)",
            "expected of `count` a name of a-z, 0-9 and _ that begins with a letter, found `n-`",
        ),
        (
            "(import \"tidegate\" \"level\" (func $level (param i32 i32 i32 i32 f64))) (data (i32.const 64) \"n\")",
            "(call $level (i32.const 64) (i32.const 1) (i32.const 0) (i32.const 0) (f64.const nan)) (i32.const 0)",
            "expected of `level` a finite number, found NaN",
        ),
        (
            "(import \"tidegate\" \"observe\" (func $observe (param i32 i32 i32 i32 f64))) (data (i32.const 64) \"n\")",
            "(call $observe (i32.const 64) (i32.const 1) (i32.const 0) (i32.const 0) (f64.const -1)) (i32.const 0)",
            "expected of `observe` a finite number of 0 or more, found -1",
        ),
    ] {
        let text = picking(&format!("{import} {NOW}"), &later(call));
        balancers.push((balancer(&runtime, text.as_bytes()), sentence));
    }
    simulation.advance(Duration::from_secs(1));

    for (mut balancer, sentence) in balancers {
        let fault = pick(&mut *balancer, false).unwrap_err();

        assert_eq!(fault.kind, FaultKind::Answer);
        assert!(fault.detail.starts_with(sentence), "{}", fault.detail);
    }
}

#[test]
fn clocks_of_all_instances_agree() {
    let (simulation, runtime) = simulated();
    let text = picking(&format!("{ADD} {NOW} {KEY}"), &COUNT.replace("(f64.const 1)", "(call $now)"));
    simulation.advance(Duration::from_secs(1));
    let early = load(&runtime, text.as_bytes()).unwrap();
    let mut one = balancer_of(&early, None).unwrap();
    simulation.advance(Duration::from_secs(1));
    let mut two = balancer_of(&early, None).unwrap();

    pick(&mut *one, false).unwrap();
    pick(&mut *two, false).unwrap();

    assert_eq!(counted(&early), Some(4e6), "both read two seconds");
}
