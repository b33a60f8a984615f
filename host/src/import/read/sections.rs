//! Sections and conditions: where they begin and end, and what stands in them counts or not.

use super::conditions;
use super::line::LogicalLine;
use super::parts::{OpenPart, PartKind, ends};
use super::reader::ConfReader;
use super::stop::ReadStop;
use super::words::{self, trimmed};
use crate::import::report::Severity;
use crate::import::tree::{Place, Section};

/// How deep sections may stand in each other. None is of use in more than four.
const DEEPEST_SECTION: usize = 64;

impl ConfReader<'_> {
    /// A line that does not count: only what begins and ends is looked at.
    pub(super) fn left_out(line: &LogicalLine, open: &mut Vec<OpenPart>) -> Result<(), ReadStop> {
        let Some((name, _)) = words::first(&line.text) else { return Ok(()) };
        let Some(section) = name.text.strip_prefix('<') else { return Ok(()) };
        match section.strip_prefix('/') {
            Some(ended) => ends(ended, &line.place, open.last())?.then(|| open.pop()),
            None => {
                let name = section.trim_end_matches('>').to_owned();
                open.push(OpenPart { name, place: line.place.clone(), kind: PartKind::LeftOut });
                None
            }
        };
        Ok(())
    }

    /// `<NAME …>`
    pub(super) fn begin(
        &mut self,
        name: &str,
        rest: &str,
        line: &LogicalLine,
        open: &mut Vec<OpenPart>,
        more: &mut dyn Iterator<Item = LogicalLine>,
    ) -> Result<(), ReadStop> {
        let place = &line.place;
        let argument = match name.strip_suffix('>') {
            Some(_) if rest.is_empty() => Some(("", "")),
            _ => rest.rsplit_once('>'),
        };
        let name = name.strip_suffix('>').unwrap_or(name);
        let Some((argument, behind)) = argument else {
            let what = format!("expected `>` at the end of `<{name}`, found none");
            return Err(ReadStop::new(place, what, "Apache does not start with this line: add `>`"));
        };
        if name.is_empty() {
            return Err(ReadStop::new(
                place,
                "expected the name of a section behind `<`, found none",
                "write it without a blank",
            ));
        }
        self.behind(behind, place);
        let condition = match name.to_ascii_lowercase().as_str() {
            "ifmodule" => Some(conditions::module(argument, |module| self.loaded.contains(module))),
            "ifdefine" => Some(conditions::define(argument, &self.variables)),
            "ifversion" => Some(conditions::version(argument)),
            "ifdirective" | "ifsection" => Some(conditions::known(argument)),
            "iffile" => Some(self.has_file(argument, place)),
            "macro" => return self.define_macro(argument, place, more),
            "perl" => {
                let what = "the file has a part that a program writes when Apache starts";
                let remedy = "import what Apache makes of it: `apachectl -t -D DUMP_CONFIG > FILE`";
                return Err(ReadStop::new(place, what, remedy));
            }
            _ => None,
        };
        let part = |kind| OpenPart { name: name.to_owned(), place: place.clone(), kind };
        match condition {
            Some(Ok(true)) => open.push(part(PartKind::Counts)),
            Some(Ok(false)) => {
                if name.eq_ignore_ascii_case("IfModule") {
                    let what = format!(
                        "`<IfModule {argument}>` is left out: every module counts as there, and of the MPMs `event`"
                    );
                    let remedy = "if Apache reads it, import what `apachectl -t -D DUMP_CONFIG` prints";
                    self.report.add(place, Severity::Note, what, Some(remedy));
                }
                open.push(part(PartKind::LeftOut));
            }
            Some(Err(what)) => {
                return Err(ReadStop::new(
                    place,
                    format!("<{name}>: {what}"),
                    "Apache does not start with this line: mend it",
                ));
            }
            None => {
                if self.growth.around().len() >= DEEPEST_SECTION {
                    let what = format!("expected sections at most {DEEPEST_SECTION} deep in each other, found more");
                    return Err(ReadStop::new(place, what, "end the sections that are open"));
                }
                open.push(part(PartKind::Section));
                let raw = trimmed(argument).to_owned();
                let words = words::all(&raw);
                self.placeholder(name, &words, place);
                let (name, place) = (name.to_owned(), place.clone());
                self.growth.open(Section { name, words, raw, place, children: Vec::new() });
            }
        }
        Ok(())
    }

    /// `</NAME>`
    pub(super) fn end(
        &mut self,
        name: &str,
        behind: &str,
        line: &LogicalLine,
        open: &mut Vec<OpenPart>,
    ) -> Result<(), ReadStop> {
        if ends(name, &line.place, open.last())? {
            self.behind(behind, &line.place);
            if open.pop().is_some_and(|part| part.kind == PartKind::Section) {
                self.growth.close();
            }
        }
        Ok(())
    }

    /// Tells what stands behind `>`.
    fn behind(&mut self, behind: &str, place: &Place) {
        let behind = trimmed(behind);
        if !behind.is_empty() {
            let what = format!("Apache reads nothing of what stands behind `>`: `{behind}`");
            self.report.add(place, Severity::Dropped, what, Some("if it is to count, put it on a line of its own"));
        }
    }
}
