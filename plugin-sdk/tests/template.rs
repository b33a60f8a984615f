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
