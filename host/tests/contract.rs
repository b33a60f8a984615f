//! The contract against its checked-in copy: a change of a name, a type or an order is never an accident.
//!
//! `plugin-sdk/wit/v0.1.lock` is what the WIT files say without comments. Who means a change writes it anew with
//! `UPDATE_EXPECTED=1 cargo test -p tidegate --test contract`, and reads the difference: what exists is neither renamed
//! nor moved within a type, and cases and fields that are added go last.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use wit_component::{OutputToString, WitPrinter};
use wit_parser::{PackageId, Resolve, UnresolvedPackageGroup, World, WorldItem};

const FOLDER: &str = "plugin-sdk/wit/v0.1";
const COPY: &str = "plugin-sdk/wit/v0.1.lock";

#[test]
fn the_contract_is_as_its_checked_in_copy_says() {
    let found = normalised(UnresolvedPackageGroup::parse_dir(top().join(FOLDER)).unwrap());
    let copy = top().join(COPY);

    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&copy, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&copy).unwrap();
    let differing = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
    assert!(
        expected == found,
        "{FOLDER} differs from {COPY}, first in (expected, found): {differing:?}; if that is meant, write the copy anew \
         with UPDATE_EXPECTED=1"
    );
}

#[test]
fn comments_are_no_part_of_the_copy_and_everything_else_is() {
    let text = |text: &str| normalised(UnresolvedPackageGroup::parse("a.wit", text).unwrap());
    let plain = text("package a:b; interface c { enum d { e, f } g: func(h: u32) -> d; }");

    assert_eq!(
        plain,
        text("package a:b;\n/// What.\ninterface c {\n  enum d { e, /* so */ f }\n  g: func(h: u32) -> d;\n}")
    );
    for other in
        ["{ f, e } g: func(h: u32) -> d;", "{ e, f } g: func(i: u32) -> d;", "{ e, f, j } g: func(h: u32) -> d;"]
    {
        assert_ne!(plain, text(&format!("package a:b; interface c {{ enum d {other} }}")), "{other}");
    }
}

/// What authors read of the contract in another form than its own.
#[test]
fn templates_of_generators_know_every_interface_that_is_there() {
    let templates = top().join("plugin-sdk/templates");
    let (resolve, package) = contract();
    let world = &resolve.worlds[resolve.packages[package].worlds["imports"]];
    let names = |of: &World| -> Vec<String> {
        let ids = of.imports.values().chain(of.exports.values()).filter_map(|item| match item {
            WorldItem::Interface { id, .. } => resolve.interfaces[*id].name.clone(),
            _ => None,
        });
        ids.collect()
    };
    let everything = names(&resolve.worlds[resolve.packages[package].worlds["everything"]]);
    let typed = fs::read_to_string(templates.join("typescript/all/tidegate.d.ts")).unwrap();
    for interface in everything.iter().filter(|name| *name != "system") {
        let module = format!("declare module \"tidegate:plugin/{interface}@0.1.0\"");
        assert!(typed.contains(&module), "tidegate.d.ts has no `{interface}`");
    }

    for (role, is_of_no_use, optional) in [
        ("balancer", &["edits"][..], &["describe", "feedback", "handover", "preview", "chooser"][..]),
        ("router", &["columns"], &["describe", "repetition", "preview"]),
        ("rewriter", &["columns", "edits", "body"], &["describe"]),
    ] {
        for language in ["javascript", "typescript", "python"] {
            let path = templates.join(language).join(role).join("wit/this-plugin.wit");
            let text = fs::read_to_string(&path).unwrap();
            let words: Vec<_> = text.split(|one: char| !one.is_ascii_alphanumeric()).collect();
            let missing = |name: &&str| *name != "types" && !is_of_no_use.contains(name) && !words.contains(name);
            let imported = names(world);
            let named = imported.iter().map(String::as_str).chain(optional.iter().copied());
            assert_eq!(named.filter(missing).collect::<Vec<_>>(), [""; 0], "{language}, {role}");
        }
    }
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn contract() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let package = resolve.push_group(UnresolvedPackageGroup::parse_dir(top().join(FOLDER)).unwrap()).unwrap();
    (resolve, package)
}

/// The package as the WIT's own printer has it, without comments.
fn normalised(group: UnresolvedPackageGroup) -> String {
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).unwrap();
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.emit_docs(false);
    printer.print(&resolve, package, &[]).unwrap();
    printer.output.to_string()
}
