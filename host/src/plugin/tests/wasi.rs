//! WASI: all of it is there, next to nothing is in it, and what is written reaches the log.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;
use crate::telemetry::captured::CapturedLog;

/// Interfaces of WASI as the guest imports them.
const WORLD: &str = "package test:guest;\nworld guest { include wasi:cli/imports@VERSION; include \
                     tidegate:plugin/balancer-plugin@0.1.0; }";

/// `module` as a component of a world, with WASI of this version.
fn component(module: &str, world: &str, version: &str) -> Vec<u8> {
    let versioned = |text: &str| text.replace("0.2.12", version).replace("VERSION", version);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut resolve = Resolve::default();
    for package in ["io", "clocks", "random", "filesystem", "sockets", "cli"] {
        let text = std::fs::read_to_string(root.join(format!("wit/deps/{package}.wit"))).unwrap();
        // What came with 0.2.12 is not in versions before.
        let text = text.replace("@since(version = 0.2.12)", "@unstable(feature = newer)");
        resolve.push_source(package, &versioned(&text)).unwrap();
    }
    resolve.push_dir(root.join("../plugin-sdk/wit/v0.1")).unwrap();
    let package = resolve.push_source("guest.wit", &versioned(world)).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let mut module = wat::parse_str(versioned(module)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

fn guest(version: &str) -> Vec<u8> {
    component(std::str::from_utf8(guest!("wasi")).unwrap(), WORLD, version)
}

/// Lines of plugins in the log while `run` runs: level and message.
fn logged(run: impl FnOnce()) -> Vec<String> {
    let written = CapturedLog::default();
    let lines = fmt::layer().with_ansi(false).without_time().with_writer(written.clone());
    tracing::subscriber::with_default(Registry::default().with(lines.with_filter(LevelFilter::DEBUG)), run);
    let text = written.text();
    let lines = text.lines().filter_map(|line| line.trim().split_once(" tidegate::plugin::capabilities: "));
    lines.map(|(level, rest)| format!("{level} {}", rest.split(" plugin=").next().unwrap_or_default())).collect()
}

fn picked(balancer: &mut dyn Balancer, busy: u32) -> Result<Option<u32>, Fault> {
    let request = PickRequest { eligible: &[1, 2].into(), busy: &[busy, 5], affinity: None, request: None };
    balancer.pick(&request).map(|choice| choice.endpoint().map(|id| id.0))
}

#[test]
fn all_of_wasi_0_2_is_there_and_empty_in_every_version() {
    let runtime = Runtime::new(None).unwrap();

    for version in ["0.2.0", "0.2.3", "0.2.6", "0.2.12", "0.2.99"] {
        let mut balancer = balancer(&runtime, &guest(version));
        let lines = logged(|| assert_eq!(picked(&mut *balancer, 0).unwrap(), Some(1), "{version}"));

        assert_eq!(lines, ["DEBUG said on output", "WARN said on error"], "{version}");
    }
}

#[test]
fn exit_ends_the_call_in_a_sentence_after_the_last_words() {
    let runtime = Runtime::new(None).unwrap();
    let mut balancer = balancer(&runtime, &guest("0.2.12"));

    let fault = picked(&mut *balancer, 99).unwrap_err();

    assert_eq!(fault.kind, FaultKind::Trap);
    assert!(fault.detail.starts_with("said on error; `pick` called exit with code 1 instead of returning"), "{fault}");
    assert_eq!(picked(&mut *balancer, 0).unwrap(), Some(1), "a fresh instance");
}

#[test]
fn handles_that_are_never_dropped_end_the_call_and_hold_no_memory_of_the_host() {
    let runtime = Runtime::new(None).unwrap();
    let leaking = String::from_utf8(guest!("wasi").to_vec()).unwrap();
    let leaking = leaking.replace(
        "(call $cli) (call $input)",
        "(if (i32.eq (i32.load (local.get $busy)) (i32.const 98)) (then (loop $again (drop (call $stdout)) (br $again))))",
    );
    let mut balancer = balancer(&runtime, &component(&leaking, WORLD, "0.2.12"));

    let fault = picked(&mut *balancer, 98).unwrap_err();

    assert_eq!(fault.kind, FaultKind::Trap, "{fault}");
    assert_eq!(picked(&mut *balancer, 0).unwrap(), Some(1));
}

#[test]
fn what_is_not_offered_of_wasi_is_refused_by_name() {
    let runtime = Runtime::new(None).unwrap();
    let refusal = |import: &str| {
        let text = format!(
            "(component (import \"{import}\" (instance (export \"f\" (func)))) (instance $i) (export \
             \"tidegate:plugin/balancer@0.1.0\" (instance $i)))"
        );
        problem(load(&runtime, text.as_bytes())).to_string()
    };

    for (import, words) in [
        ("wasi:http/outgoing-handler@0.2.3", "--disable http"),
        ("wasi:keyvalue/store@0.2.0", "of WASI 0.2, that is not offered"),
        ("wasi:cli/environment@0.3.0", "preview 1 and 0.2 are offered"),
        ("wasi:cli/environment@0.2.0-rc-2023-11-10", "preview 1 and 0.2 are offered"),
    ] {
        let text = refusal(import);
        assert!(text.contains(&format!("`{import}`")) && text.contains(words), "{text}");
    }
}

#[test]
fn preview_1_writes_to_the_log_and_finds_three_streams_and_nothing_else() {
    let runtime = Runtime::new(None).unwrap();
    let artifact = load(&runtime, guest!("preview1")).unwrap();
    let mut balancer = balancer_of(&artifact, None).unwrap();

    let lines = logged(|| assert_eq!(picked(&mut *balancer, 0).unwrap(), Some(1)));

    assert_eq!(lines, ["WARN first line", "WARN second, not ended"]);
    let fault = picked(&mut *balancer, 99).unwrap_err();
    assert!(
        fault.detail.starts_with("second, not ended; `pick` called exit with code 3 instead of returning"),
        "{fault}"
    );
}
