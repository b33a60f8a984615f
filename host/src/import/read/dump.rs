//! What `apachectl -t -D DUMP_CONFIG` prints: a configuration with all carried out that is done while reading, and with
//! the file and line of each directive.
//!
//! ```text
//! # In file: /etc/apache2/sites-enabled/a.conf
//! #   3:
//! <VirtualHost *:80>
//!   #   4:
//!   ServerName a.example
//! </VirtualHost>
//! ```
//!
//! A section with nothing in it is printed without its end: it is the indentation that tells.

use std::path::Path;
use std::sync::Arc;

use super::build::Growth;
use super::stop::ReadStop;
use super::words::{self, trimmed};
use crate::import::report::{Report, Severity};
use crate::import::tree::{Directive, Node, Place, Section, Tree};

const FILE: &str = "# In file: ";

/// Whether `bytes` are such a print.
pub(super) fn is_dump(bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| *byte == b'\n');
    let mut said = lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty() && !is_aside(line));
    said.next().is_some_and(|line| line.starts_with(FILE.as_bytes()))
}

/// Whether a line is what Apache writes beside its print, on standard error.
fn is_aside(line: &[u8]) -> bool {
    line.starts_with(b"AH") || line.starts_with(b"[") || line == b"Syntax OK" || line.starts_with(b"(")
}

/// How deep sections may stand in each other.
const DEEPEST: usize = 64;

/// How many blanks deeper what is in a section is printed.
const INDENTATION: usize = 2;

/// Ends sections that have nothing in them, down to what is printed at this depth.
fn end_empty(growth: &mut Growth, depth: usize) {
    while growth.around().len() > depth && growth.around().last().is_some_and(|section| section.children.is_empty()) {
        growth.close();
    }
}

/// Reads `bytes`, which came from `path`.
pub(super) fn read(path: &Path, bytes: &[u8], report: &mut Report) -> Result<Tree, ReadStop> {
    let text = String::from_utf8_lossy(bytes);
    let shown: Arc<str> = path.to_string_lossy().into();
    if matches!(text, std::borrow::Cow::Owned(_)) {
        let what = "the print is no UTF-8: what is none of a character is kept as `\u{fffd}`";
        report.add(&Place { file: Arc::clone(&shown), line: 1 }, Severity::Changed, what, None);
    }
    let mut growth = Growth::default();
    let mut place = Place { file: Arc::clone(&shown), line: 1 };
    let mut base = 0_u32;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let here = || Place { file: Arc::clone(&shown), line: number };
        let depth = line.bytes().take_while(|byte| *byte == b' ').count() / INDENTATION;
        let line = trimmed(line);
        if let Some(file) = line.strip_prefix(FILE) {
            (place.file, base) = origin(file);
        } else if let Some(at) = line_number(line) {
            place.line = base.saturating_add(at);
        } else if let Some(message) = syntax_error(line) {
            let remedy = "make it pass `apachectl -t` first, and import what it prints then";
            return Err(ReadStop::new(&here(), format!("Apache refuses the configuration: {message}"), remedy));
        } else if line.is_empty() || is_aside(line.as_bytes()) {
        } else if let Some(name) = line.strip_prefix("</") {
            end_empty(&mut growth, depth.saturating_add(1));
            let name = name.trim_end_matches('>');
            if !growth.around().last().is_some_and(|section| section.is(name)) {
                return Err(ReadStop::new(
                    &here(),
                    format!("`</{name}>` ends no section"),
                    "print it anew: this is not whole",
                ));
            }
            growth.close();
        } else {
            end_empty(&mut growth, depth);
            directive(line, &place, &mut growth).map_err(|what| ReadStop::new(&here(), what, "print it anew"))?;
        }
    }
    end_empty(&mut growth, 0);
    match growth.around().last() {
        Some(section) => {
            let what = format!("expected `</{}>` before the end, found none", section.name);
            Err(ReadStop::new(&section.place, what, "print it anew: this is not whole"))
        }
        None => Ok(growth.finish()),
    }
}

fn directive(line: &str, place: &Place, growth: &mut Growth) -> Result<(), String> {
    let Some((name, rest)) = words::first(line) else { return Ok(()) };
    let Some(section) = name.text.strip_prefix('<') else {
        let (name, raw, place) = (name.text, rest.to_owned(), place.clone());
        growth.add(Node::Directive(Directive { name, words: words::all(rest), raw, place }));
        return Ok(());
    };
    if growth.around().len() >= DEEPEST {
        return Err(format!("expected sections at most {DEEPEST} deep in each other, found more"));
    }
    let raw = rest.rsplit_once('>').map_or("", |(argument, _)| trimmed(argument)).to_owned();
    let (name, place) = (section.trim_end_matches('>').to_owned(), place.clone());
    growth.open(Section { name, words: words::all(&raw), raw, place, children: Vec::new() });
    Ok(())
}

/// The number in `#   12:`.
fn line_number(line: &str) -> Option<u32> {
    line.strip_prefix('#')?.strip_suffix(':')?.trim().parse().ok()
}

/// What Apache says of a configuration that it refuses, which it says instead of printing more.
fn syntax_error(line: &str) -> Option<&str> {
    line.find("Syntax error on line ").and_then(|at| line.get(at..))
}

/// A file as it is named, and what is to be added to its lines: those of a macro count from its definition, which is
/// named as `macro 'm' (defined on line 3 of "FILE") used on line 9 of "OTHER"`.
fn origin(named: &str) -> (Arc<str>, u32) {
    let defined = || {
        let (_, behind) = named.strip_prefix("macro '")?.split_once("(defined on line ")?;
        let (line, file) = behind.split_once(" of \"")?;
        let (file, _) = file.split_once("\")")?;
        Some((file.into(), line.parse().ok()?))
    };
    defined().unwrap_or_else(|| (named.into(), 0))
}
