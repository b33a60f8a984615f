//! Any bytes are a configuration of Apache or are refused with a line of a file and a remedy.

use std::path::Path;

use tidegate::import::{ImportOptions, Node, ReadOptions, Report, parse, translate, write};

/// A file as it is found on a machine. It names no others: what those hold is not in these bytes.
pub fn run(bytes: &[u8]) {
    if bytes.to_ascii_lowercase().windows(b"include".len()).any(|word| word == b"include") {
        return;
    }
    let mut report = Report::default();
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match parse(bytes, Path::new("fuzz.conf"), &ReadOptions::default(), &mut report) {
        Some(tree) => {
            tree.nodes.iter().for_each(|node| check(node, lines));
            let written = write(&translate(&tree, ImportOptions::default(), &mut report));
            assert!(!written.contains(|c| c != '\n' && tidegate::text::is_unseen(c)), "{written:?}");
        }
        None => assert!(report.is_refusing(), "{}", report.text()),
    }
    let findings = report.sorted();
    assert!(findings.iter().all(|finding| !finding.what.is_empty()), "{}", report.text());
}

/// Names are there, and places are within the file, unless these bytes name others.
fn check(node: &Node, lines: usize) {
    let place = node.place();
    assert!(
        &*place.file != "fuzz.conf" || usize::try_from(place.line).is_ok_and(|line| (1..=lines).contains(&line)),
        "{place}"
    );
    match node {
        Node::Directive(directive) => assert!(!directive.name.starts_with('<'), "{directive:?}"),
        Node::Section(section) => section.children.iter().for_each(|node| check(node, lines)),
    }
}
