//! `tidegate plugin new --refresh`: the contract of a project, and the SDK around it, as this gateway has them.
//!
//! What an author writes is not touched: only the folders `sdk` and `wit` are, each as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::super::super::terminal::{REFUSED, complain, say};
use super::language::{Language, TemplateRole};
use super::{files, template};

/// What stands beside a project's own sources, by what shows that it is there.
const COMPANIONS: [(&str, &str, Language); 2] =
    [("sdk", "sdk/wit/v0.1/worlds.wit", Language::Rust), ("wit", "wit/worlds.wit", Language::C)];

/// Writes the `sdk` or `wit` of the project in `dir` anew.
pub(in super::super) fn refresh(dir: &Path) -> ExitCode {
    match rewrite(dir) {
        Ok(folder) => {
            let version = env!("CARGO_PKG_VERSION");
            say(format_args!(
                "{}: {folder}/ is that of tidegate {version} now, and nothing else was touched. Next:\n  sh test.sh",
                dir.display()
            ));
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain(message);
            ExitCode::from(REFUSED)
        }
    }
}

/// The folder that was written.
fn rewrite(dir: &Path) -> Result<&'static str, String> {
    let found = COMPANIONS.into_iter().find(|(_, sign, _)| dir.join(sign).is_file());
    let Some((folder, _, language)) = found else {
        let signs = COMPANIONS.map(|(_, sign, _)| sign).join(" or ");
        return Err(format!(
            "{}: expected a project of `tidegate plugin new`, found neither {signs}; name the folder that the project \
             is in",
            dir.display()
        ));
    };
    let mut written = template::project(language, TemplateRole::Balancer, "plugin");
    written.retain(|path, _| path.split('/').next() == Some(folder));
    replace(dir, folder, &written)
        .map_err(|error| format!("{}: cannot be written: {error}", dir.join(folder).display()))?;
    Ok(folder)
}

/// The new folder is whole before the old one goes: a full disk leaves the old one.
fn replace(dir: &Path, folder: &str, written: &BTreeMap<String, String>) -> io::Result<()> {
    let made = dir.join(".tidegate-refresh");
    let done = files::write(&made, written).and_then(|()| {
        let before = made.join("before");
        fs::rename(dir.join(folder), &before)?;
        fs::rename(made.join(folder), dir.join(folder)).inspect_err(|_| drop(fs::rename(&before, dir.join(folder))))
    });
    let cleared = fs::remove_dir_all(&made);
    done.and(cleared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_written_anew_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        files::write(folder.path(), &template::project(Language::Rust, TemplateRole::Router, "mine")).unwrap();
        fs::write(at("src/lib.rs"), "mine").unwrap();
        fs::write(at("sdk/src/lib.rs"), "old").unwrap();
        fs::write(at("sdk/wit/v0.1/gone.wit"), "old").unwrap();

        assert_eq!(rewrite(folder.path()), Ok("sdk"));

        assert_eq!(fs::read_to_string(at("src/lib.rs")).unwrap(), "mine");
        assert!(fs::read_to_string(at("sdk/src/lib.rs")).unwrap().contains("export_balancer!"));
        assert!(at("sdk/derive/src/lib.rs").is_file() && at("sdk/derive/Cargo.toml").is_file());
        assert!(!at("sdk/wit/v0.1/gone.wit").exists(), "what an earlier version had is no part of this one");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".tidegate")), "{left:?}");
    }

    #[test]
    fn the_contract_beside_other_languages_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        files::write(folder.path(), &template::project(Language::Zig, TemplateRole::Balancer, "mine")).unwrap();
        fs::write(folder.path().join("wit/types.wit"), "old").unwrap();

        assert_eq!(rewrite(folder.path()), Ok("wit"));

        assert!(fs::read_to_string(folder.path().join("wit/types.wit")).unwrap().contains("record endpoint"));
    }

    #[test]
    fn a_folder_that_is_no_project_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sdk")).unwrap();

        let message = rewrite(folder.path()).unwrap_err();

        assert!(message.contains("plugin new") && message.contains("worlds.wit"), "{message}");
        assert_eq!(fs::read_dir(folder.path().join("sdk")).unwrap().count(), 0);
    }
}
