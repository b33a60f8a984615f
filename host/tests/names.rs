//! A type name means one thing in the whole crate: who reads `Limits` need not ask which.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::rust_files;

/// Names that several types may have, each with the reason beside it.
const CLASHES: &[&str] = &[];

/// Generated code.
const GENERATED: [&str; 1] = ["plugin/bindings.rs"];

#[test]
fn a_type_name_means_one_thing() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        if is_test(&inside) || GENERATED.contains(&inside.as_str()) {
            continue;
        }
        for name in types(&fs::read_to_string(&file).unwrap()) {
            places.entry(name).or_default().push(inside.clone());
        }
    }
    places.retain(|_, places| places.len() > 1);

    let known: BTreeSet<_> = CLASHES.iter().copied().collect();
    let news: Vec<_> = places.iter().filter(|(name, _)| !known.contains(name.as_str())).collect();
    assert!(news.is_empty(), "each of these names stands for several types; give them names of their own:\n{news:#?}");
    let mended: Vec<_> = known.iter().filter(|name| !places.contains_key(**name)).collect();
    assert!(mended.is_empty(), "each of these means one thing by now; remove it from CLASHES: {mended:?}");
}

#[test]
fn types_are_found_where_they_are_defined() {
    let text = "pub(super) struct One;\nenum Two<'a> {}\n    pub trait Three: Sync {}\ntype Four = u8;\n\
                impl Iterator for One {\n    type Item = u8;\n}\n// struct Comment;\nlet structure = 1;\n\
                #[cfg(test)]\nmod tests {\n    struct Inner;\n}\nstruct Five(u8);\n";

    assert_eq!(types(text), ["One", "Two", "Three", "Four", "Five"]);
    assert!(is_test("a/tests/b.rs") && is_test("a/b_tests.rs") && is_test("tests.rs") && !is_test("a/contests.rs"));
}

/// Whether a file below `src` is compiled for tests alone.
fn is_test(inside: &str) -> bool {
    inside
        .split('/')
        .any(|part| part == "tests" || part == "tests.rs" || part == "testing.rs" || part.ends_with("_tests.rs"))
}

/// Names of the types that a file defines, those of its test module and associated ones left out.
fn types(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut in_tests, mut behind_cfg) = (false, false);
    for line in text.lines() {
        if in_tests {
            in_tests = line != "}";
            continue;
        }
        if behind_cfg && line.starts_with("mod ") && line.ends_with('{') {
            in_tests = true;
        }
        behind_cfg = line == "#[cfg(test)]";
        names.extend(defined(line).map(str::to_owned));
    }
    names
}

/// The type that a line defines.
fn defined(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = match code.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1,
        Some(rest) => rest,
        None => code,
    };
    let (keyword, rest) = code.trim_start().split_once(' ')?;
    let is_associated = keyword == "type" && line.starts_with(' ');
    if is_associated || !["struct", "enum", "trait", "type", "union"].contains(&keyword) {
        return None;
    }
    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    name.starts_with(char::is_uppercase).then_some(name)
}
