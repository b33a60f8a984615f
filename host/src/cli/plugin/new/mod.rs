//! `tidegate plugin new`: a project to begin with, in one of ten languages.
//!
//! The contract is written beside the plugin, and for Rust the SDK: a project builds with the very contract that this
//! gateway speaks.

mod files;
mod language;
mod name;
mod refresh;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum as _;

pub(in crate::cli) use language::{Language, LanguageParser, TemplateRole};
pub(super) use refresh::refresh;
pub(super) use template::contract;

use super::super::terminal::{REFUSED, complain, say};
use crate::gateway;

/// Writes a project into `dir`, which must be new or empty.
pub(super) fn new(dir: &Path, language: Language, roles: &[TemplateRole]) -> ExitCode {
    match prepare(dir, language, roles).and_then(|project| project.write(dir)) {
        Ok(next) => {
            say(next);
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain(message);
            ExitCode::from(REFUSED)
        }
    }
}

/// All that can be refused has been looked at.
struct Project {
    name: String,
    language: Language,
    role: TemplateRole,
    files: BTreeMap<String, String>,
}

/// Decides what to write. Writes nothing.
fn prepare(dir: &Path, language: Language, roles: &[TemplateRole]) -> Result<Project, String> {
    let role = match roles {
        [] => TemplateRole::Balancer,
        [role] => *role,
        [first, second, ..] => {
            return Err(format!(
                "expected one role, found `{}` and `{}`: a project is begun with one; begin two",
                first.name(),
                second.name()
            ));
        }
    };
    let name = name::plugin_name(dir)?;
    if !template::roles(language).contains(&role) {
        let others = Language::value_variants().iter().filter(|other| template::roles(**other).contains(&role));
        let others = others.map(|other| other.name()).collect::<Vec<_>>().join(", ");
        return Err(format!(
            "there is no template of a {role} in {}; expected --lang with one of {others}, or write it by hand: \
             docs/plugins/abi.md has the layouts, and the template of a balancer shows how they are used",
            language.name(),
            role = role.name()
        ));
    }
    vacant(dir)?;
    let files = template::project(language, role, &name);
    Ok(Project { name, language, role, files })
}

/// Refuses a place where something is already, or that has no folder around it.
fn vacant(dir: &Path) -> Result<(), String> {
    let shown = dir.display();
    match fs::read_dir(dir).map(Iterator::count) {
        Ok(0) => Ok(()),
        Ok(_) => Err(format!("{shown}: is not empty; name a folder that does not exist yet")),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(format!("{shown}: a file is in the way; name a folder that does not exist yet"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_something(dir) => {
            Err(format!("{shown}: is a link that leads nowhere; remove it, or name a folder that does not exist yet"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => match dir.parent() {
            Some(parent) if parent != Path::new("") && !parent.is_dir() => {
                Err(format!("{shown}: there is no folder {} to put it in; make that first", parent.display()))
            }
            _ => Ok(()),
        },
        Err(error) => Err(format!("{shown}: cannot be read: {error}")),
    }
}

/// Whether anything is called so, a link that leads nowhere included, with `/` after it or without.
fn is_something(dir: &Path) -> bool {
    fs::symlink_metadata(dir.components().as_path()).is_ok()
}

impl Project {
    /// Writes the files, all or none, and says what comes next.
    fn write(&self, dir: &Path) -> Result<String, String> {
        let made = !is_something(dir);
        if let Err(error) = files::write(dir, &self.files) {
            remove(dir, made, &self.files);
            return Err(format!("{}: cannot be written: {error}", dir.display()));
        }
        Ok(self.next(dir))
    }

    fn next(&self, dir: &Path) -> String {
        let (name, language, role) = (&self.name, self.language.name(), self.role.name());
        let shown = dir.display();
        let mut lines =
            vec![format!("{shown}: a {role} in {language}. Next:"), format!("  cd {}", quoted(&shown.to_string()))];
        lines.push("  sh test.sh".to_owned());
        let file = if self.language == Language::Wat {
            format!("{name}.wat")
        } else {
            lines.push(format!("  sh build.sh                      # makes {name}.wasm"));
            format!("{name}.wasm")
        };
        lines.push(format!("  tidegate plugin check {file}"));
        lines.push("  tidegate plugin dev .            # builds on every change, and swaps it in".to_owned());
        if gateway::shipped(name).is_some() {
            lines.push(format!(
                "`{name}` is also the name of a plugin that ships: [plugin.{name}] takes its place wherever `{name}` is \
                 named. To have both, begin under another name"
            ));
        }
        if let Some(remedy) = self.language.missing() {
            lines.push(format!("Before that: {remedy}"));
        }
        lines.join("\n")
    }
}

/// Takes back what was written, as far as that is possible.
fn remove(dir: &Path, made: bool, files: &BTreeMap<String, String>) {
    if made {
        let _best_effort = fs::remove_dir_all(dir);
        return;
    }
    for top in files.keys().filter_map(|path| path.split('/').next()) {
        let top = dir.join(top);
        let _best_effort = if top.is_dir() { fs::remove_dir_all(top) } else { fs::remove_file(top) };
    }
}

/// `path` as one word of a shell's command line.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+~".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(dir: &Path, language: Language, roles: &[TemplateRole]) -> String {
        prepare(dir, language, roles).err().unwrap()
    }

    #[test]
    fn a_name_that_ships_is_taken_with_a_word_of_warning() {
        let next = |name: &str| prepare(Path::new(name), Language::Wat, &[]).unwrap().next(Path::new(name));

        assert!(next("bybusyness").contains("also the name of a plugin that ships"));
        assert!(!next("my-balancer").contains("ships"));
    }

    #[test]
    fn two_roles_are_refused() {
        let message = refused(Path::new("x"), Language::Rust, &[TemplateRole::Balancer, TemplateRole::Router]);

        assert!(message.contains("`balancer` and `router`"), "{message}");
    }

    #[test]
    fn a_place_that_is_taken_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("full/inside")).unwrap();
        fs::write(at("file"), "mine").unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("link")).unwrap();

        for (dir, expected) in [
            ("full", "not empty"),
            ("file", "a file is in the way"),
            ("no/such", "no folder"),
            ("link", "leads nowhere"),
            ("link/", "leads nowhere"),
        ] {
            let message = refused(&at(dir), Language::Rust, &[]);
            assert!(message.contains(expected), "{message}");
        }

        assert_eq!(fs::read(at("file")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(at("full")).unwrap().count(), 1);
        assert!(!at("no").exists());
        assert_eq!(fs::read_link(at("link")).unwrap(), at("nowhere"));
    }

    #[test]
    fn an_empty_folder_is_filled_and_emptied_again_if_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let files = BTreeMap::from([("a/b".to_owned(), String::new()), ("a/b/c".to_owned(), String::new())]);
        let project = Project { name: "x".to_owned(), language: Language::Wat, role: TemplateRole::Balancer, files };

        let message = project.write(folder.path()).unwrap_err();

        assert!(message.contains("cannot be written"), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays of half a project");
    }

    #[test]
    fn folders_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("a/b-c"), "a/b-c");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
    }
}
