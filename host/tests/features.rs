//! `docs/plugins/wasm-features.md` against the engine: a small plugin for each feature, taken or refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tidegate::plugin::{PluginFile, PluginLimits, Runtime};

/// What uses each feature: fields of a module, and instructions of a function in it.
const USES: [(&str, &str, &str); 25] = [
    ("multi-value", "(func $two (result i32 i32) (i32.const 1) (i32.const 2))", "(call $two) drop drop"),
    ("sign extension", "", "(drop (i32.extend8_s (i32.const 1)))"),
    ("non-trapping conversions", "", "(drop (i32.trunc_sat_f64_s (f64.const 1)))"),
    ("mutable globals", "(global (export \"g\") (mut i32) (i32.const 1))", ""),
    ("bulk memory", "", "(memory.fill (i32.const 64) (i32.const 0) (i32.const 8))"),
    ("reference types", "(table $t 1 funcref)", "(table.set $t (i32.const 0) (ref.null func))"),
    ("`externref`", "(table $t 1 externref)", "(table.set $t (i32.const 0) (ref.null extern))"),
    ("fixed-width SIMD", "", "(drop (i32x4.splat (i32.const 1)))"),
    ("relaxed SIMD", "", "(drop (i8x16.relaxed_swizzle (i8x16.splat (i32.const 1)) (i8x16.splat (i32.const 1))))"),
    ("tail calls", "(func $end) (func $tail (return_call $end))", ""),
    ("extended constants", "(global i32 (i32.add (i32.const 1) (i32.const 2)))", ""),
    ("multiple memories", "(memory $second 1)", "(i32.store $second (i32.const 0) (i32.const 1))"),
    (
        "typed function references",
        "(type $f (func)) (elem declare func $end) (func $end (type $f))",
        "(call_ref $f (ref.func $end))",
    ),
    ("threads", "", "(drop (i32.atomic.rmw.add (i32.const 32) (i32.const 1)))"),
    ("shared memory", "(memory $shared 1 2 shared)", ""),
    ("garbage collection", "(type $box (struct (field i32)))", "(drop (struct.new $box (i32.const 1)))"),
    ("exceptions", "(tag $t)", "(block $h (try_table (catch $t $h) (throw $t)))"),
    ("legacy exceptions", "(tag $t)", "try throw $t catch $t end"),
    ("64-bit memory beside `memory`", "(memory $long i64 1)", "(i32.store $long (i64.const 0) (i32.const 1))"),
    ("64-bit memory as `memory`", LONG, ""),
    ("wide arithmetic", "", "(i64.add128 (i64.const 1) (i64.const 0) (i64.const 1) (i64.const 0)) drop drop"),
    ("custom page sizes", "(memory $small 1 (pagesize 1))", ""),
    (
        "stack switching",
        "(type $f (func)) (type $c (cont $f)) (elem declare func $end) (func $end)",
        "(drop (cont.new $c (ref.func $end)))",
    ),
    ("JS string builtins", "(import \"wasm:js-string\" \"length\" (func (param externref) (result i32)))", ""),
    ("component-model async", ASYNC, ""),
];

/// Stands for a component, which no field of a module can be.
const ASYNC: &str = "async";
/// Stands for another kind of the memory that each module has.
const LONG: &str = "long";

#[test]
fn each_feature_is_taken_or_refused_as_the_page_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/plugins/wasm-features.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let taken = match *cells.get(2)? {
            "taken" => true,
            "refused" => false,
            _ => return None,
        };
        Some((cells[1].to_owned(), taken))
    });
    let says: BTreeMap<String, bool> = rows.collect();
    let runtime = Runtime::new(None).unwrap();

    let does = USES.iter().map(|(feature, fields, body)| {
        let text = match *fields {
            ASYNC => component(),
            LONG => module("", "").replace("\"memory\") 1", "\"memory\") i64 1"),
            fields => module(fields, body),
        };
        let limits = PluginLimits::default();
        let loaded = runtime.load(&PluginFile {
            name: "feature",
            origin: "feature",
            bytes: text.as_bytes(),
            limits: &limits,
            table: None,
        });
        let refusal = loaded.err().map(|error| error.to_string());
        if let Some(refusal) = &refusal {
            println!("{feature}: {refusal}");
        }
        ((*feature).to_owned(), refusal.is_none())
    });

    assert_eq!(says, does.collect(), "the page says, the engine does");
}

#[test]
fn the_module_that_features_are_put_into_is_good() {
    let runtime = Runtime::new(None).unwrap();
    let limits = PluginLimits::default();

    let text = module("", "");
    let loaded = runtime.load(&PluginFile {
        name: "plain",
        origin: "plain",
        bytes: text.as_bytes(),
        limits: &limits,
        table: None,
    });

    loaded.unwrap();
}

fn module(fields: &str, body: &str) -> String {
    format!(
        "(module {fields} (memory (export \"memory\") 1)
           (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (i32.shl (local.get 3) (i32.const 6)))
           (func (export \"configure\") (param i32 i32 i32 i32) (result i32) (i32.const 16))
           (func (export \"pick\") (param i32 i32 i32 i32 i32 i32) (result i32) {body} (i32.const 16)))"
    )
}

/// A component that would be refused for its exports, were its async not refused before.
fn component() -> String {
    "(component (core func (canon task.cancel)))".to_owned()
}
