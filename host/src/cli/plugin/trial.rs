//! With what a plugin is tried: what its `[plugin]` section would say, as options of a command.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::config::{
    Allow, ByteSize, CAPABILITIES, HumanDuration, LEAST_PLUGIN_MEMORY, MOST_PLUGIN_MEMORY, long_plugin_deadline,
};
use crate::diagnose::list;
use crate::files;
use crate::workbench::PluginLimits;

/// As in `[plugin.NAME]`; what is left out has the same default.
#[derive(Debug, Args)]
pub(super) struct TrialArguments {
    /// Its own configuration, as the gateway would hand it over: JSON, or @FILE to read it from a file
    #[arg(long, value_name = "JSON|@FILE", value_parser = json)]
    pub(super) config: Option<Value>,
    /// Memory of one instance, e.g. 64MiB (the default)
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<usize>,
    /// Longest time of a call, e.g. 20ms (the default)
    #[arg(long, value_name = "TIME", value_parser = deadline)]
    deadline: Option<Duration>,
    /// Capabilities that are granted, e.g. log,request; "" for none. Without it all are
    #[arg(long, value_name = "NAMES", value_parser = allow)]
    allow: Option<Allow>,
}

impl TrialArguments {
    /// The limits, as the gateway would have them from the configuration.
    pub(super) fn limits(&self) -> PluginLimits {
        let usual = PluginLimits::default();
        PluginLimits {
            memory: self.memory.unwrap_or(usual.memory),
            deadline: self.deadline.unwrap_or(usual.deadline),
            allow: self.allow.clone().unwrap_or(usual.allow),
        }
    }

    /// What the gateway warns of in the same settings: one sentence each.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.deadline.and_then(long_plugin_deadline).into_iter().collect()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let long = TrialArguments { config: None, memory: None, deadline: deadline("1h").ok(), allow: None };
        assert!(long.warnings()[0].contains("longer than 1s"), "{:?}", long.warnings());
        assert!(allow("logs").unwrap_err().contains("`logs`"));
    }
}
