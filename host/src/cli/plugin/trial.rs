//! With what a plugin is tried: what its `[plugin]` section would say, as options of a command.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::super::terminal::{REFUSED, complain};
use super::given::GivenFiles;
use crate::config::{
    Allow, ByteSize, CAPABILITIES, HumanDuration, LEAST_PLUGIN_MEMORY, MOST_PLUGIN_MEMORY, long_plugin_deadline,
};
use crate::diagnose::list;
use crate::files;
use crate::workbench::{CheckError, PluginLimits, RoleName, TrialSettings};

/// As in `[plugin.NAME]`; what is left out has the same default.
#[derive(Debug, Args)]
pub(super) struct TrialArguments {
    /// Its own configuration, as the gateway would hand it over: JSON, or @FILE to read it from a file
    #[arg(long, value_name = "JSON|@FILE", value_parser = json)]
    config: Option<Value>,
    /// Memory of one instance, e.g. 64MiB (the default)
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<usize>,
    /// Longest time of a call, e.g. 20ms (the default)
    #[arg(long, value_name = "TIME", value_parser = deadline)]
    deadline: Option<Duration>,
    /// Capabilities that are granted, e.g. log,request; "" for none. Without it all are
    #[arg(long, value_name = "NAMES", value_parser = allow)]
    allow: Option<Allow>,
    #[command(flatten)]
    files: GivenFiles,
    /// A cluster that a router may name, and that its configuration names; may be repeated. Without it there is one,
    /// `chat`
    #[arg(long, value_name = "NAME", value_parser = cluster)]
    cluster: Vec<String>,
}

impl TrialArguments {
    /// What the gateway would have from the configuration.
    ///
    /// # Errors
    /// If something is given twice.
    pub(super) fn settings(&self) -> Result<TrialSettings, String> {
        let usual = PluginLimits::default();
        let mut before = BTreeSet::new();
        if let Some(twice) = self.cluster.iter().find(|name| !before.insert(*name)) {
            return Err(format!("cluster `{twice}` is named twice; names do not differ by case"));
        }
        Ok(TrialSettings {
            config: self.config.clone(),
            limits: PluginLimits {
                memory: self.memory.unwrap_or(usual.memory),
                deadline: self.deadline.unwrap_or(usual.deadline),
                allow: self.allow.clone().unwrap_or(usual.allow),
            },
            table: self.files.table.clone(),
            secrets: self.files.secrets()?,
            clusters: self.cluster.clone(),
            routes: 0,
        })
    }

    /// Says why a plugin is refused that is tried with this, and what it may have missed.
    pub(super) fn refused(&self, error: &CheckError) -> ExitCode {
        let code = refused(error);
        if let CheckError::Plugin { tried_as: Some(role), .. } = error
            && let Some(remedy) = self.remedy(*role)
        {
            complain(format_args!("  hint: {remedy}"));
        }
        code
    }

    /// What a plugin that refused what it was tried with in `role` may have missed.
    fn remedy(&self, role: RoleName) -> Option<String> {
        let mut without = Vec::new();
        if self.config.is_none() {
            without.push("without a configuration (--config JSON|@FILE)");
        }
        if self.files.secret.is_empty() {
            without.push("without secrets (--secret KEY=FILE)");
        }
        if role.as_str() == "router" && self.cluster.is_empty() {
            without.push("with the one cluster `chat` (--cluster NAME, once for each that it names)");
        }
        let last = without.pop()?;
        let first = if without.is_empty() { String::new() } else { format!("{} and ", without.join(", ")) };
        Some(format!("it was tried {first}{last}"))
    }

    /// What the gateway warns of in the same settings: one sentence each.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.deadline.and_then(long_plugin_deadline).into_iter().collect()
    }
}

/// Says why nothing comes of a command.
pub(super) fn refused(why: impl std::fmt::Display) -> ExitCode {
    complain(format_args!("refused: {why}"));
    ExitCode::from(REFUSED)
}

fn json(text: &str) -> Result<Value, String> {
    let Some(path) = text.strip_prefix('@') else {
        return serde_json::from_str(text).map_err(|error| {
            let file = if Path::new(text).is_file() { format!("; that file is `@{text}`") } else { String::new() };
            format!("expected JSON, or @ and the name of a file of JSON, found: {error}{file}")
        });
    };
    let bytes = files::read(Path::new(path), files::limit::CONFIGURATION)
        .map_err(|error| format!("expected a file of JSON, found that {path} cannot be read: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("expected JSON in {path}, found: {error}"))
}

fn memory(text: &str) -> Result<usize, String> {
    let ByteSize(bytes) = text.parse().map_err(|error| format!("{error}"))?;
    if !(LEAST_PLUGIN_MEMORY..=MOST_PLUGIN_MEMORY).contains(&bytes) {
        return Err(format!("expected 64KiB to 1GiB, found {bytes} bytes; write the unit, for example 64MiB"));
    }
    usize::try_from(bytes).map_err(|error| error.to_string())
}

fn deadline(text: &str) -> Result<Duration, String> {
    let HumanDuration(time) = text.parse().map_err(|error| format!("{error}"))?;
    if time.is_zero() { Err("expected a longer time than none".to_owned()) } else { Ok(time) }
}

fn allow(text: &str) -> Result<Allow, String> {
    let names: Vec<_> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    match names.iter().find(|name| !CAPABILITIES.contains(&name.as_str())) {
        Some(unknown) => Err(format!("expected some of {}, found `{unknown}`", list(CAPABILITIES))),
        None => Ok(Allow::Only(names)),
    }
}

fn cluster(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_name = !text.is_empty() && text.chars().all(fits);
    // One that a route names directly is called by its origin.
    if !is_name && !text.contains("://") {
        return Err(format!("bad cluster name {text:?}, expected letters, digits, `-`, `_` and `.`"));
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::role_names;

    fn bare() -> TrialArguments {
        let files = GivenFiles::default();
        TrialArguments { config: None, memory: None, deadline: None, allow: None, files, cluster: Vec::new() }
    }

    #[test]
    fn what_a_refusal_may_be_for_want_of_is_said_with_the_way_to_give_it() {
        let role = |name: &str| role_names().into_iter().find(|role| role.as_str() == name).unwrap();
        let given = TrialArguments {
            config: Some(Value::Null),
            files: GivenFiles { table: None, secret: vec![("key".to_owned(), "file".into())] },
            ..bare()
        };

        for (arguments, name, said) in [
            (
                bare(),
                "router",
                Some(
                    "it was tried without a configuration (--config JSON|@FILE), without secrets (--secret KEY=FILE) and \
                     with the one cluster `chat` (--cluster NAME, once for each that it names)",
                ),
            ),
            (
                bare(),
                "balancer",
                Some(
                    "it was tried without a configuration (--config JSON|@FILE) and without secrets (--secret KEY=FILE)",
                ),
            ),
            (given, "rewriter", None),
        ] {
            assert_eq!(arguments.remedy(role(name)).as_deref(), said);
        }
    }

    #[test]
    fn clusters_are_named_as_in_the_configuration() {
        assert_eq!(cluster("Web-1.a_b").as_deref(), Ok("web-1.a_b"));
        assert_eq!(cluster("http://192.0.2.1").as_deref(), Ok("http://192.0.2.1"));
        for text in ["", "a b", "a/b"] {
            assert!(cluster(text).unwrap_err().starts_with("bad cluster name"), "{text}");
        }
        let twice = TrialArguments { cluster: vec!["a".to_owned(), "a".to_owned()], ..bare() };
        assert!(twice.settings().unwrap_err().starts_with("cluster `a` is named twice"));
    }

    #[test]
    fn values_are_read_as_in_the_configuration() {
        let here = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(memory("64MiB"), Ok(64 << 20));
        assert_eq!(deadline("20ms"), Ok(Duration::from_millis(20)));
        assert_eq!(allow("log, request"), Ok(Allow::Only(vec!["log".to_owned(), "request".to_owned()])));
        assert_eq!(allow(""), Ok(Allow::Only(Vec::new())));
        assert!(
            json(&here.path().display().to_string()).unwrap_err().contains(&format!("`@{}`", here.path().display()))
        );
        assert!(memory("64").unwrap_err().contains("found 64 bytes; write the unit"));
        assert!(json("@/nonexistent").unwrap_err().contains("/nonexistent cannot be read"));
        for refused in [memory("1KiB"), memory("2GiB"), memory("much")] {
            assert!(refused.unwrap_err().starts_with("expected"));
        }
        assert!(deadline("0s").is_err());
        let long = TrialArguments { deadline: deadline("1h").ok(), ..bare() };
        assert!(long.warnings()[0].contains("longer than 1s"), "{:?}", long.warnings());
        assert!(allow("logs").unwrap_err().contains("`logs`"));
    }
}
