//! What the pages for those who come from nginx and HAProxy say to write is taken, and so is what is said of applications:
//! every key of their tables, and the configurations that they begin with.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot read the pages has failed"
)]

use std::fs;
use std::path::Path;

use tidegate::config;
use toml::{Table, Value};

/// What the keys of a table stand in: a listener with TLS and one without, a route to a cluster.
const AROUND: &str = r#"
[[listen]]
address = "127.0.0.1:8080"

[[listen]]
address = "127.0.0.1:8443"
tls = { certificate = "cert.pem", key = "key.pem" }

[[route]]
path = "/used"
to = "balancer://app/used"

[[route]]
path = "/app"
to = "balancer://app/app"

[cluster.app]
endpoints = ["http://10.0.0.1:8080"]
"#;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// What is wrong with a configuration, warnings of unlikely combinations included; not that its files are not here.
fn faults(text: &str) -> Vec<String> {
    match config::parse_without_files(text, Path::new("tidegate.toml")) {
        Ok(config) => {
            let warnings = config.warnings.iter().map(ToString::to_string);
            warnings.filter(|warning| !warning.contains("does not exist")).collect()
        }
        Err(faults) => vec![faults.to_string()],
    }
}

/// Code of the form `[section] key = value, key = value` in all columns of tables but the first, which is about another
/// program: the section, and its keys.
fn told(page: &str) -> Vec<(&str, Table)> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.flat_map(|row| row.split(" | ").skip(1));
    let code = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let keys = code.filter_map(|code| {
        let (section, keys) = code.strip_prefix('[')?.split_once("] ")?;
        let keys: Table =
            toml::from_str(&format!("keys = {{ {keys} }}")).unwrap_or_else(|error| panic!("{code}: {error}"));
        Some((section.trim_matches(['[', ']']), keys["keys"].as_table().unwrap().clone()))
    });
    keys.collect()
}

/// [`AROUND`] with these keys in that section.
fn with(section: &str, keys: &Table) -> String {
    let mut all: Table = toml::from_str(AROUND).unwrap();
    let place = match section {
        "listen" => all[section].as_array_mut().unwrap().first_mut().unwrap().as_table_mut().unwrap(),
        "route" => all[section].as_array_mut().unwrap().last_mut().unwrap().as_table_mut().unwrap(),
        "cluster.app" => all["cluster"]["app"].as_table_mut().unwrap(),
        _ => all.entry(section).or_insert_with(|| Value::Table(Table::new())).as_table_mut().unwrap(),
    };
    // Of these there is one.
    if ["redirect", "respond"].iter().any(|key| keys.contains_key(*key)) {
        place.remove("to");
    }
    if keys.contains_key("path_regex") {
        place.remove("path");
    }
    place.extend(keys.clone());
    toml::to_string(&all).unwrap()
}

#[test]
fn every_key_that_stands_for_one_of_another_program_is_taken() {
    for (name, least) in [("nginx.md", 50), ("haproxy.md", 50), ("recipes.md", 10)] {
        let page = page(name);
        let told = told(&page);

        let wrong = told.iter().flat_map(|(section, keys)| {
            let faults = faults(&with(section, keys));
            faults.into_iter().map(move |fault| format!("{name}: [{section}] {keys:?}: {fault}"))
        });
        let wrong: Vec<_> = wrong.collect();

        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(
            told.len() > least,
            "only {} keys of {name} were found: are they still written as `[section] key`?",
            told.len()
        );
    }
}

#[test]
fn the_configurations_that_pages_begin_with_are_good() {
    for name in ["nginx.md", "haproxy.md"] {
        let page = page(name);
        let blocks: Vec<_> = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();

        for block in &blocks {
            assert_eq!(faults(block), Vec::<String>::new(), "{name}:\n{block}");
        }

        assert!(!blocks.is_empty(), "{name}");
    }
}
