//! Plugins are compiled by a process of its own, the real binary: what it takes, what it refuses, how it dies.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate::clock::Clock;
use tidegate::plugin::{Bounds, Compiler, LoadError, LoadErrorKind, PluginFile, PluginLimits, Runtime, shipped};
use wasm_encoder::{
    Component, ComponentExportKind, ComponentExportSection, ComponentInstanceSection, ConstExpr, GlobalSection,
    GlobalType, InstanceSection, Module, ModuleArg, ModuleSection, ValType,
};

/// The contract's own way to name a balancer that takes the last endpoint.
const LAST: &[u8] = include_bytes!("../src/cli/demo/last.wat");

fn child(bounds: Bounds) -> Compiler {
    Compiler::Child { program: PathBuf::from(env!("CARGO_BIN_EXE_tidegate")), bounds }
}

fn runtime(compiler: Compiler, cache: Option<&Path>) -> Arc<Runtime> {
    Runtime::with_compiler(compiler, cache, Clock::System).unwrap()
}

fn load(runtime: &Runtime, bytes: &[u8]) -> Result<(), LoadError> {
    let spec = PluginFile { name: "guest", origin: "guest.wasm", bytes, limits: &PluginLimits::default(), table: None };
    let artifact = runtime.load(&spec)?;
    artifact.about().map(drop)
}

fn refused(bounds: Bounds, bytes: &[u8]) -> LoadErrorKind {
    load(&runtime(child(bounds), None), bytes).unwrap_err().problem
}

/// `bytes` with another name in its place, of the same length.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths are written before names");
    let mut bytes = bytes.to_vec();
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from} is not there");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn what_a_child_compiles_works_here() {
    let runtime = runtime(child(Bounds::default()), None);
    // As an author builds them; a custom section more makes it a file that did not come with the gateway.
    let built = |name: &str| [shipped(name).unwrap(), b"\0\x02\x01x"].concat();

    for bytes in [LAST, &built("prefix"), &built("peak-ewma"), &built("reverse")] {
        load(&runtime, bytes).unwrap();
    }
}

#[test]
fn what_was_compiled_once_is_taken_from_the_cache_without_a_child() {
    let cache = tempfile::tempdir().unwrap();
    load(&runtime(child(Bounds::default()), Some(cache.path())), LAST).unwrap();
    let without = Compiler::Child { program: "/nonexistent".into(), bounds: Bounds::default() };

    load(&runtime(without.clone(), Some(cache.path())), LAST).unwrap();

    let problem = load(&runtime(without, None), LAST).unwrap_err().problem;
    assert!(matches!(problem, LoadErrorKind::NoCompiler { .. }), "{problem}");
}

#[test]
fn what_ships_needs_no_child() {
    let without = Compiler::Child { program: "/nonexistent".into(), bounds: Bounds::default() };

    load(&runtime(without, None), shipped("prefix").unwrap()).unwrap();
}

#[test]
fn a_refusal_says_the_same_as_it_would_here() {
    let here = runtime(Compiler::InProcess, None);
    let there = runtime(child(Bounds::default()), None);
    let newer = renamed(shipped("byrequests").unwrap(), "plugin/balancer@0.1.0", "plugin/balancer@0.9.0");
    for bytes in [&b"hello"[..], b"(module (func", b"\x7fELF\xff", b"\0asm\x01\0\0\0", b"\0asm\x01\0\0\0\xff", &newer] {
        let told = load(&there, bytes).unwrap_err().to_string();

        assert_eq!(told, load(&here, bytes).unwrap_err().to_string());
    }
}

#[test]
fn endless_recursion_in_the_metadata_is_a_refusal() {
    // Two packages that take types from each other, under names that are both permitted.
    let endless =
        renamed(shipped("byrequests").unwrap(), "tidegate:plugin/balancer@0.1.0", "wasi:abcdefghij/balancer@0.1.0");

    let problem = refused(Bounds::default(), &endless);

    assert!(problem.to_string().contains("the compiler overflowed its stack"), "{problem}");
}

/// A component with the export of a balancer, and these items.
fn hollow(items: &str) -> Vec<u8> {
    format!("(component {items} (instance $x) (export \"tidegate:plugin/balancer@0.1.0\" (instance $x)))").into_bytes()
}

/// So many functions of a few instructions each.
fn functions(number: usize) -> Vec<u8> {
    let functions = "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))".repeat(number);
    hollow(&format!("(core module {functions})"))
}

#[test]
fn more_memory_than_it_may_take_is_a_refusal() {
    let bounds = Bounds { memory: 48 << 20, ..Bounds::default() };

    let problem = refused(bounds, &functions(100_000));

    assert!(problem.to_string().contains("took more than 48 MiB of memory"), "{problem}");
}

#[test]
fn more_processor_time_than_it_may_take_is_a_refusal() {
    let bounds = Bounds { processor: Duration::from_secs(1), ..Bounds::default() };
    // Blocks within each other take the compiler their square.
    let blocks = format!("(func {}{})", "(block ".repeat(40_000), ")".repeat(40_000));

    let problem = refused(bounds, &hollow(&format!("(core module {blocks})")));

    assert!(problem.to_string().contains("was still at work after 1s of processor time"), "{problem}");
}

#[test]
fn an_instance_that_holds_more_than_it_may_is_refused_before_it_is_made() {
    let globals = "(global i32 (i32.const 7))".repeat(100_000);
    let instances = "(core instance (instantiate $fat))".repeat(250);

    let problem = refused(Bounds::default(), &hollow(&format!("(core module $fat {globals}) {instances}")));

    assert!(matches!(problem, LoadErrorKind::Heavy { instances: 250, .. }), "{problem}");
}

#[test]
fn an_instance_that_takes_longer_than_its_deadline_is_refused() {
    // 30 million globals, which the engine sets without looking at a clock.
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    for _ in 0..1_000_000 {
        globals.global(ty, &ConstExpr::i64_const(7));
    }
    let mut instances = InstanceSection::new();
    for _ in 0..30 {
        instances.instantiate(0, [] as [(&str, ModuleArg); 0]);
    }
    let mut component = Component::new();
    let mut module = Module::new();
    module.section(&globals);
    component.section(&ModuleSection(&module));
    component.section(&instances);
    let mut empty = ComponentInstanceSection::new();
    empty.export_items([] as [(&str, ComponentExportKind, u32); 0]);
    component.section(&empty);
    let mut exports = ComponentExportSection::new();
    exports.export("tidegate:plugin/balancer@0.1.0", ComponentExportKind::Instance, 0, None);
    component.section(&exports);
    let limits = PluginLimits { memory: 640 << 20, ..PluginLimits::default() };
    let spec =
        PluginFile { name: "guest", origin: "guest.wasm", bytes: &component.finish(), limits: &limits, table: None };

    let problem = runtime(child(Bounds::default()), None).load(&spec).unwrap_err().problem;

    assert!(matches!(&problem, LoadErrorKind::Slow { limit, .. } if *limit == Duration::from_millis(500)), "{problem}");
}

#[test]
fn a_file_that_is_too_large_is_not_looked_at() {
    let without = Compiler::Child { program: "/nonexistent".into(), bounds: Bounds::default() };

    let problem = load(&runtime(without, None), &vec![0; (64 << 20) + 1]).unwrap_err().problem;

    assert!(problem.to_string().contains("at most 67108864 bytes in the file"), "{problem}");
}

/// Processes that `parent` has started.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent_of = |id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name of the program, in parentheses, may hold anything; state and parent come behind it.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    ids.filter(|id| parent_of(id) == Some(parent)).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_does_not_outlive_whoever_started_it() {
    let limit = Instant::now() + Duration::from_secs(60);
    let within = |what: &str| assert!(Instant::now() < limit, "{what}: not within a minute");
    let file = tempfile::NamedTempFile::new().unwrap();
    let blocks = format!("(func {}{})", "(block ".repeat(100_000), ")".repeat(100_000));
    std::fs::write(file.path(), hollow(&format!("(core module {blocks})"))).unwrap();
    let mut checking = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["plugin", "check", file.path().to_str().unwrap()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = loop {
        within("a child to compile");
        if let [child] = children(checking.id())[..] {
            break child;
        }
        std::thread::yield_now();
    };

    checking.kill().unwrap();
    checking.wait().unwrap();

    // Gone, or waiting for somebody to ask how it ended.
    let is_gone = || std::fs::read_to_string(format!("/proc/{child}/stat")).map_or(true, |stat| stat.contains(") Z "));
    while !is_gone() {
        within("the child to leave");
        std::thread::yield_now();
    }
}
