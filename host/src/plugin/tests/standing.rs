//! What puts a plugin aside, what a replacement costs, and what becomes of feedback.

use wasmtime::Store;

use super::super::bindings::types::ConfigError;
use super::super::fault::Crash;
use super::super::host_state::HostState;
use super::super::plan::{Plan, Role};
use super::super::seat::Seat;
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
    let text = String::from_utf8_lossy(guest!("router-trap")).replace(
        "(if (call $misbehave) (then unreachable))",
        "(if (call $misbehave) (then (loop $again (br $again))))",
    );
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
        .replace(
            "(import \"tidegate\" \"header\"",
            "(import \"tidegate\" \"add\" (func $add (param i32 i32 f64 i32)))\n(import \"tidegate\" \"header\"",
        )
        .replace(
            "(func (export \"configure\") (param i32 i32 i32 i32) (result i32)",
            "(func (export \"configure\") (param i32 i32 i32 i32) (result i32)
             (call $add (i32.const 64) (i32.const 3) (f64.const 1) (i32.const 32))
             (if (f64.gt (f64.load (i32.const 40)) (f64.const 1))
               (then (loop $again (br $again))))",
        );
    let mut balancer = balancer(&runtime, text.as_bytes());
    pick(&mut *balancer, true).unwrap_err();
    let began = Instant::now();

    let fault = pick(&mut *balancer, false).unwrap_err();

    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
    assert!(began.elapsed() < Limits::default().setup_deadline(), "the cluster waited {:?}", began.elapsed());
    assert_eq!(runtime.status()[0].aside, 1, "four more like that would be too many");
}

/// A role that asks nothing of its instances.
struct Idle;

impl Role for Idle {
    type Guest = ();
    type Configured = ();
    const KIND: RoleKind = RoleKind::Balancer;

    fn find(_: &Artifact, _: &mut Store<HostState>, _: &wasmtime::component::Instance) -> wasmtime::Result<()> {
        Ok(())
    }

    fn configure(&self, (): &(), _: &mut Store<HostState>) -> wasmtime::Result<Result<(), Vec<ConfigError>>> {
        Ok(Ok(()))
    }
}

#[test]
fn a_replacement_that_nothing_could_end_is_put_aside_at_once() {
    let runtime = Runtime::new(None).unwrap();
    let (quick, mut slow) = (load(&runtime, guest!("first")).unwrap(), load(&runtime, guest!("first")).unwrap());
    // No instance is made in no time.
    Arc::get_mut(&mut slow).unwrap().setup = Duration::ZERO;
    let (instance, ()) = Plan::new(&quick, Idle).unwrap().start().unwrap();
    let mut seat = Seat::new(Plan::new(&slow, Idle).unwrap(), instance);
    seat.ready().unwrap();
    seat.settle::<()>(Err(Crash { kind: FaultKind::Trap, detail: String::new() })).unwrap_err();

    let fault = seat.ready().err().unwrap();

    assert!(fault.detail.contains("expected an instance within 0ns"), "{fault}");
    assert_eq!(slow.status()[0].aside, 1);
    let again = seat.ready().err().unwrap();
    assert!(again.detail.contains("found it put aside"), "no second attempt for long: {again}");
}

/// `trap.wat` with feedback and handover of which one function does not do its work.
fn with_optional(bad: &str, body: &str) -> String {
    let functions = [
        ("opened", "(param i32)", "nop"),
        ("closed", "(param i32 i32 i32 i32 f64 i32 f64 f64 f64)", "nop"),
        ("save", "(result i32)", "(i64.store (i32.const 16) (i64.const 0)) (i32.const 16)"),
        ("restore", "(param i32 i32) (result i32)", "unreachable"),
    ];
    let functions = functions.map(|(name, ty, good)| {
        let body = if name == bad { body } else { good };
        format!("(func (export \"{name}\") {ty} {body})\n")
    });
    String::from_utf8_lossy(guest!("trap")).replace("(func $outer", &(functions.concat() + "(func $outer"))
}

fn outcome() -> Outcome {
    Outcome {
        ending: Ending::Complete,
        status: Some(101),
        duration: Duration::from_secs(1),
        first_byte: None,
        sent: 1,
        received: 2,
    }
}

#[test]
fn feedback_that_fails_again_and_again_is_muted_and_picks_go_on() {
    for bad in ["opened", "closed"] {
        let runtime = Runtime::new(None).unwrap();
        let mut balancer = balancer(&runtime, with_optional(bad, "unreachable").as_bytes());
        // What is left of the 100 ms that the first pause lasts is plenty for all of them.
        for _ in 0..40 {
            assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1), "a pick is not feedback");
            balancer.opened(1);
            balancer.closed(1, &outcome());
        }

        let status = runtime.status().into_iter().next().unwrap();
        let traps = status.faults.iter().find(|(kind, _)| *kind == "trap").unwrap().1;
        assert!(traps < 20, "{bad}: {traps} of 40 calls were let through");
        assert_eq!((status.muted, status.aside), (1, 0), "{bad}");
    }
}

#[test]
fn feedback_that_recovers_is_heard_again() {
    let runtime = Runtime::new(None).unwrap();
    // Traps in the first five calls, which a shared counter tells across instances.
    let body = "(call $add (i32.const 64) (i32.const 3) (f64.const 1) (i32.const 32))
                (if (f64.le (f64.load (i32.const 40)) (f64.const 5)) (then unreachable))";
    let text = with_optional("opened", body).replace(
        "(import \"tidegate\" \"header\"",
        "(import \"tidegate\" \"add\" (func $add (param i32 i32 f64 i32)))\n(import \"tidegate\" \"header\"",
    );
    let mut balancer = balancer(&runtime, text.as_bytes());
    for _ in 0..5 {
        pick(&mut *balancer, false).unwrap();
        balancer.opened(1);
    }
    assert_eq!(runtime.status()[0].muted, 1);
    pick(&mut *balancer, false).unwrap();

    eventually("a probe succeeds", || {
        balancer.opened(1);
        runtime.status()[0].muted == 0
    });
}

#[test]
fn saving_has_no_more_time_than_a_pick_and_too_much_state_does_not_cost_the_instance() {
    let runtime = Runtime::new(None).unwrap();
    let hangs = with_optional("save", "(loop $again (br $again)) unreachable");
    let mut hanging = balancer(&runtime, hangs.as_bytes());
    let began = Instant::now();
    assert_eq!(hanging.save(), None);
    assert!(began.elapsed() < Limits::default().setup_deadline(), "the cluster waited {:?}", began.elapsed());
    drop(hanging);

    let much = with_optional(
        "save",
        "(drop (memory.grow (i32.const 17))) (i32.store (i32.const 16) (i32.const 0))
         (i32.store (i32.const 20) (i32.const 1048577)) (i32.const 16)",
    );
    let mut much = balancer(&runtime, much.as_bytes());
    assert_eq!(much.save(), None);

    assert!(runtime.status()[0].last_fault.as_ref().unwrap().contains("at most 1048576 bytes of state"));
    assert_eq!(runtime.status()[0].instances, 1, "it goes on with what it knows");
}

#[test]
fn a_self_test_gives_no_more_time_than_requests_do_except_for_the_first_pick() {
    let runtime = Runtime::new(None).unwrap();
    let limits = Limits { deadline: Duration::from_millis(1), ..Limits::default() };
    let slow = |when: &str| {
        let work = format!(
            "(global $picks (mut i32) (i32.const 0))
             (func $work (local $i i32)
               (global.set $picks (i32.add (global.get $picks) (i32.const 1)))
               (if (i32.{when} (global.get $picks) (i32.const 1)) (then
                 (loop $again
                   (local.set $i (i32.add (local.get $i) (i32.const 1)))
                   (br_if $again (i32.lt_u (local.get $i) (i32.const 50000000)))))))
             (func $outer"
        );
        let text = String::from_utf8_lossy(guest!("trap"))
            .replace("(func $outer", &work)
            .replace("(if (call $misbehave)", "(call $work) (if (call $misbehave)");
        let spec = Spec { name: "guest", origin: "guest.wat", bytes: text.as_bytes(), limits: &limits };
        balancer_of(&runtime.load(&spec).unwrap(), None)
    };

    assert!(matches!(problem(slow("ge_u").map(drop)), Problem::SelfTest { endpoints: 2, .. }));
    let mut lazy = slow("eq").unwrap();
    assert_eq!(pick(&mut *lazy, false).unwrap(), Some(1), "the first pick of the one that is used has the time too");
    assert_eq!(pick(&mut *lazy, false).unwrap(), Some(1));
}
