//! Carrying out what is done while a configuration is read, line by line.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::build::Growth;
use super::line::{LineOddity, LogicalLine, LogicalLines};
use super::macros::Macros;
use super::options::ReadOptions;
use super::parts::{OpenPart, PartKind};
use super::roots::ServerRoot;
use super::spent::ReadSoFar;
use super::stop::ReadStop;
use super::template;
use super::variables::{TooLong, Variables};
use super::words;
use crate::import::report::{Report, Severity};
use crate::import::tree::{Directive, Node, Place, Tree, Word};

/// How deep Includes and Macros may lead into each other. Apache's number for Includes.
const DEEPEST: usize = 128;
/// Directives of which nothing is lost if a variable in them stands for nothing.
const OF_NO_MATTER: [&str; 10] = [
    "errorlog",
    "customlog",
    "transferlog",
    "logformat",
    "pidfile",
    "user",
    "group",
    "serveradmin",
    "mutex",
    "coredumpdirectory",
];

/// Everything that lines are read with.
pub(super) struct ConfReader<'o> {
    pub(super) options: &'o ReadOptions,
    pub(super) report: &'o mut Report,
    pub(super) variables: Variables<'o>,
    pub(super) loaded: BTreeSet<String>,
    pub(super) macros: Macros,
    /// Macros that are being used.
    pub(super) using: Vec<String>,
    pub(super) root: ServerRoot,
    pub(super) growth: Growth,
    pub(super) spent: ReadSoFar,
    depth: usize,
    /// Names of variables, macros and placeholders that were told already.
    pub(super) told: BTreeSet<String>,
}

impl<'o> ConfReader<'o> {
    /// With nothing read, and `-D` defined.
    pub(super) fn new(options: &'o ReadOptions, root: ServerRoot, report: &'o mut Report) -> Self {
        let mut variables = Variables::new(&options.environment);
        for (name, value) in &options.defines {
            variables.define(name, value.as_deref());
        }
        Self {
            options,
            report,
            variables,
            loaded: BTreeSet::new(),
            macros: Macros::default(),
            using: Vec::new(),
            root,
            growth: Growth::default(),
            spent: ReadSoFar::default(),
            depth: 0,
            told: BTreeSet::new(),
        }
    }

    /// What was read.
    pub(super) fn finish(self) -> Tree {
        self.growth.finish()
    }

    /// Reads `bytes`, which came from `path`.
    pub(super) fn text(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ReadStop> {
        let shown: Arc<str> = path.to_string_lossy().into();
        self.spent.file(&Place { file: Arc::clone(&shown), line: 1 })?;
        if let Some(foreign) = template::foreign(bytes) {
            return Err(ReadStop::new(&Place { file: shown, line: foreign.line }, foreign.what, foreign.remedy));
        }
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => {
                let what = "the file begins with a byte order mark: Apache takes that for a part of the first name";
                let remedy = Some("save it as UTF-8 without a byte order mark");
                self.report.add(&Place { file: Arc::clone(&shown), line: 1 }, Severity::Changed, what, remedy);
                rest
            }
            None => bytes,
        };
        self.lines(&mut LogicalLines::new(bytes, shown))
    }

    /// Reads lines to their end, with every section ended that began in them.
    pub(super) fn lines(&mut self, lines: &mut dyn Iterator<Item = LogicalLine>) -> Result<(), ReadStop> {
        let mut open = Vec::new();
        while let Some(line) = lines.next() {
            self.spent.line(&line)?;
            self.line(&line, &mut open, lines)?;
        }
        // As in Apache, what counts may end with its file.
        match open.iter().rev().find(|part| part.kind != PartKind::Counts) {
            Some(part) => Err(ReadStop::new(
                &part.place,
                format!("expected `</{0}>` before the end of the file, found none", part.name),
                format!("end the section with `</{}>`", part.name),
            )),
            None => Ok(()),
        }
    }

    fn line(
        &mut self,
        line: &LogicalLine,
        open: &mut Vec<OpenPart>,
        more: &mut dyn Iterator<Item = LogicalLine>,
    ) -> Result<(), ReadStop> {
        let text = line.text.as_str();
        if text.is_empty() {
            return Ok(());
        }
        if text.starts_with('#') {
            if line.lines > 1 {
                let what = "the comment ends with a backslash, so it goes on over the next line, which does not count";
                self.report.add(
                    &line.place,
                    Severity::Note,
                    what,
                    Some("if that line is to count, take the backslash away"),
                );
            }
            return Ok(());
        }
        if open.last().is_some_and(|part| part.kind == PartKind::LeftOut) {
            return Self::left_out(line, open);
        }
        self.odd(line);
        let filled = self.filled(line)?;
        let Some((name, rest)) = words::first(&filled) else { return Ok(()) };
        match name.text.strip_prefix('<') {
            Some(section) => match section.strip_prefix('/') {
                Some(ended) => self.end(ended, rest, line, open),
                None => self.begin(section, rest, line, open, more),
            },
            None => self.directive(&name.text, rest, line),
        }
    }

    /// Tells what is odd about the bytes of `line`.
    fn odd(&mut self, line: &LogicalLine) {
        let (what, remedy) = match line.oddity {
            None => return,
            Some(LineOddity::Encoding) => (
                "the line is no UTF-8: what is none of a character is kept as `\u{fffd}`",
                "save the file as UTF-8, and look at what is made of this line",
            ),
            Some(LineOddity::Zero) => {
                ("the line holds a byte 0, behind which Apache reads nothing", "take the byte away")
            }
        };
        self.report.add(&line.place, Severity::Changed, what, Some(remedy));
    }

    /// The text of `line` with its variables.
    fn filled(&mut self, line: &LogicalLine) -> Result<String, ReadStop> {
        let mut unknown = Vec::new();
        let filled = self.variables.fill(&line.text, self.spent.left(), |name| unknown.push(name.to_owned()));
        let filled = filled.map_err(|TooLong| self.spent.too_long(&line.place))?.into_owned();
        self.spent.bytes(filled.len().saturating_sub(line.text.len()), &line.place)?;
        let directive = words::first(&filled).map(|(name, _)| name.text).unwrap_or_default();
        let matters = !OF_NO_MATTER.iter().any(|name| directive.eq_ignore_ascii_case(name));
        for name in unknown.into_iter().filter(|_| matters) {
            if self.told.insert(format!("${{{name}}}")) {
                let what = format!("`${{{name}}}` stands for nothing: neither a Define nor the environment has it");
                self.report.refuse(
                    &line.place,
                    what,
                    format!("give it: `-D {name}=VALUE`, or set {name} in the environment"),
                );
            }
        }
        Ok(filled)
    }

    /// Does what leads one step deeper into files or macros.
    pub(super) fn deeper(
        &mut self,
        place: &Place,
        into: &str,
        step: impl FnOnce(&mut Self) -> Result<(), ReadStop>,
    ) -> Result<(), ReadStop> {
        if self.depth >= DEEPEST {
            let what = format!("expected Includes at most {DEEPEST} deep in each other, found more: `{into}`");
            return Err(ReadStop::new(
                place,
                what,
                "it probably leads back to itself: take one of these Includes away",
            ));
        }
        self.depth = self.depth.saturating_add(1);
        let done = step(self);
        self.depth = self.depth.saturating_sub(1);
        done
    }

    /// A line that begins or ends nothing.
    fn directive(&mut self, name: &str, rest: &str, line: &LogicalLine) -> Result<(), ReadStop> {
        let place = &line.place;
        let words = words::all(rest);
        let text = |at: usize| words.get(at).map(|word| word.text.as_str()).unwrap_or_default();
        let wants = |expected: &str| {
            let what = format!("{name}: expected {expected}, found {} words", words.len());
            ReadStop::new(place, what, "Apache does not start with this line: mend it")
        };
        match name.to_ascii_lowercase().as_str() {
            "define" => {
                if !matches!(words.len(), 1 | 2) {
                    return Err(wants("a name and perhaps a value"));
                }
                if text(0).contains(':') {
                    let what = format!("Define: expected a name without `:`, found `{}`", text(0));
                    return Err(ReadStop::new(
                        place,
                        what,
                        "Apache does not start with this line: give it another name",
                    ));
                }
                self.variables.define(text(0), words.get(1).map(|word| word.text.as_str()));
                return Ok(());
            }
            "undefine" => {
                self.variables.undefine(text(0));
                return Ok(());
            }
            "include" | "includeoptional" => {
                if words.len() != 1 {
                    return Err(wants("one path"));
                }
                let is_optional = name.eq_ignore_ascii_case("IncludeOptional");
                if self.include(text(0), is_optional, place)? {
                    return Ok(());
                }
            }
            "use" => {
                if self.use_macro(&words, place)? {
                    return Ok(());
                }
            }
            "undefmacro" => {
                self.macros.forget(text(0));
                return Ok(());
            }
            "error" => {
                let what = format!("the configuration stops itself: {}", text(0));
                return Err(ReadStop::new(place, what, "see what it wants, for example a name: `-D NAME`"));
            }
            "loadmodule" => {
                self.loaded.insert(text(0).to_owned());
                return Ok(());
            }
            "loadfile" => return Ok(()),
            "serverroot" => self.root.declare(text(0)),
            _ => self.placeholder(name, &words, place),
        }
        let (name, raw, place) = (name.to_owned(), rest.to_owned(), place.clone());
        self.growth.add(Node::Directive(Directive { name, words, raw, place }));
        Ok(())
    }

    /// Tells what stands for a name that was to be put in.
    pub(super) fn placeholder(&mut self, name: &str, words: &[Word], place: &Place) {
        let Some(found) = template::placeholder(name, words) else { return };
        if self.told.insert(found.to_owned()) {
            let what = format!("{name}: expected a name or an address, found `{found}`, which stands for one");
            self.report.refuse(
                place,
                what,
                "put the name or address in its place wherever it stands, and import the result",
            );
        }
    }
}
