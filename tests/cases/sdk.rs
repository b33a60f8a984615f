//! What a plugin made with the SDK looks like and does, seen from a bare wasm runtime.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test that calls them"
)]

use std::collections::HashMap;

use tidegate_tests::guests::{CHOOSER, FEEDBACK, PANICS, SILENT, TEMPLATES};
use wasmtime::component::{Component, Instance, Linker, Val};
use wasmtime::{Engine, Store};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{World, WorldItem};

const PACKAGE: &str = "tidegate:plugin";

/// What the gateway would hold for a plugin: its log lines and its counters.
#[derive(Default)]
struct Host {
    lines: Vec<String>,
    counters: HashMap<String, f64>,
}

/// One instance of a plugin.
struct Plugin {
    store: Store<Host>,
    instance: Instance,
}

impl Plugin {
    fn load(core: &[u8]) -> Self {
        let engine = Engine::default();
        let component = Component::new(&engine, component(core)).unwrap();
        let mut linker = Linker::<Host>::new(&engine);
        let mut log = linker.instance(&interface("log")).unwrap();
        log.func_new("log", |mut store, _, arguments, _| {
            let [Val::Enum(level), Val::String(line)] = arguments else { panic!("{arguments:?}") };
            store.data_mut().lines.push(format!("{level}: {line}"));
            Ok(())
        })
        .unwrap();
        let mut counters = linker.instance(&interface("counters")).unwrap();
        counters
            .func_wrap("add", |mut store, (key, delta): (String, f64)| {
                let value = store.data_mut().counters.entry(key).or_default();
                *value += delta;
                Ok((Some(*value),))
            })
            .unwrap();
        let mut store = Store::new(&engine, Host::default());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        Self { store, instance }
    }

    fn call(&mut self, role: &str, name: &str, arguments: &[Val]) -> wasmtime::Result<Vec<Val>> {
        let role = self.instance.get_export_index(&mut self.store, None, &interface(role)).unwrap();
        let index = self.instance.get_export_index(&mut self.store, Some(&role), name).unwrap();
        let function = self.instance.get_func(&mut self.store, index).unwrap();
        let mut results = vec![Val::Bool(false); function.ty(&self.store).results().len()];
        function.call(&mut self.store, arguments, &mut results)?;
        Ok(results)
    }

    fn configure(&mut self, config: &str) {
        let arguments = [Val::String(config.to_owned()), Val::List(Vec::new())];
        assert_eq!(self.call("balancer", "configure", &arguments).unwrap(), [Val::Result(Ok(None))]);
    }

    fn pick(&mut self, eligible: &[u32], busy: &[u32]) -> wasmtime::Result<Option<u32>> {
        let list = |ids: &[u32]| Val::List(ids.iter().map(|id| Val::U32(*id)).collect());
        match &self.call("balancer", "pick", &[list(eligible), list(busy), Val::Option(None)])?[..] {
            [Val::Option(None)] => Ok(None),
            [Val::Option(Some(id))] => match **id {
                Val::U32(id) => Ok(Some(id)),
                ref other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

fn interface(name: &str) -> String {
    format!("{PACKAGE}/{name}@0.1.0")
}

fn component(core: &[u8]) -> Vec<u8> {
    ComponentEncoder::default().validate(true).module(core).unwrap().encode().unwrap()
}

fn exports(core: &[u8]) -> Vec<String> {
    interfaces(core, |world| world.exports.values().collect())
}

/// Without the types, which ask for nothing.
fn imports(core: &[u8]) -> Vec<String> {
    let mut names = interfaces(core, |world| world.imports.values().collect());
    names.retain(|name| name != "types");
    names
}

fn interfaces(core: &[u8], of: impl FnOnce(&World) -> Vec<&WorldItem>) -> Vec<String> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&component(core)).unwrap() else {
        panic!("not a component");
    };
    let interfaces = of(&resolve.worlds[world]).into_iter().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone(),
        _ => None,
    });
    let mut names: Vec<_> = interfaces.collect();
    names.sort();
    names
}

#[test]
fn a_plugin_exports_what_it_implements_and_nothing_else() {
    assert_eq!(exports(PANICS), ["balancer"]);
    assert_eq!(exports(CHOOSER), ["chooser", "feedback", "handover"]);
    assert_eq!(exports(FEEDBACK), ["balancer", "describe", "feedback", "handover"]);
}

#[test]
fn a_panic_is_logged_with_its_place_and_traps_with_names() {
    let mut plugin = Plugin::load(PANICS);
    plugin.configure("null");
    assert_eq!(plugin.pick(&[0, 1], &[0, 0]).unwrap(), Some(0));

    let trap = plugin.pick(&[0, 1], &[1, 0]).unwrap_err();

    let [line] = &plugin.store.data().lines[..] else { panic!("{:?}", plugin.store.data().lines) };
    assert!(line.contains("error: ") && line.contains("the tide table for 2 endpoints is lost"), "{line}");
    assert!(line.contains("panics/src/lib.rs:"), "the place must be named: {line}");
    assert!(format!("{trap:?}").contains("lose_the_tide_table"), "{trap:?}");
}

#[test]
fn a_plugin_without_last_words_imports_nothing_and_traps_with_names_all_the_same() {
    assert_eq!(imports(SILENT), [""; 0]);
    let mut plugin = Plugin::load(SILENT);
    plugin.configure("null");
    assert_eq!(plugin.pick(&[4, 7], &[0, 0]).unwrap(), Some(4));

    let trap = plugin.pick(&[], &[]).unwrap_err();

    assert!(plugin.store.data().lines.is_empty());
    assert!(format!("{trap:?}").contains("tidegate_guest_silent"), "{trap:?}");
}

#[test]
fn what_authors_begin_with_is_small_and_imports_the_log_alone() {
    for (role, template) in TEMPLATES {
        // What describes the contract to toolchains grows with it, by half a KiB for each interface; the rest does not.
        let code =
            wit_component::metadata::decode(template).unwrap().0.expect("a module without its description").len();
        let description = template.len() - code;
        assert!(code < 35_500 && description < 8_000, "{role}: {code} bytes and {description} of description");
        assert_eq!(imports(template), ["log"], "{role}");
    }
    let exported = TEMPLATES.map(|(_, template)| exports(template));
    assert_eq!(exported, [vec!["balancer"], vec!["repetition", "router"], vec!["rewriter"]]);
}

#[test]
fn every_optional_interface_reaches_the_plugin() {
    let mut plugin = Plugin::load(FEEDBACK);
    plugin.configure("{}");
    let outcome = [
        ("ending", Val::Enum("broken".to_owned())),
        ("status", Val::Option(None)),
        ("duration", Val::Float64(1.5)),
        ("first-byte", Val::Option(None)),
        ("sent", Val::Float64(1.0)),
        ("received", Val::Float64(2.0)),
    ];
    let outcome = Val::Record(outcome.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());

    assert_eq!(plugin.pick(&[4, 7], &[0, 0]).unwrap(), Some(4));
    plugin.call("feedback", "opened", &[Val::U32(4)]).unwrap();
    plugin.call("feedback", "closed", &[Val::U32(4), outcome]).unwrap();
    let saved = plugin.call("handover", "save", &[]).unwrap();
    let mut next = Plugin::load(FEEDBACK);
    next.configure("{}");
    next.call("handover", "restore", &saved).unwrap();

    let counters = &plugin.store.data().counters;
    let counted = ["picks", "opened", "closed broken", "open 4"].map(|key| counters[key]);
    assert_eq!(counted, [1.0, 1.0, 1.0, 0.0]);
    assert_eq!(next.pick(&[4, 7], &[0, 0]).unwrap(), Some(7), "the next version goes on where the last one was");
    let about = next.call("describe", "description", &[]).unwrap();
    assert!(format!("{about:?}").contains("takes-turns"), "{about:?}");
}
