//! `tidegate plugin check` refuses what a gateway refuses, with the same words, and nothing else.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tidegate::config;
use tidegate::gateway::Gateway;
use tidegate::plugin::{Compiler, LoadErrorKind, shipped};
use tidegate::workbench::{CheckError, CheckOptions, PluginLimits, TrialSettings, check, role_names};

/// A file, what is written of it in its `[plugin]` section, and the role that it is used in.
struct Case {
    name: String,
    bytes: Vec<u8>,
    role: &'static str,
    config: Option<Value>,
    memory: Option<usize>,
    allow: Option<&'static str>,
}

impl Case {
    fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let role = ["router", "rewriter"].into_iter().find(|role| name.starts_with(role)).unwrap_or("balancer");
        Self { name: name.to_owned(), bytes: bytes.into(), role, config: None, memory: None, allow: None }
    }
}

/// What a gateway says that is given the plugin in that role; none if it would serve it.
fn gateway_refusal(case: &Case, path: &Path) -> Option<String> {
    let cache = path.with_file_name("cache").display().to_string();
    let mut text = format!(
        "[gateway]\ncache = {cache:?}\n[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://chat/\"\n\
         [cluster.chat]\nendpoints = [\"ws://192.0.2.1\", \"ws://192.0.2.2\"]\n"
    );
    let routes = json!({ "routes": [] });
    let plugin = if case.role == "balancer" { "balancer = \"guest\"\n" } else { "" };
    text += plugin;
    if case.role != "balancer" {
        // As `plugin check`: no `[[route]]` is handed over.
        let config = toml_of(case.config.as_ref().unwrap_or(&routes));
        text += &format!("[{}]\nplugin = \"guest\"\nconfig = {config}\n", case.role);
    }
    text += &format!("[plugin.guest]\nfile = {:?}\n", path.display().to_string());
    if let Some(config) = case.config.as_ref().filter(|_| case.role == "balancer") {
        text += &format!("config = {}\n", toml_of(config));
    }
    if let Some(memory) = case.memory {
        text += &format!("memory = \"{memory}\"\n");
    }
    if let Some(allow) = case.allow {
        text += &format!("allow = [{allow:?}]\n");
    }
    let config = config::parse(&text, &path.with_file_name("tidegate.toml")).unwrap();
    Gateway::check(config, Compiler::InProcess).err().map(|error| error.to_string())
}

/// Inline tables of TOML.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(key, value)| format!("{key:?} = {}", toml_of(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn check_refusal(case: &Case, path: &Path) -> Option<LoadErrorKind> {
    let mut limits = PluginLimits::default();
    limits.memory = case.memory.unwrap_or(limits.memory);
    if let Some(allow) = case.allow {
        limits.allow = config::Allow::Only(vec![allow.to_owned()]);
    }
    let role = role_names().into_iter().find(|role| role.as_str() == case.role);
    let settings = TrialSettings { config: case.config.clone(), limits, ..TrialSettings::default() };
    let options = CheckOptions { settings, role, ..CheckOptions::default() };
    match check(path, &options, Compiler::InProcess) {
        Ok(_) => None,
        Err(CheckError::Plugin { error, .. }) => Some(error.problem),
        Err(other) => panic!("{}: {other}", case.name),
    }
}

#[test]
fn check_refuses_what_a_gateway_refuses_with_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut refused = 0;

    for case in cases() {
        let path = folder.path().join("guest.wasm");
        fs::write(&path, &case.bytes).unwrap();

        let (gateway, check) = (gateway_refusal(&case, &path), check_refusal(&case, &path));

        match (&gateway, &check) {
            (None, None) => {}
            // A gateway says beside it where the refused value is written.
            (Some(_), Some(LoadErrorKind::Configure { .. })) => refused += 1,
            (Some(gateway), Some(check)) if gateway.contains(&check.to_string()) => refused += 1,
            _ => panic!("{}: a gateway says {gateway:?}, plugin check {:?}", case.name, check.map(|c| c.to_string())),
        }
    }
    assert!(refused > 10, "some of them are bad: {refused}");
}

/// Of the guests of other tests, one of each kind.
const GUESTS: [&str; 6] = ["canonical", "described", "picky", "preview1", "rewriter-remove", "router-stray"];

fn cases() -> Vec<Case> {
    let guests = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")).unwrap();
    let mut cases: Vec<_> = guests
        .map(|entry| entry.unwrap().path())
        .filter(|path| GUESTS.iter().any(|name| path.file_stem().is_some_and(|stem| stem == *name)))
        .map(|path| Case::new(&path.file_stem().unwrap().to_string_lossy(), fs::read(&path).unwrap()))
        .collect();
    let first = include_str!("../guests/first.wat");
    let with = |name: &str, from: &str, to: &str| {
        assert!(first.contains(from), "{name}");
        Case::new(name, first.replace(from, to))
    };
    let some = "(i32.store (i32.const 20) (i32.load (local.get $eligible)))";
    cases.extend([
        Case::new("nothing", ""),
        Case::new("a script", "#!/bin/sh\n"),
        Case::new("no role", "(module)"),
        with("an id that is not eligible", some, "(i32.store (i32.const 20) (i32.const 100))"),
        with("an index instead of an id", some, "(i32.store (i32.const 20) (i32.const 0))"),
        with("a trap in pick", some, "unreachable"),
        with("a trap at 64", some, "(if (i32.eq (local.get $count) (i32.const 64)) (then unreachable)) (i32.store (i32.const 20) (i32.load (local.get $eligible)))"),
        with("a trap in configure", "(i32.store8 (i32.const 16) (i32.const 0))\n    (i32.const 16))", "unreachable)"),
        with("a trap in start", "(memory (export \"memory\") 1)", "(memory (export \"memory\") 1) (func $start unreachable) (start $start)"),
        with("a loop in start", "(memory (export \"memory\") 1)", "(memory (export \"memory\") 1) (func $start (loop (br 0))) (start $start)"),
        with("no configure", "(export \"configure\")", "(export \"konfigure\")"),
        with("a parameter less", "(param $has_affinity i32) (param $affinity i32)", "(param $has_affinity i32)"),
        with("an unknown import", "(module\n", "(module (import \"env\" \"abort\" (func))\n"),
        Case { allow: Some("log"), ..with("not granted", "(module\n", "(module (import \"tidegate\" \"now\" (func (result f64)))\n") },
        Case { memory: Some(64 << 10), ..with("too little memory", "(memory (export \"memory\") 1)", "(memory (export \"memory\") 2)") },
        Case { config: Some(json!({ "speed": 1 })), ..Case::new("no such key", shipped("bybusyness").unwrap()) },
        Case { role: "router", ..Case::new("a balancer as router", shipped("bybusyness").unwrap()) },
        Case { role: "rewriter", ..Case::new("a router as rewriter", shipped("prefix").unwrap()) },
        Case { role: "router", config: Some(json!({ "routes": 1 })), ..Case::new("routes that are none", shipped("prefix").unwrap()) },
        Case { role: "router", ..Case::new("prefix", shipped("prefix").unwrap()) },
        Case { role: "rewriter", ..Case::new("reverse", shipped("reverse").unwrap()) },
        Case::new("consistent-hash", shipped("consistent-hash").unwrap()),
    ]);
    cases
}
