//! `tidegate plugin new --refresh`: the contract of a project, and the SDK around it, as this gateway has them.
//!
//! What an author writes is not touched. The folder `sdk` is written as a whole; `wit` holds the author's own world too,
//! so that only the contract's files are written there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use super::super::super::terminal::{REFUSED, complain, say};
use super::language::{Language, TemplateRole};
use super::{files, template};

/// Holds what is about to be put into place.
const STAGE: &str = ".tidegate-refresh";

/// What stands beside a project's own sources.
struct Companion {
    folder: &'static str,
    /// Shows that it is there.
    sign: &'static str,
    language: Language,
}

const COMPANIONS: [Companion; 2] = [
    Companion { folder: "sdk", sign: "sdk/wit/v0.1/worlds.wit", language: Language::Rust },
    Companion { folder: "wit", sign: "wit/worlds.wit", language: Language::C },
];

/// Writes the `sdk` of the project in `dir`, or the contract in its `wit`, anew.
pub(in super::super) fn refresh(dir: &Path) -> ExitCode {
    match rewrite(dir) {
        Ok(folder) => {
            let what = if folder == "sdk" { "sdk/ is that" } else { "the contract's files in wit/ are those" };
            let version = env!("CARGO_PKG_VERSION");
            say(format_args!(
                "{}: {what} of tidegate {version} now, and nothing else was touched. Next:\n  sh test.sh",
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

/// The folder that was written into.
fn rewrite(dir: &Path) -> Result<&'static str, String> {
    let found = COMPANIONS.into_iter().find(|companion| dir.join(companion.sign).is_file());
    let Some(Companion { folder, language, .. }) = found else {
        let signs = COMPANIONS.map(|companion| companion.sign).join(" or ");
        return Err(format!(
            "{}: expected a project of `tidegate plugin new`, found neither {signs}; name the folder that the project \
             is in",
            dir.display()
        ));
    };
    let written = template::project(language, TemplateRole::Balancer, "plugin");
    let inside =
        |(path, text): (String, String)| Some((path.strip_prefix(folder)?.strip_prefix('/')?.to_owned(), text));
    let written = written.into_iter().filter_map(inside).collect();
    let failed = |error: io::Error| format!("{}: cannot be written: {error}", dir.join(folder).display());
    // A link stays one: what it leads to is written.
    let target = fs::canonicalize(dir.join(folder)).map_err(failed)?;
    let stage = target.with_file_name(STAGE);
    fs::create_dir(&stage).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{}: is in the way, and nothing was written; move or remove it", stage.display())
        }
        _ => failed(error),
    })?;
    let put = if folder == "sdk" { replace } else { overwrite };
    let done = put(&stage, &target, &written);
    let cleared = fs::remove_dir_all(&stage);
    done.and(cleared).map_err(failed)?;
    Ok(folder)
}

/// Puts a folder of `written` in place of `target`. It is whole before the old one goes: a full disk leaves the old one.
fn replace(stage: &Path, target: &Path, written: &BTreeMap<String, String>) -> io::Result<()> {
    let (whole, before) = (stage.join("whole"), stage.join("before"));
    files::write(&whole, written)?;
    fs::rename(target, &before)?;
    fs::rename(&whole, target).inspect_err(|_| drop(fs::rename(&before, target)))
}

/// Puts the files of `written` into `target`, once all are whole, and leaves what else is there.
fn overwrite(stage: &Path, target: &Path, written: &BTreeMap<String, String>) -> io::Result<()> {
    files::write(stage, written)?;
    written.keys().try_for_each(|path| fs::rename(stage.join(path), target.join(path)))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

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
    fn the_contract_of_every_language_is_written_anew_and_the_rest_stays() {
        for language in Language::value_variants().iter().filter(|language| **language != Language::Rust) {
            for role in template::roles(*language) {
                let folder = tempfile::tempdir().unwrap();
                let project = template::project(*language, role, "mine");
                files::write(folder.path(), &project).unwrap();
                fs::write(folder.path().join("wit/types.wit"), "old").unwrap();
                fs::write(folder.path().join("wit/own.wit"), "mine").unwrap();

                assert_eq!(rewrite(folder.path()), Ok("wit"));

                for (path, text) in &project {
                    let found = fs::read_to_string(folder.path().join(path));
                    assert_eq!(found.ok().as_ref(), Some(text), "{path} of {language:?} {role:?}");
                }
                assert_eq!(fs::read_to_string(folder.path().join("wit/own.wit")).unwrap(), "mine");
                assert!(!folder.path().join(STAGE).exists());
            }
        }
    }

    #[test]
    fn a_linked_companion_stays_linked() {
        for (language, companion, file) in
            [(Language::Zig, "wit", "wit/types.wit"), (Language::Rust, "sdk", "sdk/wit/v0.1/types.wit")]
        {
            let folder = tempfile::tempdir().unwrap();
            let at = |path: &str| folder.path().join(path);
            files::write(&at("p"), &template::project(language, TemplateRole::Balancer, "mine")).unwrap();
            fs::create_dir(at("shared")).unwrap();
            fs::rename(at("p").join(companion), at("shared").join(companion)).unwrap();
            std::os::unix::fs::symlink(at("shared").join(companion), at("p").join(companion)).unwrap();
            fs::write(at("shared").join(file), "old").unwrap();

            assert_eq!(rewrite(&at("p")), Ok(companion));

            assert!(at("p").join(companion).is_symlink());
            assert!(fs::read_to_string(at("shared").join(file)).unwrap().contains("record endpoint"));
        }
    }

    #[test]
    fn what_is_in_the_way_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        files::write(folder.path(), &template::project(Language::C, TemplateRole::Balancer, "mine")).unwrap();
        fs::write(folder.path().join("wit/types.wit"), "old").unwrap();
        fs::create_dir(folder.path().join(STAGE)).unwrap();
        fs::write(folder.path().join(STAGE).join("kept"), "mine").unwrap();

        let message = rewrite(folder.path()).unwrap_err();

        assert!(message.contains("is in the way"), "{message}");
        assert_eq!(fs::read_to_string(folder.path().join(STAGE).join("kept")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(folder.path().join("wit/types.wit")).unwrap(), "old");
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
