//! What each import of the contract costs a plugin that calls it: routers that call it once and seven times, in turns.
//!
//! `cargo bench -p tidegate --bench imports`. A sixth of the difference is what one call takes: out of the sandbox, the
//! work, and back. Read it beside the others of one run; the machine's speed is not the subject.

#![expect(clippy::unwrap_used, reason = "a measurement ends where it fails")]
#![expect(clippy::indexing_slicing, reason = "into lists of this file")]
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "common/facts.rs"]
mod facts;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tidegate::plugin::{PluginFile, PluginLimits, RouterPlace, Runtime};
use tidegate::policy::{BodySight, BodyStart, RequestFacts, Router};

use self::facts::facts;

/// Calls of the import that one router has more than the other.
const MORE: usize = 6;

/// Rounds of [`CALLS`] calls of a router; the median counts.
const ROUNDS: usize = 101;
const CALLS: u32 = 500;

/// Lines of the table that `get` looks into.
const LINES: u32 = 100_000;

/// Bytes of a body that a router wants to see, and of each block that is hashed.
const SEEN: u32 = 16 * 1024;
const BLOCK: u32 = 512;

/// Imports that a router may call only if it says how much of a body it wants to see.
const OF_BODIES: [&str; 3] = ["field", "blocks", "first"];

/// Where the texts of [`TEXTS`] begin in a router's memory, where an import's result goes, and where what it points to.
const TEXTS_AT: usize = 64;
const RESULT_AT: usize = 512;
const GIVEN_AT: usize = 1024;

/// The texts that arguments are: the name of a request header, the same that edits and notes set, a key of the table and
/// a value, the name of a metric.
const TEXTS: [&str; 4] = ["user-agent", "x-tenant", "tenant-00777", "tenants"];

/// Pointer and length of the text with this number, as arguments.
fn text(number: usize) -> String {
    let at = TEXTS_AT + TEXTS.iter().take(number).map(|text| text.len()).sum::<usize>();
    format!("(i32.const {at}) (i32.const {})", TEXTS[number].len())
}

/// The imports that a router may call, each with its parameters and result in WAT and with a call of `$it`.
fn imports() -> Vec<(&'static str, &'static str, String)> {
    let [agent, name, value, metric] = [text(0), text(1), text(2), text(3)];
    let result = format!("(i32.const {RESULT_AT})");
    let dropped = "(drop (call $it))".to_owned();
    let answer = format!("(call $it {result})");
    let measured = format!("(call $it {metric} {value} (f64.const 1))");
    let edited = format!("(call $it (i32.const 0) {name} {value})");
    vec![
        ("now", "(result f64)", dropped.clone()),
        ("wall", "(result f64)", dropped.clone()),
        ("chance", "(result f64)", dropped),
        ("header", "(param i32 i32 i32)", format!("(call $it {agent} {result})")),
        ("values", "(param i32 i32 i32)", format!("(call $it {agent} {result})")),
        ("client", "(param i32)", answer.clone()),
        ("sni", "(param i32)", answer.clone()),
        ("line", "(param i32)", answer.clone()),
        ("listener", "(param i32)", answer.clone()),
        ("certificate", "(param i32)", answer.clone()),
        ("field", "(param i32 i32 i32)", format!("(call $it {name} {result})")),
        ("blocks", "(param i32)", answer.clone()),
        ("first", "(param i32)", answer),
        ("set", "(param i32 i32 i32 i32 i32)", edited.clone()),
        ("append", "(param i32 i32 i32 i32 i32)", edited),
        ("remove", "(param i32 i32 i32)", format!("(call $it (i32.const 0) {name})")),
        ("note", "(param i32 i32 i32 i32)", format!("(call $it {name} {value})")),
        ("noted", "(param i32 i32 i32)", format!("(call $it {name} {result})")),
        ("get", "(param i32 i32 i32)", format!("(call $it {value} {result})")),
        (
            "take",
            "(param i32 i32 f64 f64) (result i32)",
            format!("(drop (call $it {value} (f64.const 1e6) (f64.const 1e6)))"),
        ),
        ("count", "(param i32 i32 i32 i32 f64)", measured.clone()),
        ("level", "(param i32 i32 i32 i32 f64)", measured.clone()),
        ("observe", "(param i32 i32 i32 i32 f64)", measured),
        ("log", "(param i32 i32 i32)", format!("(call $it (i32.const 0) {value})")),
    ]
}

/// A router that calls `call` so many times, and leaves every request to the operator's routes (`unmatched`).
fn router(name: &str, signature: &str, call: &str, calls: usize) -> Vec<u8> {
    let wants = format!(
        r#"(func (export "wants") (result i32)
            (i32.store (i32.const 16) (i32.const {SEEN}))
            (i32.store (i32.const 20) (i32.const {BLOCK}))
            (i32.const 16))"#
    );
    let wants = if OF_BODIES.contains(&name) { wants } else { String::new() };
    let module = format!(
        r#"(module
          (import "tidegate" "{name}" (func $it {signature}))
          (memory (export "memory") 16)
          (data (i32.const {TEXTS_AT}) "{}")
          (global $top (mut i32) (i32.const {GIVEN_AT}))
          (func (export "cabi_realloc") (param i32 i32) (param $align i32) (param $length i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
              (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
              (i32.sub (i32.const 0) (local.get $align))))
            (global.set $top (i32.add (local.get $at) (local.get $length)))
            (local.get $at))
          (func (export "configure") (param i32 i32 i32 i32) (result i32)
            (global.set $top (i32.const {GIVEN_AT}))
            (i32.store8 (i32.const 16) (i32.const 0))
            (i32.const 16))
          {wants}
          (func (export "route") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
            {}
            (global.set $top (i32.const {GIVEN_AT}))
            (i32.store8 (i32.const 16) (i32.const 2))
            (i32.const 16)))"#,
        TEXTS.concat(),
        call.repeat(calls),
    );
    wat::parse_str(module).unwrap()
}

/// What is seen of a body: an object whose last member fills the rest.
fn seen() -> Bytes {
    let mut text = r#"{"x-tenant":"tenant-00777","messages":""#.to_owned();
    text.extend(std::iter::repeat_n('m', SEEN as usize));
    text.truncate(SEEN as usize);
    text.into()
}

/// The beginning of a body as it comes.
fn body(seen: &Bytes) -> BodyStart {
    BodyStart::new(seen.clone(), BodySight::new(SEEN, BLOCK).unwrap(), Instant::now())
}

/// What it takes once for each request, whoever asks then: the hashes, and reading the object.
fn print_costs_of_bodies() {
    let sight = BodySight::new(SEEN, BLOCK).unwrap();
    let timed = |work: &dyn Fn()| {
        median(
            (0..ROUNDS)
                .map(|_| {
                    let began = Instant::now();
                    work();
                    began.elapsed()
                })
                .collect(),
        )
    };
    let seen = seen();
    let hashed = timed(&|| drop(black_box(body(&seen))));
    let read = timed(&|| drop(black_box(body(&seen).field(sight, "x-tenant")))).saturating_sub(hashed);
    println!(
        "\nonce a request, {SEEN} bytes: {} ns to hash them, {} to read the object",
        hashed.as_nanos(),
        read.as_nanos()
    );
}

/// What one decision takes, the mean of [`CALLS`].
fn decide(router: &dyn Router, facts: &RequestFacts) -> Duration {
    let began = Instant::now();
    for _ in 0..CALLS {
        black_box(router.route(black_box(facts)).unwrap());
    }
    began.elapsed() / CALLS
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let lines: String = (0..LINES).map(|line| format!("tenant-{line:05}\tcluster-{}\n", line % 100)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenants.tsv");
    std::fs::write(&path, lines).unwrap();
    let runtime = Runtime::new(None).unwrap();
    let limits = PluginLimits::default();
    let facts = RequestFacts { sni: Some("front.example".into()), ..facts("/app/room") };

    println!("{:<12} {:>10} {:>10}", "import", "ns a call", "first, ns");
    for (name, signature, call) in imports() {
        let body = OF_BODIES.contains(&name).then(|| Arc::new(body(&seen())));
        let facts = RequestFacts { body, ..facts.clone() };
        let table = (name == "get").then(|| runtime.table("bench", &path).unwrap());
        let load = |calls| {
            let bytes = router(name, signature, &call, calls);
            let file =
                PluginFile { name: "bench", origin: name, bytes: &bytes, limits: &limits, table: table.as_ref() };
            let artifact = runtime.load(&file).unwrap();
            artifact.router(&Value::Null, &[], 0, NonZeroUsize::MIN, RouterPlace::Gateway).unwrap()
        };
        let (once, more) = (load(1), load(1 + MORE));
        let rounds = || (0..ROUNDS).map(|_| (decide(&*once, &facts), decide(&*more, &facts))).unzip();
        let (few, many): (Vec<_>, Vec<_>) = rounds();
        let (few, many) = (median(few), median(many));
        println!("{name:<12} {:>10} {:>10}", many.saturating_sub(few).as_nanos() / MORE as u128, few.as_nanos());
    }
    print_costs_of_bodies();
}
