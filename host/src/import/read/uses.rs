//! Macros that a configuration defines and uses while it is read.

use super::line::LogicalLine;
use super::reader::ConfReader;
use super::stop::ReadStop;
use super::variables::TooLong;
use super::words;
use crate::import::report::Severity;
use crate::import::tree::{Place, Word};

impl ConfReader<'_> {
    /// `<Macro ARGUMENT>` up to its end.
    pub(super) fn define_macro(
        &mut self,
        argument: &str,
        place: &Place,
        more: &mut dyn Iterator<Item = LogicalLine>,
    ) -> Result<(), ReadStop> {
        let mut lines = Vec::new();
        let mut open = 1_usize;
        for line in more {
            self.spent.line(&line)?;
            if let Some((first, _)) = words::first(&line.text) {
                let name = first.text.trim_end_matches('>');
                if name.eq_ignore_ascii_case("</Macro") {
                    open = open.saturating_sub(1);
                } else if name.eq_ignore_ascii_case("<Macro") {
                    open = open.saturating_add(1);
                }
            }
            if open == 0 {
                let refused = |what: String| ReadStop::new(place, format!("<Macro>: {what}"), "mend the definition");
                let before = self.macros.define(argument, lines, place.clone()).map_err(refused)?;
                if let Some(before) = before {
                    let what = format!("the macro was defined before, at {before}: this one counts from here on");
                    self.report.add(place, Severity::Note, what, None);
                }
                return Ok(());
            }
            lines.push(line);
        }
        Err(ReadStop::new(
            place,
            "expected `</Macro>` before the end of the file, found none",
            "end the macro with `</Macro>`",
        ))
    }

    /// Reads the lines of a macro. Not, if there is none of this name: then the directive stays.
    pub(super) fn use_macro(&mut self, words: &[Word], place: &Place) -> Result<bool, ReadStop> {
        let mut arguments = words.to_vec();
        if arguments.is_empty() {
            return Err(ReadStop::new(place, "Use: expected the name of a macro, found none", "name one"));
        }
        let name = arguments.remove(0).text;
        let Some(found) = self.macros.find(&name) else {
            if self.told.insert(format!("Use {}", name.to_ascii_lowercase())) {
                let what = format!("Use: macro `{name}` is not defined in what was read, and may say who may come in");
                self.report.refuse(
                    place,
                    what,
                    "import the file that defines it as well, or what `apachectl -t -D DUMP_CONFIG` prints",
                );
            }
            return Ok(false);
        };
        if found.wants() != arguments.len() {
            let what = format!(
                "Use: expected {} arguments for macro `{name}` (defined at {}), found {}",
                found.wants(),
                found.place,
                arguments.len()
            );
            return Err(ReadStop::new(place, what, "Apache does not start with this line: mend it"));
        }
        let name = name.to_ascii_lowercase();
        if self.using.contains(&name) {
            let what = format!("Use: macro `{name}` leads back to itself");
            return Err(ReadStop::new(place, what, "take this line out of the macro"));
        }
        let lines = found.with(&arguments, self.spent.left()).map_err(|TooLong| self.spent.too_long(place))?;
        self.using.push(name.clone());
        let done = self.deeper(place, &format!("macro {name}"), |reader| reader.lines(&mut lines.into_iter()));
        self.using.pop();
        done.map(|()| true)
    }
}
