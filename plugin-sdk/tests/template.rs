//! What newcomers copy compiles and works: the template of `tidegate plugin new`, and the README's excerpt of it.

#[path = "../templates/rust/balancer/src/lib.rs"]
mod balancer;
#[path = "../templates/rust/rewriter/src/lib.rs"]
mod rewriter;
#[path = "../templates/rust/router/src/lib.rs"]
mod router;

const TEMPLATE: &str = include_str!("../templates/rust/balancer/src/lib.rs");
const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_shows_the_template() {
    let shown = TEMPLATE.split("#[cfg(test)]").next().unwrap().trim_end();

    assert!(
        README.contains(&format!("```rust\n{shown}\n```")),
        "README.md must show plugin-sdk/templates/rust/balancer/src/lib.rs"
    );
}

#[test]
fn the_template_is_written_against_the_sdk_of_this_workspace() {
    let workspace = include_str!("../../Cargo.toml");
    let sdk = include_str!("../templates/rust/all/sdk/Cargo.toml");
    let derive = include_str!("../templates/rust/all/sdk/derive/Cargo.toml");
    let versions = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ="))).unwrap().to_owned();
        line.split('#').next().unwrap().trim().to_owned()
    };

    for (manifest, names) in [(sdk, &["wit-bindgen", "serde"][..]), (derive, &["syn", "quote", "proc-macro2"])] {
        for name in names {
            assert_eq!(versions(manifest, name), versions(workspace, name), "{name}");
        }
    }
}

#[test]
fn the_template_locks_the_versions_that_this_workspace_is_tested_with() {
    fn packages(lock: &str) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for package in lock.split("[[package]]").skip(1) {
            let of = |key: &str| package.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim_matches('"');
            found.push((of("name = "), of("version = ")));
        }
        found
    }
    let workspace = packages(include_str!("../../Cargo.lock"));

    let template = packages(include_str!("../templates/rust/all/Cargo.lock"));

    assert!(template.contains(&("tidegate-plugin", "0.0.0-sdk")), "{template:?}");
    for package in template {
        let own = ["plugin-name", "tidegate-plugin", "tidegate-plugin-derive"].contains(&package.0);
        assert!(own || workspace.contains(&package), "{package:?} is none of the workspace's");
    }
}
