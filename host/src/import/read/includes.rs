//! Files that a configuration names while it is read.

use std::io;
use std::path::Path;

use super::conditions::{Applies, negated};
use super::glob;
use super::options::MissingInclude;
use super::reader::ConfReader;
use super::spent::{MOST_FILES, too_many_files};
use super::stop::{self, ReadStop};
use super::words::{self, trimmed};
use crate::files::ReadError;
use crate::import::report::Severity;
use crate::import::tree::Place;

/// Sections in which a file that is not there may be what decides who may come in.
const GUARDED: [&str; 12] = [
    "location",
    "locationmatch",
    "directory",
    "directorymatch",
    "files",
    "filesmatch",
    "proxy",
    "proxymatch",
    "if",
    "elseif",
    "else",
    "limit",
];

impl ConfReader<'_> {
    /// `<IfFile [!]PATH>`
    pub(super) fn has_file(&mut self, argument: &str, place: &Place) -> Applies {
        let argument = trimmed(argument);
        let (is_not, path) = negated(argument)?;
        let path = words::first(path).map(|(word, _)| word.text).unwrap_or_default();
        let is_there = self.root.leads(&path).iter().any(|path| path.exists());
        let what =
            format!("whether `{path}` is there was decided here: {}", if is_there { "it is" } else { "it is not" });
        self.report.add(
            place,
            Severity::Note,
            what,
            Some("if Apache runs on another machine, see that it is so there"),
        );
        Ok(is_there != is_not)
    }

    /// Reads what an Include names; says whether that was all of it. If not, the directive stays.
    pub(super) fn include(&mut self, path: &str, is_optional: bool, place: &Place) -> Result<bool, ReadStop> {
        let mut failure = format!("`{path}` is not there");
        let leads = self.root.leads(path);
        let is_pattern = glob::is_pattern(Path::new(path));
        for lead in leads {
            let found = glob::files(&lead, MOST_FILES).map_err(|glob::TooMany| too_many_files(place))?;
            if found.is_empty() {
                failure = format!("no file matches `{path}`");
                continue;
            }
            // What may not be looked at is there as far as anybody knows: reading it says so.
            if !is_pattern && matches!(lead.try_exists(), Ok(false)) {
                continue;
            }
            let mut is_whole = true;
            for file in found {
                match glob::read(&file) {
                    Ok(bytes) => self.deeper(place, &file.to_string_lossy(), |reader| reader.text(&file, &bytes))?,
                    Err(error) if error.kind() == Some(io::ErrorKind::NotFound) => {
                        is_whole = false;
                        self.unread(place, &format!("`{}` is not there", file.display()))?;
                    }
                    Err(error) => {
                        is_whole = false;
                        self.unreadable(place, &format!("`{}` cannot be read: {error}", file.display()), &error)?;
                    }
                }
            }
            return Ok(is_whole);
        }
        if is_optional {
            return Ok(true);
        }
        self.unread(place, &failure)?;
        Ok(false)
    }

    /// Tells of a file that is there, and may say anything: who may come in, for one.
    fn unreadable(&mut self, place: &Place, failure: &str, error: &ReadError) -> Result<(), ReadStop> {
        let remedy = stop::remedy(error);
        if self.options.missing_include == MissingInclude::Error {
            return Err(ReadStop::new(place, format!("Include: {failure}"), remedy));
        }
        let what = format!("Include: {failure}: what it says is not carried over, and may be who may come in");
        self.report.add(place, Severity::Refused, what, Some(remedy));
        Ok(())
    }

    /// Tells of a file that is not there.
    fn unread(&mut self, place: &Place, failure: &str) -> Result<(), ReadStop> {
        let remedy =
            "give the folder that it is in: `--server-root`; or import what `apachectl -t -D DUMP_CONFIG` prints";
        if self.options.missing_include == MissingInclude::Error {
            return Err(ReadStop::new(place, format!("Include: {failure}"), remedy));
        }
        let is_guarded = self.growth.around().iter().any(|section| GUARDED.iter().any(|guarded| section.is(guarded)));
        let (severity, why) = if is_guarded {
            (Severity::Refused, "it may say who may come in")
        } else {
            (Severity::Changed, "what it says is not carried over")
        };
        self.report.add(place, severity, format!("Include: {failure}: {why}"), Some(remedy));
        Ok(())
    }
}
