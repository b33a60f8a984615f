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
