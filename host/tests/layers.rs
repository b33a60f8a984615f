//! Imports run top-down. The table is the one of docs/architecture.md; a room that is missing here may import nothing.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use source::rust_files;

/// What everybody may import, layer 0 as well.
const LEAVES: [&str; 3] = ["files", "text", "clock"];

/// Layer 0 imports the leaves alone, and everybody may import it.
const BASE: [&str; 5] = ["net", "lifecycle", "telemetry", "watch", "diagnose"];

/// Rooms that get no more of layer 0 than this.
const NARROW: [(&str, &[&str]); 2] = [("config", &["net", "diagnose"]), ("policy", &["net"])];

/// Each other room, and what it may import beyond layer 0.
const ROOMS: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("policy", &[]),
    ("listener", &[]),
    ("http", &[]),
    ("tunnel", &[]),
    ("tls", &["config", "policy"]),
    ("cluster", &["config", "policy"]),
    ("plugin", &["config", "policy"]),
    ("upstream", &["http", "tls"]),
    ("probe", &["config", "http", "cluster", "upstream", "tls"]),
    ("proxy", &["policy", "http", "cluster", "upstream", "tunnel"]),
    ("discovery", &["config"]),
    ("heartbeat", &["config", "cluster"]),
    ("workbench", &["plugin", "policy"]),
    ("control", &["config"]),
    ("import", &["config"]),
    ("admin", &["config", "control", "http"]),
    ("cli", &["gateway", "config", "import", "workbench", "policy"]),
];

/// Rooms that import everybody.
const ROOT: [&str; 1] = ["gateway"];

#[test]
fn imports_stay_within_the_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut trespasses = Vec::new();

    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let mut parts = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let room = parts.next().unwrap();
        let room = room.strip_suffix(".rs").unwrap_or(&room).to_owned();
        if ["lib", "main"].contains(&room.as_str()) || ROOT.contains(&room.as_str()) {
            continue;
        }
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            if !may(&room, &import) {
                trespasses.push(format!("{} imports crate::{import}", inside.display()));
            }
        }
    }

    assert!(trespasses.is_empty(), "see docs/architecture.md, who may import whom:\n{}", trespasses.join("\n"));
}

#[test]
fn every_room_has_a_place_in_the_table_and_every_place_a_room() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let known: BTreeSet<_> = BASE
        .iter()
        .chain(&LEAVES)
        .chain(&ROOT)
        .copied()
        .chain(ROOMS.iter().map(|(room, _)| *room))
        .map(str::to_owned)
        .collect();

    let entries = fs::read_dir(src).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let rooms = entries.map(|entry| entry.strip_suffix(".rs").map(str::to_owned).unwrap_or(entry));
    let found: BTreeSet<_> = rooms.filter(|room| !["lib", "main"].contains(&room.as_str())).collect();

    assert!(found.is_subset(&known), "rooms without a layer: {:?}", found.difference(&known).collect::<Vec<_>>());
    assert!(known.is_subset(&found), "layers without a room: {:?}", known.difference(&found).collect::<Vec<_>>());
}

/// Crates that speak HTTP on the wire, and the only places where they may be named.
const WIRE: [&str; 3] = ["hyper", "hyper_util", "httparse"];
const WIRE_PLACES: [&str; 5] = ["http/server/http1/", "upstream/http1/", "probe/", "admin/", "cli/demo/"];

/// The same for HTTP/2.
const WIRE2: [&str; 1] = ["h2"];
const WIRE2_PLACES: [&str; 3] = ["http/http2/", "http/server/http2/", "upstream/http2/"];

#[test]
fn bytes_of_http_are_the_business_of_few_places() {
    stay_within(&WIRE, &WIRE_PLACES);
    stay_within(&WIRE2, &WIRE2_PLACES);
}

/// Asserts that only files in `places` name one of `wire`.
fn stay_within(wire: &[&str], places: &[&str]) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut trespasses = Vec::new();

    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        if places.iter().any(|place| inside.starts_with(place)) {
            continue;
        }
        for name in crates(&fs::read_to_string(&file).unwrap()) {
            if wire.contains(&name.as_str()) {
                trespasses.push(format!("{inside} names {name}"));
            }
        }
    }

    assert!(trespasses.is_empty(), "only {places:?} may:\n{}", trespasses.join("\n"));
}

#[test]
fn crates_are_found_wherever_they_are_named() {
    let text = "use hyper::body;\nfn one(_: ::httparse::Header) {}\nlet x = hyper_util::rt::TokioIo::new(y);\n\
                // hyper::Error is said here only\nuse crate::hyper::Own;\n";

    let wire: Vec<_> = crates(text).into_iter().filter(|name| WIRE.contains(&name.as_str())).collect();
    assert_eq!(wire, ["hyper", "httparse", "hyper_util"]);
}

#[test]
fn trespasses_are_found() {
    let table = [
        ("proxy", "use crate::plugin::Runtime;", false),
        ("proxy", "use crate::{http, tls};", false),
        ("proxy", "use crate::{\n    http::{Body, reply},\n    policy,\n};", true),
        ("proxy", "let at = crate::config::load(path);", false),
        ("proxy", "pub(crate) struct Here;", true),
        ("proxy", "// crate::plugin is never imported here", true),
        ("config", "use crate::telemetry::Counter;", false),
        ("config", "use crate::diagnose::FaultReport;", true),
        ("policy", "use crate::diagnose::FaultReport;", false),
        ("watch", "use crate::config::Config;", false),
        ("admin", "use crate::control::ClusterView;", true),
        ("admin", "use crate::plugin::status::RoleStatus;", false),
        ("admin", "use crate::plugin::Runtime;", false),
        ("net", "use crate::lifecycle::Drain;", false),
        ("telemetry", "use crate::{files, text};", true),
        ("config", "use crate::files;", true),
        ("files", "use crate::text;", false),
    ];

    for (room, text, fine) in table {
        assert_eq!(imports(text).iter().all(|import| may(room, import)), fine, "{room}: {text}");
    }
}

/// Whether a file of `room` may import `path`, which begins with a room.
fn may(room: &str, path: &str) -> bool {
    let of = path.split("::").next().unwrap_or(path);
    if of == room {
        return true;
    }
    if LEAVES.contains(&room) {
        return false;
    }
    if LEAVES.contains(&of) {
        return true;
    }
    if BASE.contains(&room) {
        return false;
    }
    if BASE.contains(&of) {
        return NARROW.iter().all(|(narrow, allowed)| *narrow != room || allowed.contains(&of));
    }
    let rooms: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let allowed = rooms.get(room).copied().unwrap_or_default();
    allowed.iter().any(|allowed| path == *allowed || path.starts_with(&format!("{allowed}::")))
}

/// What stands first in each path of a file, comments left out.
fn crates(text: &str) -> Vec<String> {
    let code = without_comments(text);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let start = before.rfind(|c: char| !is_name(c)).map_or(0, |at| at + 1);
        let is_first = !before[..start].ends_with("::") || !before[..start - 2].ends_with(is_name);
        if start < at && is_first {
            found.push(before[start..].to_owned());
        }
    }
    found
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).fold(String::new(), |mut code, line| {
        code.push_str(line);
        code.push(' ');
        code
    })
}

/// Paths behind every `crate::` of a file, braces taken apart, comments left out.
fn imports(text: &str) -> Vec<String> {
    let code = without_comments(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = code[at + "crate::".len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(inside) => found.extend(members(inside)),
            None => found.push(path(rest)),
        }
    }
    found
}

/// The paths between braces, up to the one that closes them; `inside` starts after the one that opened them.
fn members(inside: &str) -> Vec<String> {
    let (mut depth, mut members, mut start) = (1, Vec::new(), 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {
                members.push(path(inside[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
        if depth == 0 {
            members.push(path(inside[start..at].trim()));
            break;
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

/// `a::b::C` at the beginning of `text`.
fn path(text: &str) -> String {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':').to_owned()
}
