//! What a call costs; a measurement, not a test.

use super::*;

/// `cargo test --release -p tidegate --lib plugin -- --ignored --nocapture cost`
#[test]
#[ignore = "a measurement"]
fn cost_of_a_call() {
    fn best(mut call: impl FnMut()) -> f64 {
        let batch = || {
            let start = Instant::now();
            for _ in 0..20_000 {
                call();
            }
            start.elapsed().as_secs_f64() * 1e9 / 20_000.0
        };
        std::iter::repeat_with(batch).take(25).fold(f64::INFINITY, f64::min)
    }
    let runtime = Runtime::new(None).unwrap();
    for count in [1, 16, 256] {
        let (eligible, busy): (Vec<u32>, Vec<u32>) = ((0..count).collect(), vec![1; count as usize]);
        for (name, bytes) in
            [("first", &guest!("first")[..]), ("with request", guest!("trap")), ("rotate", guest!("rotate"))]
        {
            let mut balancer = balancer(&runtime, bytes);
            let mut facts = facts(false);
            let cost = best(|| {
                let mut request =
                    PickRequest { eligible: &eligible, busy: &busy, affinity: None, request: Some(&mut facts) };
                std::hint::black_box(balancer.pick(&mut request).unwrap());
            });
            println!("pick {name} over {count}: {cost:.0} ns");
        }
        let artifact = load(&runtime, guest!("first")).unwrap();
        let pre = &artifact.compiled.pre;
        let state = host_state::HostState::new(Arc::clone(&artifact.commons), RoleKind::Balancer, usize::MAX);
        let mut store = wasmtime::Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_epoch_deadline(1 << 40);
        let instance = pre.instantiate(&mut store).unwrap();
        let raw = bindings::balancer::GuestIndices::new(pre).unwrap().load(&mut store, &instance).unwrap();
        let cost = best(|| {
            std::hint::black_box(raw.call_pick(&mut store, &eligible, &busy, None).unwrap());
        });
        println!("pick first over {count}, wasmtime alone: {cost:.0} ns");
        let mut native = crate::policy::LeastBusy;
        let cost = best(|| {
            let mut request = PickRequest { eligible: &eligible, busy: &busy, affinity: None, request: None };
            std::hint::black_box(std::hint::black_box(&mut native).pick(&mut request).unwrap());
        });
        println!("pick native over {count}: {cost:.0} ns");
    }
    let router = load(&runtime, guest!("router-trap")).unwrap();
    let router = router.router(&Value::Null, &["a".into()], 0, NonZeroUsize::MIN).unwrap();
    let mut facts = facts(false);
    println!("route: {:.0} ns", best(|| drop(std::hint::black_box(router.route(&mut facts).unwrap()))));
    let rewriter =
        load(&runtime, guest!("rewriter-remove")).unwrap().rewriter(&Value::Null, NonZeroUsize::MIN).unwrap();
    let fields = [(HeaderName::from_static("location"), HeaderValue::from_static("/a"))];
    let context = ResponseContext { scheme: Scheme::Http, host: "h", path: "/", route: None, endpoint: "http://a:1" };
    let rewrite = || drop(std::hint::black_box(rewriter.rewrite(&context, StatusCode::FOUND, &fields).unwrap()));
    println!("rewrite: {:.0} ns", best(rewrite));
}
