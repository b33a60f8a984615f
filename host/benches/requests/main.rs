//! What plugins cost a whole request and a whole new tunnel: the gateway's own path over real sockets, once with the
//! shipped plugins in wasm, once with the same code native in their place.
//!
//! `cargo bench -p tidegate --bench requests`. Client, gateway and endpoint share one thread, so the difference between
//! the two is the plugins' and nobody else's; as a share of the gateway's own time it is about twice what it is here.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement ends where it fails")]

mod native;
mod stage;

use criterion::{Criterion, criterion_group, criterion_main};
use stage::{Deciders, Stage};

/// A GET on a connection that stays open.
fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for deciders in [Deciders::Wasm, Deciders::Native] {
        let stage = Stage::set(deciders);
        let mut client = stage.connect();
        group.bench_function(deciders.name(), |bencher| bencher.iter(|| stage.get(&mut client)));
    }
    group.finish();
}

/// Connect, switch, close.
fn tunnel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tunnel");
    for deciders in [Deciders::Wasm, Deciders::Native] {
        let stage = Stage::set(deciders);
        group.bench_function(deciders.name(), |bencher| bencher.iter(|| stage.tunnel()));
    }
    group.finish();
}

criterion_group!(benches, request, tunnel);
criterion_main!(benches);
