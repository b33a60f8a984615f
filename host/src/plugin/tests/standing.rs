//! What puts a plugin aside, what a replacement costs, and what becomes of feedback.

use super::*;

#[test]
fn requests_that_make_a_router_trap_or_answer_wrongly_do_not_put_it_aside() {
    let runtime = Runtime::new(None).unwrap();
    for bytes in [&guest!("router-trap")[..], guest!("router-stray")] {
        let artifact = load(&runtime, bytes).unwrap();
        let router = artifact.router(&Value::Null, &["a".into(), "b".into()], 1, NonZeroUsize::MIN).unwrap();
        for _ in 0..20 {
            router.route(&mut facts(true)).unwrap_err();
        }

        router.route(&mut facts(false)).unwrap();

        assert_eq!(artifact.status()[0].aside, 0);
    }
}

#[test]
fn a_router_that_hangs_is_put_aside() {
    let runtime = Runtime::new(None).unwrap();
    let text = String::from_utf8_lossy(guest!("router-trap"))
        .replace("(if (call $misbehave) (then unreachable))", "(if (call $misbehave) (then (loop $again (br $again))))");
    let artifact = load(&runtime, text.as_bytes()).unwrap();
    let router = artifact.router(&Value::Null, &["a".into()], 1, NonZeroUsize::MIN).unwrap();
    for _ in 0..5 {
        assert_eq!(router.route(&mut facts(true)).unwrap_err().kind, FaultKind::Deadline);
    }

    assert_eq!(artifact.status()[0].aside, 1);
}

#[test]
fn a_replacement_gets_little_more_time_than_the_first_instance_needed() {
    let runtime = Runtime::new(None).unwrap();
    // The first `configure` is quick; every later one, told apart by a shared counter, never ends.
    let text = String::from_utf8_lossy(guest!("trap"))
        .replace("(import \"tidegate\" \"header\"", "(import \"tidegate\" \"add\" (func $add (param i32 i32 i64) (result i64)))\n(import \"tidegate\" \"header\"")
        .replace(
            "(func (export \"configure\") (param i32 i32 i32 i32) (result i32)",
            "(func (export \"configure\") (param i32 i32 i32 i32) (result i32)
             (if (i64.gt_s (call $add (i32.const 64) (i32.const 3) (i64.const 1)) (i64.const 1))
               (then (loop $again (br $again))))",
        );
    let mut balancer = balancer(&runtime, text.as_bytes());
    pick(&mut *balancer, true).unwrap_err();
    let began = Instant::now();

    let fault = pick(&mut *balancer, false).unwrap_err();

    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
    assert!(began.elapsed() < Limits::default().setup_deadline(), "the cluster waited {:?}", began.elapsed());
}
