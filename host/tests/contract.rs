//! The contract against its checked-in copy: a change of a name, a type or an order is never an accident.
//!
//! `plugin-sdk/wit/v0.1.lock` is what the WIT files say without comments. Who means a change writes it anew with
//! `UPDATE_EXPECTED=1 cargo test -p tidegate --test contract`, and reads the difference: what exists is neither renamed
//! nor moved within a type, and cases and fields that are added go last.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use wit_component::{OutputToString, WitPrinter};
use wit_parser::{Resolve, UnresolvedPackageGroup};

const FOLDER: &str = "plugin-sdk/wit/v0.1";
const COPY: &str = "plugin-sdk/wit/v0.1.lock";

#[test]
fn the_contract_is_as_its_checked_in_copy_says() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let found = normalised(UnresolvedPackageGroup::parse_dir(top.join(FOLDER)).unwrap());
    let copy = top.join(COPY);

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

/// The package as the WIT's own printer has it, without comments.
fn normalised(group: UnresolvedPackageGroup) -> String {
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).unwrap();
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.emit_docs(false);
    printer.print(&resolve, package, &[]).unwrap();
    printer.output.to_string()
}
