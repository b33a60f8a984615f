//! What decisions cost: each shipped plugin in wasm beside the same code native and inlined.
//!
//! `cargo bench -p tidegate --bench decisions`. Read ratios within one run; the machine's speed is not the subject.

#![expect(clippy::unwrap_used, reason = "a measurement ends where it fails")]

#[path = "common/facts.rs"]
mod facts;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use self::facts::facts;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tidegate::cluster::{Cluster, Member, Numbers, Registry, Tried};
use tidegate::config::EndpointState;
use tidegate::plugin::{Artifact, PluginFile, PluginLimits, RouterPlace, Runtime, SHIPPED, shipped};
use tidegate::policy::{
    Balancer, ClusterNumbers, Endpoint, EndpointId, EndpointIds, Metric, PickRequest, ResponseContext, RouteId, Scheme,
};
use tidegate_bybusyness::choose;
use tidegate_parts::Turns;
use tidegate_plugin::RequestLine;
use tidegate_prefix::rules::Rules;
use tokio::time::Instant;

const ENDPOINTS: [u32; 4] = [1, 16, 256, 4096];
const ROUTES: [usize; 3] = [1, 10, 1000];

fn load(name: &str) -> Arc<Artifact> {
    let runtime = Runtime::new(None).unwrap();
    let limits = PluginLimits::default();
    runtime
        .load(&PluginFile { name, origin: "shipped", bytes: shipped(name).unwrap(), limits: &limits, table: None })
        .unwrap()
}

fn endpoints(count: u32) -> Vec<Endpoint> {
    (0..count).map(|number| Endpoint::named(format!("ws://192.0.2.1:{number}"))).collect()
}

fn members(count: u32) -> Vec<Member> {
    let registry = Registry::default();
    let member = |endpoint: Endpoint| Member {
        live: registry.live("bench", &endpoint.name),
        group: 0,
        state: EndpointState::Ready,
        max_connections: None,
        failure_policy: tidegate::cluster::FailurePolicy::default(),
        shared: None,
    };
    endpoints(count).into_iter().map(member).collect()
}

fn balancer(artifact: &Arc<Artifact>, count: u32) -> Box<dyn Balancer> {
    let numbers = Arc::new(Numbers::new(members(count).into_iter().map(|member| member.live).collect()));
    artifact.balancer(&Value::Null, &endpoints(count), numbers, None).unwrap()
}

/// One pick: native and inlined, in wasm, and the whole selection with eligibility, lock and lease around it.
fn pick(criterion: &mut Criterion) {
    let artifact = load("bybusyness");
    let mut group = criterion.benchmark_group("pick");
    for count in ENDPOINTS {
        let eligible: EndpointIds = (0..count).map(EndpointId).collect();
        let busy: Vec<u32> = (0..count).map(|id| 3 + id % 5).collect();
        group.bench_with_input(BenchmarkId::new("native", count), &count, |bencher, count| {
            let mut turns = Turns::new((0..*count).map(|_| 100));
            bencher.iter(|| black_box(choose::pick(&mut turns, black_box(eligible.as_numbers()), black_box(&busy))));
        });
        group.bench_with_input(BenchmarkId::new("wasm", count), &count, |bencher, count| {
            let mut balancer = balancer(&artifact, *count);
            bencher.iter(|| {
                let request = PickRequest { eligible: &eligible, busy: &busy, affinity: None, request: None };
                black_box(balancer.pick(&request).unwrap())
            });
        });
        group.bench_with_input(BenchmarkId::new("selection", count), &count, |bencher, count| {
            let cluster = Cluster::new("bench".into(), members(*count), balancer(&artifact, *count));
            let cluster = Arc::new(cluster);
            let facts = facts("/");
            let now = Instant::now();
            bencher.iter(|| black_box(cluster.select(&facts, &Tried::default(), now).unwrap()));
        });
    }
    group.finish();
}

/// One pick of each shipped balancer, in wasm; with a key, which those that know none leave alone. And what it takes to make
/// `consistent-hash` ready for so many.
fn balancers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("balancers");
    let names = SHIPPED.into_iter().filter(|name| !["prefix", "reverse"].contains(name));
    for (name, artifact) in names.map(|name| (name, load(name))) {
        for count in ENDPOINTS {
            let eligible: EndpointIds = (0..count).map(EndpointId).collect();
            let busy: Vec<u32> = (0..count).map(|id| 3 + id % 5).collect();
            let numbers = Arc::new(Made);
            let mut balancer = artifact.balancer(&Value::Null, &endpoints(count), numbers, None).unwrap();
            let mut key = 0;
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| {
                    key = (key + 1) % 100_003;
                    let affinity = Some(key);
                    let request = PickRequest { eligible: &eligible, busy: &busy, affinity, request: None };
                    black_box(balancer.pick(&request).unwrap())
                });
            });
        }
    }
    group.finish();
    let artifact = load("consistent-hash");
    let mut group = criterion.benchmark_group("configure consistent-hash");
    group.sample_size(10);
    for (count, table) in [(16, 65_537), (4096, 65_537), (4096, 655_373), (4096, 1_000_003)] {
        let config = json!({ "table": table });
        // Twice: the self-test has an instance of its own.
        group.bench_function(BenchmarkId::new(format!("{table} slots, twice"), count), |bencher| {
            bencher
                .iter(|| artifact.balancer(&config, &endpoints(count), Arc::new(Made), None).unwrap().wants_feedback());
        });
    }
    group.finish();
}

/// Numbers of a cluster that has been busy.
struct Made;

impl ClusterNumbers for Made {
    fn column(&self, _metric: Metric, eligible: &EndpointIds) -> Vec<f64> {
        eligible.iter().map(|id| 1e3 + f64::from(id.0 % 7)).collect()
    }

    fn signal(&self, _name: &str, eligible: &EndpointIds) -> Vec<f64> {
        eligible.iter().map(|id| f64::from(id.0 % 7)).collect()
    }
}

/// One decision among so many routes; the one that matches is the last.
fn route(criterion: &mut Criterion) {
    let artifact = load("prefix");
    let mut group = criterion.benchmark_group("route");
    for count in ROUTES {
        let rule = |number: usize| {
            json!({ "path": format!("/app{number}/websocket"),
                    "action": { "forward": { "cluster": "chat", "path": "/websocket" } } })
        };
        let config = json!({ "routes": (0..count).map(rule).collect::<Vec<_>>() });
        let router =
            artifact.router(&config, &["chat".to_owned()], count, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap();
        let facts = facts(&format!("/app{}/websocket/room/1", count - 1));
        group.bench_function(BenchmarkId::new("wasm", count), |bencher| {
            bencher.iter(|| black_box(router.route(&facts).unwrap()));
        });
        let rules = Rules::new(serde_json::from_value(config).unwrap(), &["chat".to_owned()]).unwrap();
        group.bench_function(BenchmarkId::new("native", count), |bencher| {
            let line = RequestLine {
                method: "GET".to_owned(),
                scheme: tidegate_plugin::Scheme::Https,
                host: facts.host_and_port().to_owned(),
                path: facts.path.clone(),
                query: None,
                upgrade: facts.upgrade.as_ref().map(ToString::to_string),
            };
            bencher.iter(|| black_box(rules.decide(black_box(&line))));
        });
    }
    group.finish();
}

/// A response that carries a header of interest. One that carries none never reaches the plugin: that costs a look at
/// each name of interest, which is what the second measures.
fn rewrite(criterion: &mut Criterion) {
    let artifact = load("reverse");
    let config = json!({ "routes": [{ "path": "/websocket", "to_path": "/websocket",
                                      "origins": ["ws://10.0.0.1:8080", "ws://10.0.0.2:8080"] }] });
    let rewriter = artifact.rewriter(&config, NonZeroUsize::MIN).unwrap();
    let fields =
        [(HeaderName::from_static("location"), HeaderValue::from_static("http://10.0.0.2:8080/websocket/elsewhere"))];
    let context = ResponseContext {
        scheme: Scheme::Https,
        host: "front.example",
        path: "/websocket",
        route: Some(RouteId(0)),
        endpoint: "ws://10.0.0.2:8080",
        request: None,
    };
    let mut group = criterion.benchmark_group("rewrite");
    group.bench_function("one header of interest", |bencher| {
        bencher.iter(|| black_box(rewriter.rewrite(&context, StatusCode::FOUND, &fields).unwrap()));
    });
    let headers = facts("/").headers;
    group.bench_function("no header of interest", |bencher| {
        bencher.iter(|| black_box(rewriter.interest().iter().any(|name| headers.contains_key(name))));
    });
    group.finish();
}

criterion_group!(benches, pick, balancers, route, rewrite);
criterion_main!(benches);
