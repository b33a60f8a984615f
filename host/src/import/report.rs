//! What became of an imported configuration, line by line.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use super::tree::Place;
use crate::text::printable;

/// What became of a line that is not simply carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not carried over, and without it something does not work or is open that was not.
    Refused,
    /// Carried over as something that behaves differently in some case.
    Changed,
    /// Left out, as it means nothing here.
    Dropped,
    /// Worth knowing; nothing is lost.
    Note,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 4] = [Self::Refused, Self::Changed, Self::Dropped, Self::Note];

    /// Its word in a report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Note => "note",
        }
    }
}

/// What is said of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line.
    pub place: Place,
    /// What became of it.
    pub severity: Severity,
    /// What was found, and why it cannot stay as it is: one sentence, lower case, no full stop.
    pub what: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// Everything that is said of an imported configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Adds what is said of `place`, with what to do about it. What was said of it already is not said again.
    pub fn add(&mut self, place: &Place, severity: Severity, what: impl Into<String>, remedy: Option<&str>) {
        let remedy = remedy.map(str::to_owned);
        self.findings.push(Finding { place: place.clone(), severity, what: what.into(), remedy });
    }

    /// Adds what cannot be carried over, with what to do about it.
    pub fn refuse(&mut self, place: &Place, what: impl Into<String>, remedy: impl Into<String>) {
        self.add(place, Severity::Refused, what, Some(&remedy.into()));
    }

    /// How many findings are of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.sorted().iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether something is refused.
    #[must_use]
    pub fn is_refusing(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Refused)
    }

    /// All findings by file and line, each once; those of one line in the order in which they were added.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by(|one, other| one.place.cmp(&other.place));
        let mut sorted: Vec<&Finding> = Vec::with_capacity(findings.len());
        for finding in findings {
            let of_this_line = sorted.iter().rev().take_while(|before| before.place == finding.place);
            if !of_this_line.take(MOST_COMPARED).any(|before| *before == finding) {
                sorted.push(finding);
            }
        }
        sorted
    }

    /// A line `FILE:LINE: refused: WHAT` for each finding, and below it `  do: REMEDY`; then how many there are of each
    /// severity.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Finding { place, severity, what, remedy } in self.sorted() {
            // A string takes all that is written to it.
            let _ = writeln!(text, "{}: {}: {}", printable(&place.to_string()), severity.word(), printable(what));
            if let Some(remedy) = remedy {
                let _ = writeln!(text, "  do: {}", printable(remedy));
            }
        }
        let _ = writeln!(text, "{}", self.counts());
        text
    }

    /// One object of JSON for each finding and line: `file`, `line`, `severity`, `what`, `remedy`.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let mut text = String::new();
        for Finding { place, severity, what, remedy } in self.sorted() {
            let line = json!({
                "file": &*place.file, "line": place.line, "severity": severity, "what": what, "remedy": remedy,
            });
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// `2 refused, 0 changed, 1 dropped, 3 notes`
    fn counts(&self) -> String {
        let findings = self.sorted();
        let counts = Severity::ALL.map(|severity| {
            let count = findings.iter().filter(|finding| finding.severity == severity).count();
            let plural = if severity == Severity::Note && count != 1 { "s" } else { "" };
            format!("{count} {}{plural}", severity.word())
        });
        counts.join(", ")
    }
}

/// How many findings of a line a further one is compared with.
const MOST_COMPARED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(file: &str, line: u32) -> Place {
        Place { file: file.into(), line }
    }

    #[test]
    fn findings_come_by_file_and_line_and_each_is_said_once() {
        let mut report = Report::default();
        report.refuse(&place("b.conf", 2), "it is no target", "name another");
        report.add(&place("a.conf", 10), Severity::Note, "sent anyway", None);
        report.add(&place("a.conf", 9), Severity::Dropped, "it means nothing here", None);
        report.refuse(&place("b.conf", 2), "it is no target", "name another");

        assert_eq!(
            report.text(),
            "a.conf:9: dropped: it means nothing here\na.conf:10: note: sent anyway\n\
             b.conf:2: refused: it is no target\n  do: name another\n1 refused, 0 changed, 1 dropped, 1 note\n"
        );
        assert_eq!((report.count(Severity::Refused), report.is_refusing()), (1, true));
    }

    #[test]
    fn what_a_file_says_cannot_act_on_a_terminal() {
        let mut report = Report::default();
        report.add(&place("a\u{1b}.conf", 1), Severity::Note, "found \u{1b}[2J", None);

        assert!(!report.text().contains('\u{1b}'), "{:?}", report.text());
    }

    #[test]
    fn a_line_of_json_holds_one_finding() {
        let mut report = Report::default();
        report.refuse(&place("a.conf", 3), "a \"word\"", "leave it out");

        let line: serde_json::Value = serde_json::from_str(&report.json_lines()).unwrap();

        let expected = json!({
            "file": "a.conf", "line": 3, "severity": "refused", "what": "a \"word\"", "remedy": "leave it out",
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn nothing_found_is_said_too() {
        assert_eq!(Report::default().text(), "0 refused, 0 changed, 0 dropped, 0 notes\n");
    }
}
