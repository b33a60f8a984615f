//! `tidegate plugin wit`: the contract that this gateway speaks, for tools that make bindings.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::super::terminal::{REFUSED, complain, say};
use super::new::contract;

/// The first line of every file of the contract.
const PACKAGE: &str = "package tidegate:plugin@";

/// Prints the contract as one file, or writes its files into `dir`.
pub(super) fn wit(dir: Option<&Path>) -> ExitCode {
    let Some(dir) = dir else {
        say(one_file());
        return ExitCode::SUCCESS;
    };
    match write(dir) {
        Ok(()) => {
            say(format_args!("{}: {} files of the contract", dir.display(), contract().len()));
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain(message);
            ExitCode::from(REFUSED)
        }
    }
}

/// All of it as one valid file: the package is named once.
fn one_file() -> String {
    let mut text = String::new();
    for (_, file) in contract() {
        let body = if text.is_empty() { file } else { file.split_once('\n').map_or("", |(_package, rest)| rest) };
        text.push_str(body);
    }
    text.trim_end().to_owned()
}

/// Writes the files over older ones of the same contract, and over nothing else.
fn write(dir: &Path) -> Result<(), String> {
    if dir.exists() && !dir.is_dir() {
        return Err(format!("{}: expected a folder, found a file, which stays; name another folder", dir.display()));
    }
    for (name, _) in contract() {
        let at = dir.join(name);
        if at.exists() && !fs::read_to_string(&at).is_ok_and(|text| text.starts_with(PACKAGE)) {
            return Err(format!("{}: is not a file of this contract, and stays; name another folder", at.display()));
        }
    }
    let failed = |error| format!("{}: cannot be written: {error}", dir.display());
    fs::create_dir_all(dir).map_err(failed)?;
    for (name, text) in contract() {
        fs::write(dir.join(name), text).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_one_valid_file_with_everything_in_it() {
        let text = one_file();

        let mut resolve = wit_parser::Resolve::default();
        let package = resolve.push_str("tidegate.wit", &text).unwrap();
        assert!(resolve.packages[package].interfaces.len() > 10, "{text}");
        assert!(resolve.packages[package].worlds.contains_key("balancer-plugin"), "{text}");
    }

    #[test]
    fn older_files_of_the_contract_are_replaced_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let types = folder.path().join("types.wit");
        fs::write(&types, format!("{PACKAGE}0.0.1;\n")).unwrap();
        write(folder.path()).unwrap();
        assert!(fs::read_to_string(&types).unwrap().len() > 100);

        assert!(write(&types).unwrap_err().contains("expected a folder, found a file"));
        fs::write(&types, "package mine:own;\n").unwrap();
        assert!(write(folder.path()).unwrap_err().contains("types.wit"));
        assert_eq!(fs::read_to_string(&types).unwrap(), "package mine:own;\n");
    }
}
