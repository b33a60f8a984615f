//! Files of a room stand above each other: none imports another that leads back to it.
//!
//! A path leads to the file that defines what it names; a file that hands a name on (`pub use`) is passed through.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::rust_files;

#[test]
fn files_of_a_room_form_no_circles() {
    let house = House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));

    let circles = house.circles();

    assert!(circles.is_empty(), "each of these files leads back to itself:\n{circles:#?}");
}

#[test]
fn circles_are_found_through_names_that_are_handed_on_and_modules_that_are_imported_whole() {
    let house = |files: &[(&str, &str)]| {
        House(files.iter().map(|(module, text)| (segments(module), (*text).to_owned())).collect())
    };
    let straight = house(&[
        ("a", "mod b;\nmod c;\npub use b::B;\npub use c::C;"),
        ("a::b", "use super::C;\npub struct B;"),
        ("a::c", "pub struct C; // super::B"),
    ]);
    let through_face = house(&[
        ("a", "mod b;\nmod c;\npub use b::B;\npub use c::C;"),
        ("a::b", "use super::{\n    C,\n};\npub struct B;"),
        ("a::c", "pub struct C(crate::a::B);"),
    ]);
    let through_module = house(&[
        ("a", "mod b;\nmod c;"),
        ("a::b", "use super::c;\npub fn b() { c::c() }"),
        ("a::c", "pub fn c() { super::b::b() }"),
    ]);
    let with_face = house(&[("a", "mod b;\npub struct A;\nfn a() { b::b() }"), ("a::b", "use super::A;")]);

    assert!(straight.circles().is_empty());
    let pair = [["a", "b"], ["a", "c"]];
    assert_eq!(through_face.circles(), [pair.map(|path| path.map(str::to_owned).to_vec())]);
    assert_eq!(through_module.circles(), through_face.circles());
    assert_eq!(with_face.circles().len(), 1);
}

type Module = Vec<String>;

/// The code of each module, by its path.
struct House(BTreeMap<Module, String>);

impl House {
    fn read(src: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for file in rust_files(src) {
            let inside = file.strip_prefix(src).unwrap().with_extension("");
            let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            let is_test = module.iter().any(|part| part == "tests" || part.ends_with("_tests") || part == "testing");
            if !is_test && !["lib", "main"].contains(&module[0].as_str()) {
                modules.insert(module, fs::read_to_string(&file).unwrap());
            }
        }
        Self(modules)
    }

    /// Groups of files of which each leads to each other.
    fn circles(&self) -> Vec<Vec<Module>> {
        let arrows: BTreeMap<_, _> = self.0.keys().map(|module| (module, self.arrows(module))).collect();
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            arrows.keys().map(|module| (*module, reachable(module, &arrows))).collect();
        let mut circles = BTreeSet::new();
        for (module, reached) in &reach {
            let circle: Vec<Module> =
                reached.iter().filter(|other| reach[**other].contains(module)).map(|other| (*other).clone()).collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    /// The files whose definitions a file uses, itself left out.
    fn arrows(&self, module: &Module) -> BTreeSet<Module> {
        let code = code(&self.0[module]);
        let mut found = BTreeSet::new();
        for path in self.paths(module, &code) {
            let Some((place, rest)) = self.walk(module, &path) else { continue };
            if rest.is_empty() {
                // A module by its name: what is used of it stands behind that name.
                let name = place.last().unwrap();
                found.extend(behind(&code, name).into_iter().filter_map(|item| self.definition(&place, &[item])));
            } else {
                found.extend(self.definition(&place, &rest));
            }
        }
        found.remove(module);
        found
    }

    /// Paths into this crate, those that are handed on left out.
    fn paths(&self, module: &Module, code: &str) -> Vec<Module> {
        let uses = statements(code).into_iter().filter(|(statement, _)| *statement == Statement::Uses);
        let is_inside = |path: &Module| {
            let begins_below = || self.0.contains_key(&[module.clone(), vec![path[0].clone()]].concat());
            ["crate", "super", "self"].contains(&path[0].as_str()) || begins_below()
        };
        uses.flat_map(|(_, paths)| paths).filter(is_inside).collect()
    }

    /// The module that a path leads to, and what of the path is behind it; none for a path out of the crate.
    fn walk(&self, from: &Module, path: &[String]) -> Option<(Module, Module)> {
        let mut place = from.clone();
        let mut rest = path;
        match path[0].as_str() {
            "crate" => (place, rest) = (Module::new(), &path[1..]),
            "self" => rest = &path[1..],
            _ => {}
        }
        while rest.first().is_some_and(|first| first == "super") {
            place.pop();
            rest = &rest[1..];
        }
        while let Some(first) = rest.first() {
            let below = [place.clone(), vec![first.clone()]].concat();
            if !self.0.contains_key(&below) {
                break;
            }
            (place, rest) = (below, &rest[1..]);
        }
        (!place.is_empty()).then(|| (place, rest.to_vec()))
    }

    /// The file that defines the first of `items`, as seen from `place`.
    fn definition(&self, place: &Module, items: &[String]) -> Option<Module> {
        let handed_on = statements(&code(self.0.get(place)?)).into_iter();
        let handed_on =
            handed_on.filter(|(statement, _)| *statement == Statement::HandsOn).flat_map(|(_, paths)| paths);
        let item = items.first()?;
        let origin = handed_on.filter(|path| path.last() == Some(item)).find_map(|path| self.walk(place, &path));
        match origin {
            Some((origin, rest)) if origin != *place => self.definition(&origin, &rest),
            _ => Some(place.clone()),
        }
    }
}

fn reachable<'a>(from: &Module, arrows: &'a BTreeMap<&Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for other in arrows.get(module).into_iter().flatten() {
            if reached.insert(other) {
                next.push(other);
            }
        }
    }
    reached
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    /// `pub use`
    HandsOn,
    /// `use`, or a path within an expression or type.
    Uses,
}

/// All paths of two segments or more, braces taken apart.
fn statements(code: &str) -> Vec<(Statement, Vec<Module>)> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(double) = code[at..].find("::").map(|more| at + more) {
        let start = code[..double].rfind(|c: char| !is_path(c)).map_or(0, |before| before + 1);
        let end = tree_end(code, double);
        let before = code[..start].trim_end();
        let is_use = before.ends_with("use") && code[..start].ends_with(char::is_whitespace);
        let is_public = is_use && {
            let visibility = before.strip_suffix("use").unwrap_or_default().trim_end();
            visibility.ends_with("pub")
                || (visibility.ends_with(')') && visibility[..visibility.len() - 1].contains("pub("))
                    && !visibility.ends_with(")]")
        };
        let mut paths = Vec::new();
        expand(&Module::new(), &code[start..end], &mut paths);
        paths.retain(|path| path.len() > 1);
        found.push((if is_public { Statement::HandsOn } else { Statement::Uses }, paths));
        at = end.max(double + 2);
    }
    found
}

/// Where the path ends whose first `::` stands at `at`, with the braces behind it.
fn tree_end(code: &str, at: usize) -> usize {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = code[at..].find(|c: char| !is_path(c)).map_or(code.len(), |more| at + more);
    if !(code[..end].ends_with("::") && code[end..].starts_with('{')) {
        return end;
    }
    let mut depth = 0;
    for (more, c) in code[end..].char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return end + more + 1;
        }
    }
    code.len()
}

/// `a::{b, c::D}` as `a::b` and `a::c::D`; `self` is the module itself, `as` a name that does not matter.
fn expand(prefix: &Module, tree: &str, into: &mut Vec<Module>) {
    let tree = tree.trim();
    let Some((head, inside)) = tree.split_once('{') else {
        let path = tree.split_whitespace().next().unwrap_or_default();
        let parts = segments(path).into_iter().filter(|part| !part.is_empty());
        let mut path = [prefix.clone(), parts.collect()].concat();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        into.push(path);
        return;
    };
    let prefix = [prefix.clone(), segments(head.trim().trim_end_matches("::"))].concat();
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inside.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            expand(&prefix, &inside[start..at], into);
            start = at + 1;
        }
    }
    if !inside[start..].trim().is_empty() {
        expand(&prefix, &inside[start..], into);
    }
}

/// What stands behind `name::` in the code.
fn behind(code: &str, name: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = format!("{name}::");
    let uses = code.match_indices(&name).map(|(at, found)| (at, &code[at + found.len()..]));
    uses.filter(|(at, _)| !code[..*at].ends_with(|c: char| is_name(c) || c == ':'))
        .map(|(_, rest)| rest.chars().take_while(|c| is_name(*c)).collect())
        .filter(|item: &String| !item.is_empty())
        .collect()
}

fn segments(path: &str) -> Module {
    path.split("::").map(str::to_owned).collect()
}

/// The code without comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}
