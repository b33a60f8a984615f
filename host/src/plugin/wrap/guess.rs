//! Files that are no wasm at all: what their beginning looks like, and what is to be done instead.

use super::super::error::LoadErrorKind;

/// Lines of text that are looked at.
const SOURCE_LINES: usize = 40;

const UNPACK: &str = "unpack it, and name the .wasm file in it";
const FOR_WASM: &str = "build for a wasm32 target, e.g. `cargo build --release --target wasm32-unknown-unknown`, `GOOS=wasip1 \
                        GOARCH=wasm go build -buildmode=c-shared`, `clang --target=wasm32`";
const LINK: &str = "link it: clang without `-c` and `-emit-llvm`, Rust with `crate-type = [\"cdylib\"]`";

/// How a binary file begins, what it is, and what to do.
static BINARY: &[(&[u8], &str, &str)] = &[
    (b"\x7fELF", "an ELF file, a program or library for this machine", FOR_WASM),
    (b"MZ", "a Windows executable", FOR_WASM),
    (b"\xcf\xfa\xed\xfe", "a Mach-O file, a program or library for macOS", FOR_WASM),
    (b"\xce\xfa\xed\xfe", "a Mach-O file, a program or library for macOS", FOR_WASM),
    (b"\xca\xfe\xba\xbe", "a Java class or a Mach-O file for several machines", FOR_WASM),
    (b"BC\xc0\xde", "LLVM bitcode", LINK),
    (b"\xde\xc0\x17\x0b", "LLVM bitcode", LINK),
    (b"!<arch>\n", "an archive of object files (.a, .rlib)", LINK),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"PK\x05\x06", "an empty zip archive", UNPACK),
    (b"\xfd7zXZ", "an xz archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
    (b"\xef\xbb\xbf", "text that begins with a byte-order mark", "save it as UTF-8 without one"),
    (
        b"\0\0\0\0",
        "a file that begins with zeros",
        "it was not written whole: write it beside and rename it into place",
    ),
];

/// The same for text, by its first line.
static TEXT: &[(&str, &str, &str)] = &[
    ("version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: `git lfs pull`"),
    ("<!DOCTYPE", "an HTML page", "the download went wrong: look at what the address returns"),
    ("<!doctype", "an HTML page", "the download went wrong: look at what the address returns"),
    ("<html", "an HTML page", "the download went wrong: look at what the address returns"),
    ("<", "XML or HTML", "name the .wasm file"),
    ("package tidegate:plugin", "WIT, the contract itself", "name the .wasm file that was built against it"),
    ("[package]", "TOML", "name the .wasm file"),
    ("[plugin.", "TOML", "name the .wasm file"),
    ("[cluster.", "TOML", "name the .wasm file"),
    ("{", "JSON", "name the .wasm file"),
    ("[", "JSON or TOML", "name the .wasm file"),
];

/// How lines of source begin, in which language, and its name for `plugin new --lang`. The first that fits speaks.
static SOURCES: &[(&[&str], &str, &str)] = &[
    (&["#![", "//!", "use ", "pub fn ", "fn ", "extern crate", "mod "], "Rust", "rust"),
    (&["const std = @import", "pub export fn", "export fn"], "Zig", "zig"),
    (&["package main", "//go:build", "//go:wasmexport"], "Go", "go"),
    (
        &["#include <iostream", "#include <c", "#include <vector", "namespace ", "template <", "extern \"C\""],
        "C++",
        "cpp",
    ),
    (&["#include", "#define", "typedef ", "int ", "static "], "C", "c"),
    (&["import asyncio", "from ", "import wit_world", "def ", "class ", "#!/usr/bin/env python"], "Python", "python"),
    (&["@external", "export function pick("], "AssemblyScript", "assemblyscript"),
    (&["interface ", "type ", "export type", "export interface", "import type"], "TypeScript", "typescript"),
    (
        &[
            "import ",
            "export ",
            "const ",
            "let ",
            "var ",
            "function ",
            "async ",
            "\"use strict\"",
            "(function",
            "((",
            "(()",
            "(async",
        ],
        "JavaScript",
        "javascript",
    ),
];

/// The refusal of a file that does not begin like wasm; none if it looks like .wat text.
pub(super) fn not_wasm(bytes: &[u8]) -> Option<LoadErrorKind> {
    if bytes.starts_with(b"\x7fELF") && contains(bytes, b".wasmtime.") {
        let remedy = "hand over the .wasm file that it was made from: the gateway compiles it itself";
        return Some(refused("a .cwasm file, wasm that was compiled already", remedy));
    }
    if let Some((_, found, remedy)) = BINARY.iter().find(|(beginning, ..)| bytes.starts_with(beginning)) {
        return Some(refused(found, remedy));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(refused("a tar archive", UNPACK));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some(refused(&format!("bytes {:02x?}", bytes.get(..8).unwrap_or(bytes)), FOR_WASM));
    };
    if is_wat(text) {
        return None;
    }
    if let Some((_, found, remedy)) = TEXT.iter().find(|(beginning, ..)| text.trim_start().starts_with(beginning)) {
        return Some(refused(found, remedy));
    }
    let lines: Vec<_> = text.lines().map(str::trim_start).take(SOURCE_LINES).collect();
    let is_in = |beginnings: &[&str]| lines.iter().any(|line| beginnings.iter().any(|one| line.starts_with(one)));
    Some(match SOURCES.iter().find(|(beginnings, ..)| is_in(beginnings)) {
        Some((_, language, option)) => refused(
            &format!("{language} source"),
            &format!(
                "build it, and name the .wasm file that comes of it: `tidegate plugin new NAME --lang {option}` writes \
                 a project that does so"
            ),
        ),
        None => refused("text that does not begin as .wat, with `(` or `;;`", FOR_WASM),
    })
}

/// Begins with a comment or a parenthesis, as .wat does; `(function` and `(() =>` begin a script.
fn is_wat(text: &str) -> bool {
    let text = text.trim_start();
    if text.starts_with(";;") || text.starts_with("(;") {
        return true;
    }
    let Some(first) = text.strip_prefix('(') else { return false };
    first.trim_start().starts_with(|char: char| char.is_ascii_lowercase() || char == '@')
        && !["function", "async"].iter().any(|word| first.trim_start().starts_with(word))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

fn refused(found: &str, remedy: &str) -> LoadErrorKind {
    LoadErrorKind::NotWasm { found: found.to_owned(), remedy: remedy.to_owned() }
}
