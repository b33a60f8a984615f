//! What a new project consists of: the templates that this binary carries, filled in.
//!
//! ```text
//! templates/LANG/all/… , then templates/LANG/ROLE/… over it, then the contract ─▶ path, text
//! ```

use std::collections::BTreeMap;

use clap::ValueEnum as _;

use super::language::{Language, TemplateRole};

/// A file that this binary carries: its path, and what is in it.
type File = (&'static str, &'static str);

// TEMPLATES, SDK, DERIVE and WIT: every file of plugin-sdk/templates, src, derive/src and wit/v0.1, in order of paths.
include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The version of SDK and gateway.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Files of the contract.
pub(in super::super) fn contract() -> &'static [(&'static str, &'static str)] {
    WIT
}

/// Roles that there are templates for in `language`.
pub(super) fn roles(language: Language) -> Vec<TemplateRole> {
    let roles = TemplateRole::value_variants().iter().copied();
    roles.filter(|role| !files(language, role.name()).is_empty()).collect()
}

/// The files of a project called `name`, by their paths inside it.
pub(super) fn project(language: Language, role: TemplateRole, name: &str) -> BTreeMap<String, String> {
    let fill = |text: &str| {
        let text = text.replace("plugin-name", name).replace("plugin_name", &name.replace('-', "_"));
        text.replace("0.0.0-sdk", VERSION)
    };
    let mut project = BTreeMap::new();
    for layer in ["all", role.name()] {
        for (path, text) in files(language, layer) {
            project.insert(fill(&visible(path)), fill(text));
        }
    }
    project.extend(companions(language));
    project
}

/// What is written beside the template: the contract, and for Rust the SDK around it.
fn companions(language: Language) -> Vec<(String, String)> {
    let below = |folder: &str, files: &[File]| {
        files.iter().map(|(path, text)| (format!("{folder}/{path}"), (*text).to_owned())).collect::<Vec<_>>()
    };
    if language == Language::Rust {
        [below("sdk/src", SDK), below("sdk/derive/src", DERIVE), below("sdk/wit/v0.1", WIT)].concat()
    } else {
        below("wit", WIT)
    }
}

/// Files of one layer of a language's templates, by their paths inside it.
fn files(language: Language, layer: &str) -> Vec<File> {
    let folder = format!("{}/{layer}/", language.name());
    TEMPLATES.iter().filter_map(|(path, text)| Some((path.strip_prefix(folder.as_str())?, *text))).collect()
}

/// The path under which a file of a template is written: hidden files are not hidden among the sources.
fn visible(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix("dot-") {
        Some(name) => format!(".{name}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_templates_the_sdk_and_the_contract_is_carried() {
        fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if path.is_dir() {
                    if !["target", "node_modules", "__pycache__"].contains(&name) && !name.starts_with('.') {
                        walk(&path, root, found);
                    }
                } else if !name.ends_with(".wasm") && !name.starts_with('.') {
                    found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }

        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-sdk");
        for (folder, carried) in [("templates", TEMPLATES), ("src", SDK), ("derive/src", DERIVE), ("wit/v0.1", WIT)] {
            let mut there = BTreeSet::new();
            walk(&sdk.join(folder), &sdk.join(folder), &mut there);

            let carried: BTreeSet<_> = carried.iter().map(|(path, _)| (*path).to_owned()).collect();

            assert_eq!(carried, there, "{folder}");
        }
    }

    #[test]
    fn every_template_belongs_to_a_language_and_a_role() {
        for (path, _) in TEMPLATES {
            let mut parts = path.split('/');
            let (language, layer) = (parts.next().unwrap(), parts.next().unwrap());

            assert!(Language::from_str(language, false).is_ok(), "{path}");
            assert!(layer == "all" || TemplateRole::from_str(layer, false).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_project_gets_its_name_and_the_version() {
        let project = project(Language::Rust, TemplateRole::Balancer, "my-balancer");

        let manifest = &project["Cargo.toml"];
        assert!(manifest.contains("name = \"my-balancer\""), "{manifest}");
        let sdk = &project["sdk/Cargo.toml"];
        assert!(sdk.contains(&format!("version = \"{VERSION}\"")), "{sdk}");
    }

    #[test]
    fn every_project_says_how_to_go_on_and_nothing_stays_to_be_filled_in() {
        for language in Language::value_variants() {
            for role in roles(*language) {
                let project = project(*language, role, "my-balancer");

                for (path, text) in &project {
                    for left in ["plugin-name", "plugin_name", "0.0.0-sdk", "dot-"] {
                        assert!(!path.contains(left) && !text.contains(left), "{left} in {path} of {language:?}");
                    }
                }
                let readme = project.get("README.md").unwrap_or_else(|| panic!("{language:?} {role:?}: no README.md"));
                assert!(readme.contains("my-balancer"), "{language:?} {role:?}: {readme}");
                assert!(project.contains_key(".gitignore"), "{language:?} {role:?}: no .gitignore");
                assert!(project.contains_key("test.sh"), "{language:?} {role:?}: no test.sh");
                assert_eq!(project.contains_key("build.sh"), *language != Language::Wat, "{language:?} {role:?}");
            }
        }
    }
}
