//! Plugins that behave and plugins that do not, from file to fault.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::*;
use crate::config::Allow;
use crate::net::UpgradeProtocol;
use crate::policy::{
    Balancer, ClusterNumbers, Decision, Endpoint, EndpointId, EndpointIds, ExchangeEffects, Fault, FaultKind,
    HeaderEdit, LeaseEnding, Metric, Outcome, PickRequest, RequestFacts, ResponseContext, Rewriter, Router, Scheme,
};

/// Waits for a condition, with a limit.
pub(super) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < limit, "{what}: not within 30 s");
        std::thread::yield_now();
    }
}

macro_rules! guest {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/guests/", $name, ".wat"))
    };
}

mod effects;
mod life;
mod messages;
mod refusals;
mod roles;
mod standing;
mod wasi;

struct Numbers;

impl ClusterNumbers for Numbers {
    fn column(&self, _metric: Metric, eligible: &EndpointIds) -> Vec<f64> {
        eligible.iter().map(|id| f64::from(id.0)).collect()
    }

    fn signal(&self, _name: &str, eligible: &EndpointIds) -> Vec<f64> {
        vec![f64::NAN; eligible.len()]
    }
}

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        route: Some("r".to_owned()),
        labels: vec![("zone".to_owned(), "a".to_owned())],
        ..Endpoint::named(format!("ws://{name}:80"))
    }
}

fn load(runtime: &Runtime, bytes: &[u8]) -> Result<Arc<Artifact>, LoadError> {
    runtime.load(&PluginFile {
        name: "guest",
        origin: "guest.wat",
        bytes,
        limits: &PluginLimits::default(),
        table: None,
    })
}

fn balancer_of(artifact: &Arc<Artifact>, carry: Option<Vec<u8>>) -> Result<Box<dyn Balancer>, LoadError> {
    let endpoints = ["a", "b", "c"].map(endpoint);
    artifact.balancer(&Value::Null, &endpoints, Arc::new(Numbers), carry)
}

fn balancer(runtime: &Runtime, bytes: &[u8]) -> Box<dyn Balancer> {
    balancer_of(&load(runtime, bytes).unwrap(), None).unwrap()
}

fn facts(misbehave: bool) -> RequestFacts {
    let mut headers = HeaderMap::new();
    headers.insert("x-kept", HeaderValue::from_static("1"));
    if misbehave {
        headers.insert("x-misbehave", HeaderValue::from_static("1"));
    }
    RequestFacts {
        method: Method::GET,
        scheme: Scheme::Https,
        authority: "example.org".parse().ok(),
        path: "/a".to_owned(),
        query: Some("b=c".to_owned()),
        upgrade: Some(UpgradeProtocol::Websocket),
        client: Some([127, 0, 0, 1].into()),
        sni: Some("example.org".into()),
        headers: Arc::new(headers),
        connection: None,
        effects: ExchangeEffects::default(),
        body: None,
    }
}

fn pick(balancer: &mut dyn Balancer, misbehave: bool) -> Result<Option<u32>, Fault> {
    let facts = facts(misbehave);
    let request = PickRequest { eligible: &[1, 2].into(), busy: &[0, 5], affinity: None, request: Some(&facts) };
    let picked = balancer.pick(&request);
    assert_eq!(Arc::strong_count(&facts.headers), 1, "the plugin's store lets go of the headers, also after a fault");
    assert_eq!(facts.sni.as_ref().map(Arc::strong_count), Some(1), "and of the server name");
    picked.map(|choice| choice.endpoint().map(|id| id.0))
}

fn problem(made: Result<impl Sized, LoadError>) -> LoadErrorKind {
    made.err().expect("a refusal").problem
}

#[test]
fn all_four_kinds_of_file_load_and_pick() {
    let runtime = Runtime::new(None).unwrap();
    let short = wat::parse_bytes(guest!("first")).unwrap();
    let component = wrap::component(&short, &super::roles::contracts()).unwrap();
    let with_metadata =
        contract::embed(wat::parse_bytes(guest!("canonical")).unwrap().into_owned(), "balancer-plugin").unwrap();

    for (kind, bytes) in [
        ("text, short names", &guest!("first")[..]),
        ("text, canonical names", guest!("canonical")),
        ("core module", &short),
        ("core module with metadata", &with_metadata),
        ("component", &component),
    ] {
        let mut balancer = balancer(&runtime, bytes);

        assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1), "{kind}");
    }
}

#[test]
fn each_misbehaviour_is_typed_and_the_next_call_gets_a_fresh_instance() {
    let runtime = Runtime::new(None).unwrap();

    for (bytes, kind, words) in [
        (&guest!("spin")[..], FaultKind::Deadline, "forever < "),
        (guest!("trap"), FaultKind::Trap, "inner < outer < "),
        (guest!("memory-bomb"), FaultKind::Memory, "67108864 bytes"),
        (guest!("stray"), FaultKind::Answer, "eligible ids [1, 2], found 1000000"),
        (guest!("log-flood"), FaultKind::Deadline, "flood < "),
    ] {
        let mut balancer = balancer(&runtime, bytes);
        for round in 0..3 {
            let fault = pick(&mut *balancer, true).unwrap_err();

            assert_eq!(fault.kind, kind, "{fault}");
            assert!(fault.detail.contains(words), "{fault}");
            assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1), "a fresh instance in round {round}");
        }
        let status = runtime.status().into_iter().next_back().unwrap();
        let counted = status.faults.iter().find(|(name, _)| *name == kind.as_str()).unwrap().1;
        assert_eq!((status.calls, counted, status.instances, status.open_circuits), (6, 3, 1, 0));
        assert!(status.last_fault.unwrap().contains(words));
    }
}

#[test]
fn repeated_faults_open_the_circuit_until_a_probe_succeeds() {
    let runtime = Runtime::new(None).unwrap();
    let mut balancer = balancer(&runtime, guest!("trap"));
    for _ in 0..5 {
        assert_eq!(pick(&mut *balancer, true).unwrap_err().kind, FaultKind::Trap);
    }

    let aside = pick(&mut *balancer, false);

    // On a machine that stalled for longer than the pause, this call is the probe already.
    assert!(aside.is_ok() || aside.unwrap_err().kind == FaultKind::Unavailable);
    eventually("a probe succeeds", || pick(&mut *balancer, false).is_ok());
    assert_eq!(runtime.status()[0].open_circuits, 0);
    assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1), "back for good");
}

#[test]
fn preview1_modules_get_a_real_clock_and_random_even_while_arguments_are_placed() {
    let runtime = Runtime::new(None).unwrap();

    let mut balancer = balancer(&runtime, guest!("preview1"));

    for _ in 0..10 {
        assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1));
    }
}

#[test]
fn preview1_modules_that_only_write_load_as_well() {
    let runtime = Runtime::new(None).unwrap();
    let text = String::from_utf8_lossy(guest!("first")).replace(
        "(memory (export",
        "(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32))) (memory (export",
    );

    let mut balancer = balancer(&runtime, text.as_bytes());

    assert_eq!(pick(&mut *balancer, false).unwrap(), Some(1));
}

#[test]
fn a_bare_router_may_ask_for_all_values_of_a_header() {
    let runtime = Runtime::new(None).unwrap();
    // Misbehaves if `x-many` has two values, instead of if there is an `x-misbehave`.
    let text = String::from_utf8_lossy(guest!("router-trap"))
        .replace("\"header\" (func $header", "\"values\" (func $header")
        .replace("\"x-misbehave\"", "\"x-many\"")
        .replace("(i32.const 11) (i32.const 32))", "(i32.const 6) (i32.const 32))")
        .replace("(i32.load8_u (i32.const 32))", "(i32.eq (i32.load (i32.const 36)) (i32.const 2))");
    let artifact = load(&runtime, text.as_bytes()).unwrap();
    let router = artifact.router(&Value::Null, &["a".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap();
    let mut many = facts(false);

    Arc::make_mut(&mut many.headers).append("x-many", HeaderValue::from_static("1"));
    router.route(&many).unwrap();
    Arc::make_mut(&mut many.headers).append("x-many", HeaderValue::from_static("2"));

    assert_eq!(router.route(&many).unwrap_err().kind, FaultKind::Trap);
}

#[test]
fn feedback_that_works_does_not_excuse_picks_that_fail() {
    let runtime = Runtime::new(None).unwrap();
    let text = String::from_utf8_lossy(guest!("trap")).replace(
        "(func $outer",
        "(func (export \"opened\") (param i32))
         (func (export \"closed\") (param i32 i32 i32 i32 f64 i32 f64 f64 f64))
         (func $outer",
    );
    let mut balancer = balancer(&runtime, text.as_bytes());

    for _ in 0..5 {
        assert_eq!(pick(&mut *balancer, true).unwrap_err().kind, FaultKind::Trap);
        balancer.opened(EndpointId(1));
    }

    assert_eq!(runtime.status()[0].open_circuits, 1);
}

#[test]
fn a_plugin_may_describe_itself() {
    let runtime = Runtime::new(None).unwrap();

    let about = load(&runtime, guest!("described")).unwrap().about().unwrap().unwrap();

    assert_eq!((&*about.name, &*about.version, &*about.summary), ("first", "1.2.3", "always the first"));
    assert_eq!(load(&runtime, guest!("first")).unwrap().about().unwrap(), None);
}

#[test]
fn state_is_handed_over_and_a_refused_state_starts_fresh() {
    let runtime = Runtime::new(None).unwrap();
    let artifact = load(&runtime, guest!("rotate")).unwrap();
    let mut old = balancer_of(&artifact, None).unwrap();
    assert_eq!(pick(&mut *old, false).unwrap(), Some(1), "the self-test has not moved it");

    let state = old.save();

    let mut new = balancer_of(&artifact, state).unwrap();
    assert_eq!(pick(&mut *new, false).unwrap(), Some(2), "goes on where the other stopped");
    let mut fresh = balancer_of(&artifact, Some(vec![1, 2, 3])).unwrap();
    assert_eq!(pick(&mut *fresh, false).unwrap(), Some(1), "three bytes are refused");
}

#[test]
fn feedback_reaches_the_plugin_and_counters_outlive_it() {
    let runtime = Runtime::new(None).unwrap();
    let artifact = load(&runtime, guest!("rotate")).unwrap();
    let outcome = Outcome {
        ending: LeaseEnding::Complete,
        status: Some(101),
        duration: Duration::from_secs(1),
        first_byte: None,
        sent: 1,
        received: 2,
    };
    for _ in 0..2 {
        let mut balancer = balancer_of(&artifact, None).unwrap();
        assert!(balancer.wants_feedback());
        balancer.opened(EndpointId(1));
        balancer.closed(EndpointId(1), &outcome);
    }

    assert_eq!(artifact.shared.add("opened".to_owned(), 0.0), Some(2.0));
    assert_eq!(artifact.shared.add("closed".to_owned(), 0.0), Some(2.0));
}

#[test]
fn routers_fail_closed_on_traps_and_on_results_outside_the_contract() {
    let runtime = Runtime::new(None).unwrap();
    let workers = NonZeroUsize::new(2).unwrap();
    for (bytes, kind, words) in [
        (&guest!("router-trap")[..], FaultKind::Trap, "unreachable"),
        (guest!("router-stray"), FaultKind::Answer, "a cluster index below 2, found 7"),
        (guest!("router-smuggle"), FaultKind::Answer, "/a\\r\\nx-b: 1"),
        (guest!("router-flood"), FaultKind::Answer, "bytes in one answer, found more"),
    ] {
        let router: Box<dyn Router> = load(&runtime, bytes)
            .unwrap()
            .router(&Value::Null, &["a".into(), "b".into()], 1, workers, RouterPlace::Gateway)
            .unwrap();
        let bad = facts(true);

        let fault = router.route(&bad).unwrap_err();

        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.detail.contains(words), "{fault}");
        assert_eq!(Arc::strong_count(&bad.headers), 1, "the store lets go of the headers after a fault");
        let decision = router.route(&facts(false)).unwrap().decision;
        assert!(matches!(decision, Decision::Forward(target) if target.cluster.0 == 0), "a fresh instance");
    }
}

#[test]
fn rewriters_may_drop_a_location_but_not_touch_framing() {
    let runtime = Runtime::new(None).unwrap();
    let fields = [(HeaderName::from_static("location"), HeaderValue::from_static("/a"))];
    let always = String::from_utf8_lossy(guest!("rewriter-framing"))
        .replace("(i32.ne (local.get 2) (i32.const 17))", "(i32.const 1)");
    let rewriter_of = |bytes: &[u8]| {
        let workers = NonZeroUsize::new(1).unwrap();
        load(&runtime, bytes).unwrap().rewriter(&Value::Null, workers)
    };
    let rewrite = |bytes: &[u8]| {
        let rewriter = rewriter_of(bytes).unwrap();
        assert_eq!(rewriter.interest(), ["location"]);
        let context = ResponseContext {
            scheme: Scheme::Http,
            host: "h",
            path: "/",
            route: None,
            endpoint: "http://a:1",
            request: None,
        };
        rewriter.rewrite(&context, StatusCode::FOUND, &fields).map(|rewritten| rewritten.edits)
    };

    assert_eq!(rewrite(guest!("rewriter-remove")).unwrap(), [HeaderEdit::Remove(0)]);
    let fault = rewrite(guest!("rewriter-framing")).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Answer);
    assert!(fault.detail.contains("`content-length`"), "{fault}");
    let early = problem(rewriter_of(always.as_bytes()));
    assert!(matches!(&early, LoadErrorKind::SelfTest { with, .. } if with.starts_with("a response 200")), "{early}");
}

#[test]
fn a_wasi_02_component_gets_clocks_and_random_while_it_starts() {
    let runtime = Runtime::new(None).unwrap();
    let imports = r#"
        (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock (export "now" (func (result u64)))))
        (import "wasi:random/random@0.2.6" (instance $random (export "get-random-u64" (func (result u64)))))
        (core func $now (canon lower (func $clock "now")))
        (core func $next (canon lower (func $random "get-random-u64")))
        (core module $check
          (import "w" "now" (func $now (result i64)))
          (import "w" "next" (func $next (result i64)))
          (func $start
            (if (i64.eq (call $next) (call $next)) (then unreachable))
            (if (i64.eqz (call $now)) (then unreachable)))
          (start $start))
        (core instance (instantiate $check (with "w" (instance (export "now" (func $now)) (export "next" (func $next))))))
    "#;
    let text = format!("(component {imports} (instance $i) (export \"tidegate:plugin/balancer@0.1.0\" (instance $i)))");
    let artifact = load(&runtime, text.as_bytes()).unwrap();

    let made = problem(balancer_of(&artifact, None));

    assert!(matches!(made, LoadErrorKind::Signature { .. }), "its start function ran through: {made}");
}
