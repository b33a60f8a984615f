//! Idioms of Apache's configurations, in their shortest form, and what each becomes.

mod access;
mod clusters;
mod headers;
mod listeners;
mod order;
mod pages;
mod redirects;
mod upgrades;

use std::path::Path;

use super::super::{Finding, ImportOptions, ReadOptions, Report, Severity, parse, translate, write};

/// What `apache` becomes, without comments and empty lines, and what is said of it. It is a configuration that is accepted,
/// but for files that are not there.
fn imported_with(apache: &str, options: ImportOptions) -> (String, Vec<Finding>) {
    let mut report = Report::default();
    let tree = parse(apache.as_bytes(), Path::new("site.conf"), &ReadOptions::default(), &mut report);
    let draft = translate(&tree.unwrap_or_else(|| panic!("{}", report.text())), options, &mut report);
    let text = write(&draft);
    if let Err(faults) = crate::config::parse(&text, Path::new("tidegate.toml")) {
        let faults: Vec<_> = faults.faults.iter().filter(|fault| !fault.message.contains("does not exist")).collect();
        assert!(faults.is_empty(), "not accepted: {faults:?}\n{text}");
    }
    let plain: Vec<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    (plain.join("\n"), report.sorted().into_iter().cloned().collect())
}

fn imported(apache: &str) -> (String, Vec<Finding>) {
    imported_with(apache, ImportOptions::default())
}

/// Checks what the part behind the listeners is.
fn becomes(apache: &str, expected: &str) {
    let (text, findings) = imported(apache);
    let routes = text.find("[[route]]").and_then(|at| text.get(at..)).unwrap_or_default();
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let found: Vec<_> = routes.lines().map(str::trim).collect();
    assert_eq!(found, expected, "of\n{apache}\n{findings:#?}");
}

/// Checks that something with these words is said of a line.
fn says(apache: &str, line: u32, severity: Severity, words: &str) {
    let (text, findings) = imported(apache);
    let found = findings
        .iter()
        .any(|finding| finding.place.line == line && finding.severity == severity && finding.what.contains(words));
    assert!(found, "nothing like `{words}` of line {line}:\n{findings:#?}\n{text}");
}

/// Checks that nothing is said beyond notes.
fn is_clean(apache: &str) {
    let (_text, findings) = imported(apache);
    let worse: Vec<_> = findings.iter().filter(|finding| finding.severity != Severity::Note).collect();
    assert!(worse.is_empty(), "{worse:#?}");
}
