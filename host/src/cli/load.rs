//! Reading the configuration for a person: what is wrong, and what to do about it.

use std::path::Path;
use std::process::ExitCode;

use super::terminal::{REFUSED, complain};
use crate::config::{self, Config};
use crate::diagnose::FileFaults;
use crate::gateway::{BuildError, PrepareError};
use crate::telemetry;

/// What a first file may look like.
const FIRST: &str = r#"
      [[listen]]
      address = "127.0.0.1:8080"

      [[route]]
      path = "/websocket"
      to = "ws://127.0.0.1:9000/websocket"
"#;

/// The configuration in `path`; or the exit code, once the person knows why.
pub(super) fn load(path: &Path) -> Result<Config, ExitCode> {
    loaded(path, config::load(path))
}

/// The same on a machine that lacks some of its files.
pub(super) fn load_without_files(path: &Path) -> Result<Config, ExitCode> {
    loaded(path, config::load_without_files(path))
}

fn loaded(path: &Path, config: Result<Config, FileFaults>) -> Result<Config, ExitCode> {
    let config = config.map_err(|faults| {
        if path.try_exists().is_ok_and(|exists| !exists) {
            complain(missing(path));
        } else {
            complain(faults);
        }
        ExitCode::from(REFUSED)
    })?;
    match telemetry::log::check(&config.log.level) {
        Ok(()) => Ok(config),
        Err(error) => {
            complain(format_args!("{}: [log] level: {error}", path.display()));
            Err(ExitCode::from(REFUSED))
        }
    }
}

/// Says why a gateway cannot be built.
pub(super) fn explain(path: &Path, error: &BuildError) {
    complain(explanation(path, error));
}

/// Why a gateway cannot be built, and what to do about it.
pub(super) fn explanation(path: &Path, error: &BuildError) -> String {
    let path = path.display();
    match error {
        BuildError::Prepare(PrepareError::PluginConfig { faults, .. }) => faults.to_string(),
        BuildError::Prepare(error) => {
            let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            format!("{path}: {error}{hint}")
        }
        BuildError::Admin(_) | BuildError::Heartbeat(_) | BuildError::Changes(_) => format!("{path}: {error}"),
        BuildError::System { what, source } => format!("tidegate: {what}: {source}"),
        BuildError::Runtime(source) => format!("tidegate: {error}: {source}"),
    }
}

fn missing(path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_no_folder| path.to_owned());
    let full = full.display();
    format!(
        "{full}: there is no such file\n  hint: write it, or name another: `tidegate run FILE`; the smallest that \
         serves is\n{FIRST}\n  To see a gateway at work without any file: `tidegate demo`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_is_a_good_one() {
        let config = config::parse(FIRST, Path::new("first.toml")).unwrap();

        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }

    #[test]
    fn a_missing_file_is_told_with_its_whole_path_and_the_way_on() {
        let told = missing(Path::new("tidegate.toml"));

        assert!(told.starts_with('/') && told.contains("tidegate demo"), "{told}");
    }
}
