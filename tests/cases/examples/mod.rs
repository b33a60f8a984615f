//! The worked examples of `plugin-sdk/examples`: each with the configuration that its page shows, between real sockets.

mod canary;
mod inference;
mod jwt;
mod rate_limit;
mod sticky;
mod tenant;

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::guests::example;
use tidegate_tests::{Gateway, Origin, Process, Setup};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What `plugin-sdk/examples/NAME/tidegate.toml` configures, with the files beside it, the plugin as it was built, and
/// free ports. `origins` stand for the endpoints at port 9001, 9002 and so on; `edits` are made before.
fn setup(name: &str, origins: &[&Origin], edits: &[(&str, &str)]) -> Setup {
    let folder = Path::new(ROOT).join("plugin-sdk/examples").join(name);
    let mut text = fs::read_to_string(folder.join("tidegate.toml")).unwrap();
    for (from, to) in edits {
        assert!(text.contains(from), "{name} has no {from:?}");
        text = text.replace(from, to);
    }
    for port in ["8080", "8081"] {
        text = text.replace(&format!("\"127.0.0.1:{port}\""), "\"127.0.0.1:0\"");
    }
    for (port, origin) in (9001..).zip(origins) {
        text = text.replace(&format!("127.0.0.1:{port}"), &origin.address().to_string());
    }
    let mut setup = Gateway::configure(&text);
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        setup = setup.file(file.file_name().unwrap().to_str().unwrap(), fs::read(&file).unwrap());
    }
    setup.file(&format!("{name}.wasm"), fs::read(example(name)).unwrap())
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join("plugin-sdk/examples");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

#[test]
fn every_example_has_a_case_and_a_page_that_shows_its_configuration() {
    let (cases, pages) = (Path::new(ROOT).join("tests/cases/examples"), Path::new(ROOT).join("docs/plugins/examples"));
    let index = fs::read_to_string(Path::new(ROOT).join("docs/plugins/examples.md")).unwrap();

    for folder in examples() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let page =
            fs::read_to_string(pages.join(format!("{name}.md"))).unwrap_or_else(|_| panic!("{name} has no page"));
        let config = fs::read_to_string(folder.join("tidegate.toml")).unwrap();

        assert!(page.contains(&format!("```toml\n{config}```\n")), "{name}.md does not show tidegate.toml as it is");
        assert!(index.contains(&format!("(examples/{name}.md)")), "examples.md does not lead to {name}.md");
        let case = name.replace('-', "_");
        let has_case = [format!("{case}.rs"), format!("{case}/mod.rs")].iter().any(|file| cases.join(file).is_file());
        assert!(has_case, "{name} has no case in tests/cases/examples");
    }
    assert!(!examples().is_empty());
}

#[tokio::test]
async fn nothing_is_wrong_with_the_configuration_of_any_example() {
    let keys = format!(r#"{{"keys":[{{"kty":"oct","k":"{}"}}]}}"#, "A".repeat(64));
    for folder in examples() {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let setup = setup(name, &[], &[]).file("keys.json", &keys);
        let mut process = Process::start(&["check", setup.write().to_str().unwrap()]);

        let status = process.ended().await;

        let said = process.stderr().join("\n");
        assert!(status.success() && !said.contains("warning"), "{name}: {said}");
    }
}
