//! What opens the circuit of a plugin, what a replacement costs, and what becomes of feedback.

use wasmtime::Store;

use super::super::bindings::types::ConfigError;
use super::super::call_error::CallError;
use super::super::factory::{InstanceFactory, PluginRole};
use super::super::host_state::HostState;
use super::super::slot::InstanceSlot;
use super::*;
use crate::clock::{Clock, Simulation};
use crate::policy::RouteId;

#[test]
fn requests_that_make_a_router_trap_or_decide_wrongly_open_no_circuit() {
    let runtime = Runtime::new(None).unwrap();
    for bytes in [&guest!("router-trap")[..], guest!("router-stray")] {
        let artifact = load(&runtime, bytes).unwrap();
        let router = artifact
            .router(&Value::Null, &["a".into(), "b".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway)
            .unwrap();
        for _ in 0..20 {
            router.route(&facts(true)).unwrap_err();
        }

        router.route(&facts(false)).unwrap();

        assert_eq!(artifact.status()[0].open_circuits, 0);
    }
}

/// A runtime whose clock stands still until it is advanced.
pub(super) fn simulated() -> (Arc<Simulation>, Arc<Runtime>) {
    let simulation = Simulation::new(7, Duration::ZERO);
    let clock = Clock::Simulated(Arc::clone(&simulation));
    (simulation, Runtime::with_compiler(Compiler::InProcess, None, clock).unwrap())
}

/// Length of the host that self-tests ask for; these plugins loop later.
const SELF_TEST_HOST: usize = "self-test.invalid".len();

/// A router that loops where `condition` holds; its parameters are method, scheme, host, path, query and upgrade.
fn router_looping_if(runtime: &Runtime, condition: &str) -> (Arc<Artifact>, Box<dyn Router>) {
    let text = String::from_utf8_lossy(guest!("router-trap")).replace(
        "(if (call $misbehave) (then unreachable))",
        &format!(
            "(if (i32.and (i32.ne (local.get 4) (i32.const {SELF_TEST_HOST})) {condition})
               (then (loop $again (br $again))))"
        ),
    );
    let artifact = load(runtime, text.as_bytes()).unwrap();
    let router = artifact.router(&Value::Null, &["a".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap();
    (artifact, router)
}

fn kind<T>(answer: Result<T, Fault>) -> Option<FaultKind> {
    answer.err().map(|fault| fault.kind)
}

/// Calls until a call is refused at once. On a busy machine a pause may be over between two calls.
fn comes_to_be_refused<T>(ask: impl Fn() -> Result<T, Fault>) {
    eventually("it is refused without being asked", || kind(ask()) == Some(FaultKind::Unavailable));
}

#[test]
fn what_makes_a_router_hang_is_refused_and_all_else_is_served() {
    let runtime = Runtime::new(None).unwrap();
    let (artifact, router) = router_looping_if(&runtime, "(call $misbehave)");
    for _ in 0..5 {
        assert_eq!(kind(router.route(&facts(true))), Some(FaultKind::Deadline));

        assert_eq!(kind(router.route(&facts(false))), None, "the same line without what makes it hang");
    }

    comes_to_be_refused(|| router.route(&facts(true)));
    assert_eq!(kind(router.route(&facts(false))), None);
    assert_eq!(artifact.status()[0].open_circuits, 0);
}

#[test]
fn a_router_that_one_path_makes_hang_stays_in_service_whatever_the_path() {
    let runtime = Runtime::new(None).unwrap();
    // "/" has one byte: the first probe hangs as well.
    for (length, path) in [(1, "/"), (5, "/slow")] {
        let (artifact, router) = router_looping_if(&runtime, &format!("(i32.eq (local.get 6) (i32.const {length}))"));
        let ask = |path: &str, query: u32| {
            router.route(&RequestFacts { path: path.to_owned(), query: Some(query.to_string()), ..facts(false) })
        };
        for number in 0..12 {
            assert_eq!(kind(ask(path, number)), Some(FaultKind::Deadline), "each is another question");
        }

        assert_eq!(kind(ask("/other", 0)), None, "{path}");
        assert_eq!(artifact.status()[0].open_circuits, 0, "{path}");
    }
}

#[test]
fn a_router_that_always_hangs_is_left_out() {
    let runtime = Runtime::new(None).unwrap();
    let (artifact, router) = router_looping_if(&runtime, "(i32.const 1)");
    let ask = |number: u32| router.route(&RequestFacts { query: Some(number.to_string()), ..facts(false) });
    for number in 0..5 {
        assert_eq!(kind(ask(number)), Some(FaultKind::Deadline));
    }

    assert_eq!(artifact.status()[0].open_circuits, 1);
    assert_eq!(kind(ask(5)), Some(FaultKind::Unavailable), "nobody waits for it any more");
}

#[test]
fn a_router_that_recovers_comes_back_by_a_probe() {
    let (simulation, runtime) = simulated();
    // Hangs within the first second.
    let text = String::from_utf8_lossy(guest!("router-trap"))
        .replace(
            "(import \"tidegate\" \"header\"",
            "(import \"tidegate\" \"now\" (func $now (result f64)))\n(import \"tidegate\" \"header\"",
        )
        .replace(
            "(if (call $misbehave) (then unreachable))",
            &format!(
                "(if (i32.and (i32.ne (local.get 4) (i32.const {SELF_TEST_HOST})) (f64.lt (call $now) (f64.const 1e6)))
                   (then (loop $again (br $again))))"
            ),
        );
    let artifact = load(&runtime, text.as_bytes()).unwrap();
    let router = artifact.router(&Value::Null, &["a".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap();
    for _ in 0..5 {
        router.route(&facts(false)).unwrap_err();
    }
    assert_eq!(artifact.status()[0].open_circuits, 1);

    simulation.advance(Duration::from_secs(1));
    eventually("it answers a question of our own", || router.route(&facts(false)).is_ok());

    assert_eq!(artifact.status()[0].open_circuits, 0);
}

/// A rewriter that loops where `condition` holds; its parameters are scheme, host, path, route, endpoint, status and
/// fields.
fn rewriter_looping_if(runtime: &Runtime, condition: &str) -> (Arc<Artifact>, Box<dyn Rewriter>) {
    let text = String::from_utf8_lossy(guest!("rewriter-remove")).replace(
        "(i32.store8 (i32.const 128) (i32.const 1))",
        &format!(
            "(if (i32.and (i32.ne (local.get 2) (i32.const {SELF_TEST_HOST})) {condition})
               (then (loop $again (br $again))))
             (i32.store8 (i32.const 128) (i32.const 1))"
        ),
    );
    let artifact = load(runtime, text.as_bytes()).unwrap();
    let rewriter = artifact.rewriter(&Value::Null, NonZeroUsize::MIN).unwrap();
    (artifact, rewriter)
}

fn rewrite(rewriter: &dyn Rewriter, endpoint: &str, location: &str) -> Result<Vec<HeaderEdit>, Fault> {
    let context = ResponseContext {
        scheme: Scheme::Http,
        host: "front.example",
        path: "/",
        route: Some(RouteId(0)),
        endpoint,
        request: None,
    };
    let field = (HeaderName::from_static("location"), HeaderValue::from_str(location).unwrap());
    rewriter.rewrite(&context, StatusCode::FOUND, &[field]).map(|rewritten| rewritten.edits)
}

#[test]
fn an_endpoint_that_makes_a_rewriter_hang_is_refused_alone() {
    let runtime = Runtime::new(None).unwrap();
    let (slow, other) = ("http://slow:80", "http://other:80");
    let (artifact, rewriter) =
        rewriter_looping_if(&runtime, &format!("(i32.eq (local.get 8) (i32.const {}))", slow.len()));
    for number in 0..5 {
        assert_eq!(kind(rewrite(&*rewriter, slow, &format!("/{number}"))), Some(FaultKind::Deadline));

        assert_eq!(kind(rewrite(&*rewriter, other, "/")), None);
    }

    comes_to_be_refused(|| rewrite(&*rewriter, slow, "/anything"));
    assert_eq!(kind(rewrite(&*rewriter, other, "/")), None);
    assert_eq!(artifact.status()[0].open_circuits, 0);
}

#[test]
fn a_response_that_makes_a_rewriter_hang_takes_nothing_from_its_endpoint() {
    let runtime = Runtime::new(None).unwrap();
    // The length of the first field's value.
    let (artifact, rewriter) =
        rewriter_looping_if(&runtime, "(i32.eq (i32.load offset=12 (local.get 10)) (i32.const 5))");
    for _ in 0..5 {
        assert_eq!(kind(rewrite(&*rewriter, "http://a:80", "/slow")), Some(FaultKind::Deadline));
    }

    comes_to_be_refused(|| rewrite(&*rewriter, "http://a:80", "/slow"));
    assert_eq!(kind(rewrite(&*rewriter, "http://a:80", "/other")), None);
    for number in 0..12 {
        assert_eq!(kind(rewrite(&*rewriter, "http://a:80", &format!("/{number:04}"))), Some(FaultKind::Deadline));
    }
    assert_eq!(kind(rewrite(&*rewriter, "http://a:80", "/other")), None);
    assert_eq!(artifact.status()[0].open_circuits, 0);
}

#[test]
fn a_rewriter_that_always_hangs_is_left_out() {
    let runtime = Runtime::new(None).unwrap();
    let (artifact, rewriter) = rewriter_looping_if(&runtime, "(i32.const 1)");
    for number in 0..5 {
        assert_eq!(kind(rewrite(&*rewriter, &format!("http://{number}:80"), "/")), Some(FaultKind::Deadline));
    }

    assert_eq!(artifact.status()[0].open_circuits, 1);
    assert_eq!(kind(rewrite(&*rewriter, "http://new:80", "/")), Some(FaultKind::Unavailable));
}

#[test]
fn a_replacement_gets_little_more_time_than_the_first_instance_needed() {
    let runtime = Runtime::new(None).unwrap();
    // The first `configure` is quick; every later one, known by a shared counter, never ends.
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
    assert!(began.elapsed() < PluginLimits::default().setup_deadline(), "the cluster waited {:?}", began.elapsed());
    assert_eq!(runtime.status()[0].open_circuits, 1, "four more like that would be too many");
}

/// A role that calls nothing.
struct Idle;

impl PluginRole for Idle {
    type Exports = ();
    type Configured = ();
    const NAME: RoleName = RoleName::new("balancer");
    const DECIDES: &'static str = "pick";

    fn find(_: &Artifact, _: &mut Store<HostState>, _: &wasmtime::component::Instance) -> wasmtime::Result<()> {
        Ok(())
    }

    fn configure(&self, (): &(), _: &mut Store<HostState>) -> wasmtime::Result<Result<(), Vec<ConfigError>>> {
        Ok(Ok(()))
    }
}

#[test]
fn a_replacement_that_nothing_could_end_opens_the_circuit_at_once() {
    let runtime = Runtime::new(None).unwrap();
    let (quick, mut slow) = (load(&runtime, guest!("first")).unwrap(), load(&runtime, guest!("first")).unwrap());
    // No instance is made in no time.
    Arc::get_mut(&mut slow).unwrap().setup = Duration::ZERO;
    let (instance, ()) = InstanceFactory::new(&quick, Idle).unwrap().first().unwrap();
    let mut slot = InstanceSlot::new(InstanceFactory::new(&slow, Idle).unwrap(), instance);
    slot.ready().unwrap();
    slot.settle::<()>(Err(CallError { kind: FaultKind::Trap, detail: String::new() })).unwrap_err();

    let fault = slot.ready().err().unwrap();

    assert!(fault.detail.contains("expected an instance within 0ns"), "{fault}");
    assert_eq!(slow.status()[0].open_circuits, 1);
    let again = slot.ready().err().unwrap();
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
        ending: LeaseEnding::Complete,
        status: Some(101),
        duration: Duration::from_secs(1),
        first_byte: None,
        sent: 1,
        received: 2,
    }
}

#[test]
fn feedback_that_fails_again_and_again_ends_for_a_while_and_picks_go_on() {
    for bad in ["opened", "closed"] {
        let runtime = Runtime::new(None).unwrap();
        let mut balancer = balancer(&runtime, with_optional(bad, "unreachable").as_bytes());
        // What is left of the 100 ms that the first pause lasts is plenty for all of them.
        for _ in 0..40 {
            assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1), "a pick is not feedback");
            balancer.opened(EndpointId(1));
            balancer.closed(EndpointId(1), &outcome());
        }

        let status = runtime.status().into_iter().next().unwrap();
        let traps = status.faults.iter().find(|(kind, _)| *kind == "trap").unwrap().1;
        assert!(traps < 20, "{bad}: {traps} of 40 calls were let through");
        assert_eq!((status.open_feedback, status.open_circuits), (1, 0), "{bad}");
    }
}

#[test]
fn feedback_that_recovers_comes_back() {
    let runtime = Runtime::new(None).unwrap();
    // Traps in the first five calls, which a shared counter counts across instances.
    let body = "(call $add (i32.const 64) (i32.const 3) (f64.const 1) (i32.const 32))
                (if (f64.le (f64.load (i32.const 40)) (f64.const 5)) (then unreachable))";
    let text = with_optional("opened", body).replace(
        "(import \"tidegate\" \"header\"",
        "(import \"tidegate\" \"add\" (func $add (param i32 i32 f64 i32)))\n(import \"tidegate\" \"header\"",
    );
    let mut balancer = balancer(&runtime, text.as_bytes());
    for _ in 0..5 {
        pick(&mut *balancer, false).unwrap();
        balancer.opened(EndpointId(1));
    }
    assert_eq!(runtime.status()[0].open_feedback, 1);
    pick(&mut *balancer, false).unwrap();

    eventually("a probe succeeds", || {
        balancer.opened(EndpointId(1));
        runtime.status()[0].open_feedback == 0
    });
}

#[test]
fn saving_has_no_more_time_than_a_pick_and_too_much_state_does_not_cost_the_instance() {
    let runtime = Runtime::new(None).unwrap();
    let hangs = with_optional("save", "(loop $again (br $again)) unreachable");
    let mut hanging = balancer(&runtime, hangs.as_bytes());
    let began = Instant::now();
    assert_eq!(hanging.save(), None);
    assert!(began.elapsed() < PluginLimits::default().setup_deadline(), "the cluster waited {:?}", began.elapsed());
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
    let limits = PluginLimits { deadline: Duration::from_millis(1), ..PluginLimits::default() };
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
        let spec =
            PluginFile { name: "guest", origin: "guest.wat", bytes: text.as_bytes(), limits: &limits, table: None };
        balancer_of(&runtime.load(&spec).unwrap(), None)
    };

    let second = problem(slow("ge_u").map(drop));
    assert!(matches!(&second, LoadErrorKind::SelfTest { with, .. } if with.starts_with("eligible [0, 1]")), "{second}");
    let mut lazy = slow("eq").unwrap();
    assert_eq!(pick(&mut *lazy, false).unwrap(), Some(1), "the first pick of the one that is used has the time too");
    assert_eq!(pick(&mut *lazy, false).unwrap(), Some(1));
}
