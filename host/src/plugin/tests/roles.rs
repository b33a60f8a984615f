//! A role is one file in `roles/` and one entry in its list: everything else walks the list.

#[path = "../../../tests/source/mod.rs"]
mod source;

use std::fs;
use std::path::Path;

use super::super::contract::{Interface, PACKAGE, VERSION, functions_of};
use super::super::engine::PluginEngine;
use super::super::role::{RoleContract, exportable, own_functions};
use super::super::roles::contracts;
use super::*;
use source::rust_files;

/// A role that the contract does not have yet.
static GREETER: RoleContract = RoleContract {
    name: RoleName::new("greeter"),
    filled_by: &[Interface { name: "greeter", functions: &["configure", "greet"] }],
    optional: &[Interface { name: "farewell", functions: &["wave"] }],
};

/// Exports the interface, and nothing in it.
fn hollow(interface: &str) -> String {
    format!("(component (instance $i) (export \"{PACKAGE}{interface}@{VERSION}\" (instance $i)))")
}

/// A bare module that exports the function by its short name, and nothing else.
fn lone(function: &str) -> String {
    format!("(module (func (export \"{function}\")))")
}

#[test]
fn each_role_is_known_by_its_exports_counted_shown_and_tried() {
    for role in contracts() {
        let runtime = Runtime::new(None).unwrap();
        let artifact = load(&runtime, hollow(role.name.as_str()).as_bytes()).unwrap();

        assert_eq!(artifact.roles(), [role.name]);
        assert_eq!(runtime.status().iter().map(|status| status.role).collect::<Vec<_>>(), [role.name]);
        assert_eq!(runtime.totals().iter().map(|totals| totals.role).collect::<Vec<_>>(), [role.name]);
        let tried = problem(artifact.try_out(role.name, &TrialInputs::default()));
        assert!(matches!(tried, LoadErrorKind::Signature { .. }), "its functions are looked for: {tried}");
        for other in contracts().into_iter().filter(|other| other.name != role.name) {
            let lacking = problem(artifact.try_out(other.name, &TrialInputs::default())).to_string();
            assert!(lacking.contains(&format!("expected a {}, found a {}", other.name, role.name)), "{lacking}");
        }
    }
}

#[test]
fn some_shipped_plugin_passes_the_trial_of_each_role() {
    let runtime = Runtime::new(None).unwrap();
    let shipped = SHIPPED.map(|name| load(&runtime, shipped(name).unwrap()).unwrap());

    for role in contracts() {
        let artifact = shipped.iter().find(|artifact| artifact.roles().contains(&role.name)).unwrap();

        artifact.try_out(role.name, &TrialInputs::default()).unwrap();
    }
}

#[test]
fn each_role_is_named_where_a_file_fills_none_and_bare_modules_are_read_by_its_functions() {
    let runtime = Runtime::new(None).unwrap();
    let none = problem(load(&runtime, b"(component)")).to_string();

    for role in contracts() {
        let own = role.filled_by[0].own().unwrap();
        assert!(none.contains(role.name.as_str()) && none.contains(&format!("`{own}`")), "{none}");
    }
    assert!(none.contains(
        "tidegate:plugin/balancer, chooser, router or rewriter@0.1.0 (for a bare module: `pick`, `choose`, `route` or \
         `rewrite`)"
    ));
    for interface in exportable(&contracts()).filter(|interface| interface.functions.len() > 1) {
        let half = problem(load(&runtime, lone(interface.own().unwrap()).as_bytes()));
        let full = format!("{PACKAGE}{}@{VERSION}", interface.name);
        assert!(matches!(&half, LoadErrorKind::MissingExport { interface, .. } if **interface == *full), "{half}");
    }
}

#[test]
fn interfaces_consist_of_what_the_contract_says() {
    for interface in exportable(&contracts()) {
        assert_eq!(functions_of(interface.name), interface.functions, "{}", interface.name);
    }
}

#[test]
fn a_fourth_role_is_one_more_entry() {
    let translate = |roles: &[&'static RoleContract], text: &str| {
        let engine = PluginEngine::new(roles.to_vec()).unwrap();
        let made = engine.compile(text.as_bytes(), &PluginLimits::default(), || {});
        made.map(|(_, linked, _)| linked.interface)
    };
    let mut four = contracts();
    four.push(&GREETER);

    let found = translate(&four, &hollow("greeter")).unwrap();

    assert_eq!(found.roles, [GREETER.name]);
    assert!(
        matches!(translate(&contracts(), &hollow("greeter")), Err(LoadErrorKind::NoRole { .. })),
        "not among three"
    );
    let half = translate(&four, &lone("greet")).err().unwrap();
    assert!(matches!(&half, LoadErrorKind::MissingExport { missing, .. } if missing == &["`configure`"]), "{half}");
    let none = translate(&four, "(component)").err().unwrap().to_string();
    assert!(none.contains("balancer, chooser, router, rewriter or greeter@"), "{none}");
    assert!(own_functions(&four).eq(["pick", "choose", "route", "rewrite", "greet"]));
}

#[test]
fn no_table_elsewhere_names_a_role() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms = ["plugin", "workbench", "admin", "control", "telemetry", "gateway"];
    let mut found = Vec::new();

    for file in rooms.iter().flat_map(|room| rust_files(&src.join(room))) {
        let inside = file.strip_prefix(&src).unwrap();
        if inside.starts_with("plugin/roles") || inside.iter().any(|part| part == "tests" || part == "tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for role in contracts() {
            if code.contains(&format!("\"{}\"", role.name)) {
                found.push(format!("{} names {}", inside.display(), role.name));
            }
        }
    }

    assert!(found.is_empty(), "walk `roles` instead:\n{}", found.join("\n"));
}
