//! A plugin and a cluster in simulated time: what one run decides, the next one with the same seed decides again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tidegate::clock::{Clock, Simulation};
use tidegate::cluster::{Cluster, FailurePolicy, Member, Numbers, Registry, Tried};
use tidegate::config::EndpointState;
use tidegate::plugin::{Compiler, PluginFile, PluginLimits, Runtime, shipped};
use tidegate::policy::{Endpoint, ExchangeEffects, RequestFacts, Scheme};

const ENDPOINTS: [&str; 3] = ["ws://192.0.2.1", "ws://192.0.2.2", "ws://192.0.2.3"];

fn cluster(balancer: &str, clock: &Clock) -> Arc<Cluster> {
    let runtime = Runtime::with_compiler(Compiler::InProcess, None, clock.clone()).unwrap();
    let (bytes, limits) = (shipped(balancer).unwrap(), &PluginLimits::default());
    let artifact = runtime.load(&PluginFile { name: balancer, origin: "shipped", bytes, limits, table: None }).unwrap();
    let registry = Registry::with_clock(clock.clone());
    let lives = ENDPOINTS.map(|url| registry.live("simulated", url));
    let numbers = Arc::new(Numbers::new(lives.to_vec()));
    let balancer = artifact.balancer(&Value::Null, &ENDPOINTS.map(Endpoint::named), numbers, None).unwrap();
    let member = |live| Member {
        live,
        group: 0,
        state: EndpointState::Ready,
        max_connections: None,
        failure_policy: FailurePolicy::default(),
        shared: None,
    };
    Arc::new(Cluster::new("simulated".into(), lives.map(member).to_vec(), balancer))
}

fn request() -> RequestFacts {
    RequestFacts {
        method: http::Method::GET,
        scheme: Scheme::Http,
        authority: None,
        path: "/".to_owned(),
        query: None,
        upgrade: None,
        client: None,
        sni: None,
        headers: Arc::default(),
        connection: None,
        effects: ExchangeEffects::default(),
        body: None,
    }
}

/// Choices, and the health of all endpoints after each, while some fail and time passes.
fn run(balancer: &str, seed: u64) -> String {
    let simulation = Simulation::new(seed, Duration::ZERO);
    let clock = Clock::Simulated(Arc::clone(&simulation));
    let (cluster, request, mut story) = (cluster(balancer, &clock), request(), String::new());
    for _ in 0..300 {
        let mut lease = cluster.select(&request, &Tried::default(), clock.now()).unwrap();
        write!(story, "{} ", lease.endpoint()).unwrap();
        simulation.advance(Duration::from_millis(clock.random() % 1_000));
        if clock.random().is_multiple_of(3) {
            _ = lease.unreachable();
        } else {
            lease.answered(200);
            lease.completed();
        }
        for member in cluster.members() {
            write!(story, "{} ", member.live.health(clock.now()).as_str()).unwrap();
        }
    }
    story
}

#[test]
fn a_seed_decides_the_same_twice() {
    for balancer in ["peak-ewma", "random"] {
        let first = run(balancer, 7);

        assert_eq!(first, run(balancer, 7), "{balancer}");
        assert_ne!(first, run(balancer, 8), "{balancer}");
        assert!(
            first.contains("paused") && first.contains("suspect"),
            "pauses begin and end in simulated time: {first}"
        );
    }
}
