//! Files that are refused, and the reason that is given.

use super::*;
use crate::policy::BodySight;

#[test]
fn a_refused_configuration_lists_path_and_message() {
    let runtime = Runtime::new(None).unwrap();
    let artifact = load(&runtime, guest!("picky")).unwrap();

    let error = balancer_of(&artifact, None).err().unwrap();

    assert!(error.to_string().contains("/zone: expected a zone, found none"), "{error}");
    assert_eq!(runtime.refusals()[0].reason, error.to_string());
}

#[test]
fn every_unusable_file_is_refused_with_what_was_expected_and_found() {
    let runtime = Runtime::new(None).unwrap();
    let bare = |items: &str| {
        let text = format!(
            "(module (memory (export \"memory\") 1) (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable) {items})"
        );
        problem(load(&runtime, text.as_bytes()))
    };
    let configure = "(func (export \"configure\") (param i32 i32 i32 i32) (result i32) unreachable)";
    let pick = "(func (export \"pick\") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable)";

    assert!(matches!(problem(load(&runtime, b" \n")), LoadErrorKind::Empty));
    assert!(
        matches!(problem(load(&runtime, b"\x7fELF\xff")), LoadErrorKind::NotWasm { found, .. } if found.contains("ELF"))
    );
    assert!(matches!(problem(load(&runtime, b"hello")), LoadErrorKind::NotWasm { .. }));
    assert!(matches!(problem(load(&runtime, b"(module (func")), LoadErrorKind::Text { .. }));
    assert!(matches!(problem(load(&runtime, b"\0asm\x01\0\0\0\xff")), LoadErrorKind::Invalid { .. }));
    assert!(matches!(problem(load(&runtime, b"\0asm\x01\0\0\0")), LoadErrorKind::NoRole { .. }));
    assert!(matches!(problem(load(&runtime, b"\0asm\x0d\0\x01\0")), LoadErrorKind::NoRole { .. }));
    assert!(
        matches!(bare("(func (export \"run\"))"), LoadErrorKind::NoRole { found, .. } if found.contains(&"`run`".to_owned()))
    );
    assert!(matches!(bare(pick), LoadErrorKind::MissingExport { missing, .. } if missing == ["`configure`"]));
    assert!(matches!(
        bare(&format!("{configure} {pick} (func (export \"route\"))")),
        LoadErrorKind::Ambiguous { roles, .. } if roles == ["balancer", "router"]
    ));
    let choose = "(func (export \"choose\") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable)";
    let long = |text: &str, interface: &str| {
        text.replace("export \"", &format!("export \"tidegate:plugin/{interface}@0.1.0#"))
    };
    let both_long = [(configure, "balancer"), (pick, "balancer"), (configure, "chooser"), (choose, "chooser")];
    for both in
        [format!("{configure} {pick} {choose}"), both_long.map(|(text, interface)| long(text, interface)).concat()]
    {
        assert_eq!(
            bare(&both).to_string(),
            "expected one interface that makes it a balancer, found `balancer` and `chooser`; export the one that the \
             gateway is to ask"
        );
    }
    assert!(matches!(bare(choose), LoadErrorKind::MissingExport { missing, .. } if missing == ["`configure`"]));
    assert!(matches!(
        bare(&format!("{configure} {pick} (func (export \"save\") (result i32) unreachable)")),
        LoadErrorKind::MissingExport { missing, .. } if missing == ["`restore`"]
    ));
    let wrong = bare(&format!("{configure} (func (export \"pick\") (param i32) (result i32) unreachable)"));
    assert!(matches!(&wrong, LoadErrorKind::Signature { message } if message.contains("type mismatch")), "{wrong}");
    let newer = bare("(func (export \"tidegate:plugin/balancer@0.9.0#pick\"))");
    assert!(matches!(newer, LoadErrorKind::Version { .. }), "{newer}");
    let without = bare("(func (export \"tidegate:plugin/balancer#pick\"))");
    assert!(matches!(without, LoadErrorKind::Version { .. }), "{without}");
    for (import, words) in [
        ("(import \"env\" \"foo\" (func))", "`env.foo`; link it in"),
        ("(import \"env\" \"abort\" (func (param i32 i32 i32 i32)))", "--use abort="),
        ("(import \"tidegate\" \"cookie\" (func))", "the short names are"),
        ("(import \"tidegate:plugin/log@0.9.0\" \"log\" (func))", "expected version 0.1.0"),
    ] {
        let text = format!(
            "(module {import} (memory (export \"memory\") 1) (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable) {configure} {pick})"
        );
        let error = load(&runtime, text.as_bytes()).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_router_that_was_built_when_a_decision_had_three_cases_is_to_be_built_again() {
    let runtime = Runtime::new(None).unwrap();
    let mut sources = wit_parser::SourceMap::new();
    for (name, text) in contract::FILES {
        sources.push_str(name, text.replace("    next,\n", ""));
    }
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_group(sources.parse().map_err(|(_, error)| error).unwrap()).unwrap();
    let world = resolve.select_world(&[package], Some("routing")).unwrap();
    let text = String::from_utf8_lossy(guest!("router-trap"));
    let text = text.replace("(import \"tidegate\" \"header\" (func $header (param i32 i32 i32)))", "");
    let text = text.replace("(call $header (i32.const 64) (i32.const 11) (i32.const 32))", "");
    let text = text.replace("\"configure\"", "\"tidegate:plugin/router@0.1.0#configure\"");
    let text = text.replace("\"route\"", "\"tidegate:plugin/router@0.1.0#route\"");
    let mut module = wat::parse_str(&text).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();

    for file in [module, component] {
        let artifact = load(&runtime, &file).unwrap();
        let refused = problem(artifact.router(&Value::Null, &["a".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway))
            .to_string();

        assert!(refused.contains("built against an earlier contract: rebuild it"), "{refused}");
    }
}

#[test]
fn components_for_another_version_or_role_or_without_a_grant_are_refused() {
    let runtime = Runtime::new(None).unwrap();
    let component = |text: &str| problem(load(&runtime, text.as_bytes()));
    let newer = component("(component (instance $i) (export \"tidegate:plugin/balancer@0.2.0\" (instance $i)))");
    assert!(matches!(&newer, LoadErrorKind::Version { found } if found.contains("0.2.0")), "{newer}");
    let hollow = "(component (instance $i) (export \"tidegate:plugin/balancer@0.1.0\" (instance $i)))";
    let hollow = load(&runtime, hollow.as_bytes()).and_then(|artifact| balancer_of(&artifact, None).map(drop));
    assert!(matches!(problem(hollow), LoadErrorKind::Signature { .. }));
    let greedy = component(
        "(component (import \"other:thing/door\" (instance (export \"open\" (func)))) (instance $i) (export \"tidegate:plugin/balancer@0.1.0\" (instance $i)))",
    );
    assert!(matches!(&greedy, LoadErrorKind::UnknownImport { import, .. } if import == "other:thing/door"), "{greedy}");

    let router = load(&runtime, guest!("router-trap")).unwrap();
    let used = problem(balancer_of(&router, None));
    assert!(used.to_string().contains("expected a balancer, found a router"), "{used}");

    let limits = PluginLimits { allow: Allow::Only(vec!["log".to_owned()]), ..PluginLimits::default() };
    let spec = PluginFile { name: "guest", origin: "trap.wat", bytes: guest!("trap"), limits: &limits, table: None };
    let refused = runtime.load(&spec).err().unwrap();
    assert!(refused.to_string().contains("found `request`; add it to `allow`"), "{refused}");
}

#[test]
fn what_a_plugin_holds_in_native_memory_is_limited() {
    let runtime = Runtime::new(None).unwrap();
    let hoarding = |number: u32| {
        let text = format!(
            "(component (type $r (resource (rep i32))) (core func $new (canon resource.new $r))
               (core module $m (import \"a\" \"new\" (func $new (param i32) (result i32)))
                 (func $start (local $i i32)
                   (loop $again
                     (drop (call $new (i32.const 7)))
                     (local.set $i (i32.add (local.get $i) (i32.const 1)))
                     (br_if $again (i32.lt_u (local.get $i) (i32.const {number})))))
                 (start $start))
               (core instance $a (export \"new\" (func $new)))
               (core instance (instantiate $m (with \"a\" (instance $a))))
               (instance $x) (export \"tidegate:plugin/balancer@0.1.0\" (instance $x)))"
        );
        load(&runtime, text.as_bytes())
    };

    hoarding(4000).unwrap();
    let refused = problem(hoarding(5000));

    assert!(
        matches!(&refused, LoadErrorKind::Instantiate { message } if message.contains("handle limit")),
        "{refused}"
    );
}

#[test]
fn a_heavy_or_slow_plugin_is_refused_by_what_the_operator_permits() {
    let runtime = Runtime::new(None).unwrap();
    let globals = "(global i32 (i32.const 7))".repeat(10_000);
    let text =
        String::from_utf8_lossy(guest!("first")).replace("(memory (export", &format!("{globals} (memory (export"));
    let load = |memory: usize| {
        let limits = PluginLimits { memory, ..PluginLimits::default() };
        runtime.load(&PluginFile {
            name: "guest",
            origin: "guest.wat",
            bytes: text.as_bytes(),
            limits: &limits,
            table: None,
        })
    };

    let kept = load(1 << 20).unwrap();
    let refused = problem(load(150_000));

    assert!(matches!(&refused, LoadErrorKind::Heavy { limit: 150_000, found: 160_000.., .. }), "{refused}");
    drop(kept);
    assert!(matches!(problem(load(150_000)), LoadErrorKind::Heavy { .. }), "the same when it has to be compiled");
    let tight = problem(load(200_000));
    assert!(
        matches!(&tight, LoadErrorKind::Instantiate { message } if message.contains("at most 200000 bytes")),
        "{tight}"
    );
}

#[test]
fn names_in_a_file_cannot_forge_lines_of_the_log() {
    let runtime = Runtime::new(None).unwrap();
    let forged = "x\\0aERROR forged";
    let memory = "(memory (export \"memory\") 1)";
    let pick = "(func (export \"pick\") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable)";
    for text in [
        format!("(module (func (export \"{forged}\")))"),
        format!("(module (import \"{forged}\" \"y\" (func)) {memory} {pick})"),
        format!("(module (import \"tidegate\" \"{forged}\" (func)) {memory} {pick})"),
        format!("(module (import \"tidegate:plugin/{forged}\" \"y\" (func)) {memory} {pick})"),
        format!("(module (func (export \"tidegate:plugin/{forged}\")))"),
        format!("(module (func (export \"{forged}\")) (func (export \"{forged}\")))"),
        format!("(module (func (call ${forged})))"),
    ] {
        let refused = load(&runtime, text.as_bytes()).err().unwrap().to_string();

        assert!(!refused.chars().any(char::is_control), "{refused:?}");
    }
}

#[test]
fn a_refusal_is_forgotten_when_a_file_is_taken_that_serves() {
    let runtime = Runtime::new(None).unwrap();
    let good = load(&runtime, guest!("first")).unwrap();
    load(&runtime, b"hello").unwrap_err();
    assert_eq!(runtime.refusals().len(), 1);

    good.accepted();

    assert!(runtime.refusals().is_empty(), "the one before is taken over");
    load(&runtime, b"hello").unwrap_err();
    load(&runtime, guest!("last")).unwrap();
    assert!(runtime.refusals().is_empty(), "another one is loaded");
}

/// What becomes of a balancer that returns `choice`, and whether it returns one, where [`guest`]`!("first")` returns the
/// first.
fn tried(runtime: &Runtime, some: &str, choice: &str) -> Result<Box<dyn Balancer>, LoadError> {
    let text = String::from_utf8_lossy(guest!("first"))
        .replace("(i32.store8 (i32.const 16) (i32.const 1))", &format!("(i32.store8 (i32.const 16) {some})"))
        .replace(
            "(i32.store (i32.const 20) (i32.load (local.get $eligible)))",
            &format!("(i32.store (i32.const 20) {choice})"),
        );
    balancer_of(&load(runtime, text.as_bytes()).unwrap(), None)
}

/// A router that traps where the request that it may ask for has not the path that it was called with.
#[test]
fn a_router_may_ask_for_the_requests_of_its_self_test() {
    let runtime = Runtime::new(None).unwrap();
    let asks = String::from_utf8_lossy(guest!("lookup"))
        .replace("(import \"tidegate\" \"get\" (func $get (param i32 i32 i32)))", "(import \"tidegate\" \"line\" (func $line (param i32)))")
        .replace(
            "(call $get\n      (i32.add (local.get $path) (i32.const 1)) (i32.sub (local.get $length) (i32.const 1)) (i32.const 32))",
            "(call $line (i32.const 256))
             (if (i32.eqz (i32.load8_u (i32.const 256))) (then unreachable))
             (if (i32.ne (i32.load (i32.const 284)) (local.get $length)) (then unreachable))",
        );
    assert!(asks.contains("$line (i32.const 256)"), "{asks}");
    let artifact = load(&runtime, asks.as_bytes()).unwrap();

    artifact.try_out(RoleName::new("router"), &TrialInputs::default()).unwrap();
}

#[test]
fn a_balancer_that_fails_its_self_test_never_gets_traffic() {
    let runtime = Runtime::new(None).unwrap();

    let failed = problem(tried(&runtime, "(i32.const 1)", "(local.get $count)"));

    assert!(matches!(&failed, LoadErrorKind::SelfTest { .. }), "{failed}");
    assert!(failed.to_string().contains("eligible [0], busy [0] and affinity"), "it says with what: {failed}");
}

#[test]
fn an_index_where_an_id_is_expected_is_found_before_an_endpoint_is_drained() {
    let runtime = Runtime::new(None).unwrap();
    for (index, found) in [
        ("(i32.const 0)", "[1], found 0; if that is an index into `eligible`"),
        ("(i32.sub (local.get $count) (i32.const 1))", "return `eligible[0]`, which is 1"),
        ("(i32.gt_u (local.get $count) (i32.const 1))", "if that is an index into `eligible`"),
    ] {
        let failed = problem(tried(&runtime, "(i32.const 1)", index)).to_string();

        assert!(failed.contains(found), "{failed}");
    }
}

#[test]
fn a_balancer_that_never_chooses_is_refused_unless_traffic_may_teach_it_to() {
    let runtime = Runtime::new(None).unwrap();

    let failed = problem(tried(&runtime, "(i32.const 0)", "(i32.const 0)"));

    assert!(matches!(failed, LoadErrorKind::NeverChooses { picks: 8, .. }), "{failed}");
    assert!(failed.to_string().contains("every request would get 503"), "{failed}");
    tried(&runtime, "(i32.ge_u (local.get $count) (i32.const 2))", "(i32.load (local.get $eligible))").unwrap();
    let learning = String::from_utf8_lossy(guest!("first"))
        .replace("(i32.store8 (i32.const 16) (i32.const 1))", "(i32.store8 (i32.const 16) (i32.const 0))")
        .replacen("(memory (export", "(import \"tidegate\" \"now\" (func (result f64))) (memory (export", 1);
    balancer_of(&load(&runtime, learning.as_bytes()).unwrap(), None).unwrap();
}

#[test]
fn modules_with_metadata_are_refused_for_what_the_encoder_finds() {
    let runtime = Runtime::new(None).unwrap();
    let text = String::from_utf8_lossy(guest!("canonical"))
        .replace("(memory (export \"memory\") 1)", "(import \"env\" \"foo\" (func)) (memory (export \"memory\") 1)");
    let module = wat::parse_str(text).unwrap();
    let module = contract::embed(module, "balancer-plugin").unwrap();

    let refused = problem(load(&runtime, &module));

    assert!(matches!(&refused, LoadErrorKind::UnknownImport { import, .. } if import == "env.foo"), "{refused}");
}

#[test]
fn a_module_with_the_imports_of_a_component_is_to_be_made_one() {
    let runtime = Runtime::new(None).unwrap();
    for module in ["wasi:cli/exit@0.2.12", "cm32p2|wasi:cli/exit@0.2", "[export]wasi:io/poll@0.2.0", "$root"] {
        let text = format!("(module (import \"{module}\" \"exit\" (func (param i32))) (memory (export \"memory\") 1))");
        let refused = problem(load(&runtime, text.as_bytes())).to_string();
        assert!(refused.contains("not a component yet: `wasm-tools component embed"), "{refused}");
    }
}

#[test]
fn a_router_whose_decisions_are_outside_the_contract_never_gets_traffic() {
    let runtime = Runtime::new(None).unwrap();
    let refused = |guest: &[u8]| {
        // Without the header that the guest asks for first.
        let text = String::from_utf8_lossy(guest).replace("(call $misbehave)", "(i32.const 1)");
        let artifact = load(&runtime, text.as_bytes()).unwrap();
        problem(artifact.router(&Value::Null, &["a".into(), "b".into()], 1, NonZeroUsize::MIN, RouterPlace::Gateway))
            .to_string()
    };

    for (guest, words) in [
        (&guest!("router-trap")[..], "unreachable"),
        (guest!("router-stray"), "a cluster index below 2, found 7"),
        (guest!("router-smuggle"), "a path that starts with `/`"),
        (guest!("router-flood"), "bytes"),
    ] {
        let refused = refused(guest);

        assert!(refused.contains(words), "`{words}` is not in: {refused}");
        assert!(refused.contains("a self-test, with the request GET / for the host self-test.invalid"), "{refused}");
    }
}

#[test]
fn a_preview_of_nothing_or_of_too_much_is_refused_and_any_other_is_the_balancers() {
    let runtime = Runtime::new(None).unwrap();
    let wanting = |bytes: u32, block: u32| {
        let wants = format!(
            "(func (export \"wants\") (result i32) (i32.store (i32.const 40) (i32.const {bytes})) (i32.store (i32.const \
             44) (i32.const {block})) (i32.const 40)) (func (export \"configure\")"
        );
        let text = String::from_utf8_lossy(guest!("first")).replacen("(func (export \"configure\")", &wants, 1);
        balancer_of(&load(&runtime, text.as_bytes()).unwrap(), None)
    };

    for (bytes, block, words) in [
        (0, 0, "`wants` of `preview`: expected `bytes` of 1 to 262144, found 0"),
        (262_145, 0, "expected `bytes` of 1 to 262144, found 262145"),
        (100, 8, "expected a `block` of 0 (no hashes) or of 16 to 100, which is `bytes`, found 8"),
    ] {
        let refused = problem(wanting(bytes, block)).to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(wanting(4096, 64).unwrap().sight().map(BodySight::bytes), Some(4096));
    assert_eq!(balancer(&runtime, guest!("first")).sight(), None, "who exports none waits for nothing");
}

#[test]
fn a_look_at_a_body_that_is_never_awaited_is_a_fault_with_its_sentence() {
    let runtime = Runtime::new(None).unwrap();
    let looking = |more: &str| {
        let text = String::from_utf8_lossy(guest!("first"));
        let text = text.replacen("(module", "(module (import \"tidegate\" \"first\" (func $first (param i32)))", 1);
        let text = text.replacen(";; some(first eligible)", "(call $first (i32.const 48))", 1);
        let text = text.replacen("(func (export \"configure\")", &format!("{more} (func (export \"configure\")"), 1);
        balancer_of(&load(&runtime, text.as_bytes()).unwrap(), None)
    };

    let refused = problem(looking("")).to_string();
    let sentence = "expected `first` in a plugin that exports `preview`, by which bodies are awaited, found none, so that \
                    there is never a body to look at: export it";
    assert!(refused.contains(sentence), "{refused}");
    let wants = "(func (export \"wants\") (result i32) (i32.store (i32.const 40) (i32.const 64)) (i32.store (i32.const 44) \
                 (i32.const 0)) (i32.const 40))";
    assert!(looking(wants).is_ok());
}
