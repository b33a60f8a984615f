//! What the documentation says is proven by a test, is: every test it names exists.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// Rust sources below `folder`.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// `module::test_name` in backticks, with at least two words in the name.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let tests = |span: &&str| {
        let path = span.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:".contains(&byte));
        path && span.rsplit_once("::").is_some_and(|(_, name)| name.matches('_').count() >= 2)
    };
    text.split('`').skip(1).step_by(2).filter(tests)
}

#[test]
fn every_test_that_the_documentation_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["host/src", "host/tests", "plugin-sdk", "plugins", "tests/cases"] {
        sources(&root.join(folder), &mut files);
    }
    let code: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut checked = 0;
    for page in fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(text) = fs::read_to_string(&page) else { continue };
        for test in named(&text) {
            let name = test.rsplit("::").next().unwrap();
            assert!(code.contains(&format!("fn {name}(")), "{} names `{test}`, which is not there", page.display());
            checked += 1;
        }
    }

    assert!(checked > 20, "only {checked} names were found: are they still written in backticks?");
}

#[test]
fn every_way_to_end_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let code = fs::read_to_string(root.join("host/src/telemetry/access/ending.rs")).unwrap();
    let page = fs::read_to_string(root.join("docs/admin.md")).unwrap();
    let table = page.split("| `ending` | of what |").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let words: Vec<_> = code.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next()).collect();

    let missing: Vec<_> = words.iter().filter(|word| !table.contains(&format!("`{word}`"))).collect();

    assert!(words.len() > 20, "only {words:?} were found");
    assert!(missing.is_empty(), "docs/admin.md does not explain {missing:?}");
}

#[test]
fn every_table_is_whole_and_its_rows_have_as_many_cells_as_its_head() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = vec![root.join("README.md")];
    pages_below(&root.join("docs"), &mut pages);
    let wrong: Vec<_> = pages.iter().flat_map(|page| broken_tables(page)).collect();

    assert!(pages.len() > 50, "the pages must be there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn pages_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            pages_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            into.push(path);
        }
    }
}

/// What is wrong with the tables of a page, outside of code: a paragraph with a table in it must be all table.
fn broken_tables(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let (mut paragraph, mut is_code, mut wrong): (Vec<(usize, &str)>, _, _) = (Vec::new(), false, Vec::new());
    for (number, line) in text.lines().chain([""]).enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if !is_code && !line.trim().is_empty() {
            paragraph.push((number + 1, line.trim()));
            continue;
        }
        let rows = std::mem::take(&mut paragraph);
        let Some((begin, head)) = rows.first().filter(|_| rows.iter().any(|(_, line)| line.starts_with('|'))) else {
            continue;
        };
        let fault = |line: usize, what: &str| format!("{}:{line}: {what}", page.display());
        let is_rule = |line: &str| line.contains("---") && line.chars().all(|c| "|-: ".contains(c));
        if !rows.get(1).is_some_and(|(_, line)| is_rule(line)) {
            wrong.push(fault(*begin, "a table begins with its head and a line of dashes"));
        }
        for (line, row) in &rows {
            if !row.starts_with('|') {
                wrong.push(fault(*line, "no row of the table it stands in: an empty line is missing"));
            } else if cells(row) != cells(head) {
                wrong.push(fault(*line, "as many cells as the head has are expected"));
            }
        }
    }
    wrong
}

/// Bars that part cells: within code a bar is written `\\|`, too.
fn cells(row: &str) -> usize {
    row.matches('|').count() - row.matches("\\|").count()
}
