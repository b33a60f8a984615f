//! Which lines the log takes: levels, targets of this program, names of plugins.
//!
//! A target is where in the program a line comes from, a plugin's name is a value in it. So a directive with such a name
//! is kept apart: whoever writes the plugin's lines asks for its level, and marks what passes.

use std::sync::OnceLock;

use tracing::Metadata;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter, ParseError, filter_fn};
use tracing_subscriber::layer::Filter;

/// Libraries that are silent unless the filter names them: each line would be one that a peer causes, as often as it
/// likes. What it does wrong is counted, and logged by this program, once a second at most.
const SILENT: [&str; 3] = ["h2", "rustls", "rustls_platform_verifier"];

/// Name of an event that has passed the level of its own plugin, and is asked for nothing else.
pub const OWN_LEVEL: &str = "line of a plugin with a level of its own";

/// First segments of targets: crates of this program that say something.
const CRATES: [&str; 28] = [
    "cranelift_codegen",
    "cranelift_frontend",
    "h2",
    "hickory_net",
    "hickory_proto",
    "hickory_resolver",
    "jni",
    "log",
    "mio",
    "notify",
    "pulley_interpreter",
    "regalloc2",
    "rustls",
    "rustls_platform_verifier",
    "tidegate",
    "tokio_tungstenite",
    "tracing",
    "tracing_core",
    "tracing_log",
    "tracing_serde",
    "tracing_subscriber",
    "tungstenite",
    "wasmtime",
    "wasmtime_environ",
    "wasmtime_internal_cranelift",
    "wasmtime_internal_unwinder",
    "wit_component",
    "wit_parser",
];

/// Why a filter is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// It has a word that is neither a level nor `target=level`.
    #[error(
        "unknown log level `{word}` (expected trace, debug, info, warn, error or off, or NAME=LEVEL with a target or a \
         plugin)"
    )]
    Level {
        /// As written.
        word: String,
    },
    /// It cannot be read.
    #[error("log level `{filter}` cannot be read")]
    Syntax {
        /// As written.
        filter: String,
        /// What is wrong.
        #[source]
        source: ParseError,
    },
}

/// Levels by name: of plugins, if there are any of these names.
type NameLevels = Vec<(String, LevelFilter)>;

/// The levels of the log that was started.
static LEVELS: OnceLock<NameLevels> = OnceLock::new();

/// The level of a plugin's lines, if the log's filter names the plugin: the last directive with its name.
#[must_use]
pub fn level_of(plugin: &str) -> Option<LevelFilter> {
    find(LEVELS.get()?, plugin)
}

/// Names in `filter` that are neither targets of this program nor `plugins`.
#[must_use]
pub fn unknown_names<'a>(filter: &str, plugins: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let names = words(filter).filter_map(|word| word.split_once('=').map(|(name, _)| name.trim()));
    let unknown = names.filter(|name| {
        let target = name.split(['[', ':']).next().unwrap_or_default();
        !target.is_empty() && !CRATES.contains(&target) && !plugins.clone().any(|plugin| plugin == *name)
    });
    unknown.map(str::to_owned).collect()
}

/// A filter that was read.
pub(super) struct LogFilter {
    targets: EnvFilter,
    named: NameLevels,
}

impl LogFilter {
    /// Reads `filter`.
    pub(super) fn parse(filter: &str) -> Result<Self, FilterError> {
        if let Some(word) = words(filter).find(|word| !is_whole(word)) {
            return Err(FilterError::Level { word: word.to_owned() });
        }
        let named: NameLevels = words(filter).filter_map(named).collect();
        let is_named = |library: &str| words(filter).any(|word| target_crate(word) == library);
        let silent = SILENT.iter().filter(|library| !is_named(library)).map(|library| format!("{library}=off"));
        let targets: Vec<String> = silent.chain(words(filter).filter(is_target).map(str::to_owned)).collect();
        let targets = EnvFilter::try_new(targets.join(","))
            .map_err(|source| FilterError::Syntax { filter: filter.to_owned(), source })?;
        Ok(Self { targets, named })
    }

    /// Puts the levels of plugins in force, for the rest of the process, and returns what decides on everything else.
    pub(super) fn start(self) -> impl Filter<Registry> + Send + Sync {
        let most = self.named.iter().map(|(_, level)| *level).max().unwrap_or(LevelFilter::OFF);
        let passed = filter_fn(move |event: &Metadata<'_>| event.name() == OWN_LEVEL && *event.level() <= most)
            .with_max_level_hint(most);
        // Only one log is ever started.
        let _ = LEVELS.set(self.named);
        self.targets.or(passed)
    }
}

fn words(filter: &str) -> impl Iterator<Item = &str> + Clone {
    filter.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// The crate that a directive names; all of a directive that names none.
fn target_crate(word: &str) -> &str {
    word.split(['=', '[', ':']).next().unwrap_or(word).trim()
}

/// Whether a directive has all its parts. `tracing` takes a lone word for a target, so a misspelt level would silence
/// everything; and no level behind `=` for an error.
fn is_whole(word: &str) -> bool {
    match word.rsplit_once('=') {
        Some((name, level)) => !name.trim().is_empty() && !level.trim().is_empty(),
        None => word.contains('[') || word.parse::<LevelFilter>().is_ok(),
    }
}

/// What may be the name of a plugin, and its level.
fn named(word: &str) -> Option<(String, LevelFilter)> {
    let (name, level) = word.rsplit_once('=')?;
    let level = level.trim().parse().ok()?;
    let name = name.trim();
    (!name.is_empty() && !name.contains(['[', ':'])).then(|| (name.to_owned(), level))
}

/// Whether a word can be meant for targets: all but names that no target can have.
fn is_target(word: &&str) -> bool {
    named(word).is_none_or(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn find(named: &NameLevels, plugin: &str) -> Option<LevelFilter> {
    named.iter().rev().find(|(name, _)| name == plugin).map(|(_, level)| *level)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tracing::{Level, event};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, fmt};

    use super::*;
    use crate::telemetry::captured::CapturedLog;

    #[test]
    fn levels_targets_and_plugins_are_taken() {
        for filter in [
            "info",
            "WARN",
            "warn,tidegate=error",
            "off",
            "info,tidegate::proxy=debug",
            "tidegate=trace",
            "",
            "warn,my-plugin=debug",
            "warn, my.plugin v2 = debug",
            "warn,[{plugin}]=debug",
        ] {
            assert!(LogFilter::parse(filter).is_ok(), "{filter} is a filter");
        }
    }

    #[test]
    fn libraries_that_speak_with_peers_are_heard_where_they_are_named() {
        let heard = |filter: &str| {
            let log = CapturedLog::default();
            let lines = fmt::layer().with_writer(log.clone()).with_ansi(false);
            let filter = LogFilter::parse(filter).unwrap().targets;
            let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
            tracing::subscriber::with_default(subscriber, || {
                event!(target: "h2", Level::WARN, "of h2");
                event!(target: "rustls::msgs::handshake", Level::WARN, "of rustls");
                event!(target: "notify", Level::WARN, "of notify");
            });
            ["of h2", "of rustls", "of notify"].map(|line| log.text().contains(line))
        };

        assert_eq!(heard("info"), [false, false, true]);
        assert_eq!(heard("info,h2=warn"), [true, false, true]);
        assert_eq!(heard("debug,rustls::msgs=info,h2=error"), [false, true, true]);
    }

    #[test]
    fn misspelt_level_is_refused_by_name() {
        let error = |filter| LogFilter::parse(filter).err().unwrap();

        assert!(error("warning,tidegate=debug").to_string().contains("`warning`"));
        assert!(matches!(error("tidegate=loud"), FilterError::Syntax { .. }));
        assert!(matches!(error("my-plugin=loud"), FilterError::Syntax { .. }));
        for (filter, word) in [
            ("loud", "`loud`"),
            ("warn,my-plugin", "`my-plugin`"),
            ("warn,my.plugin v2", "`my.plugin v2`"),
            ("warn,tidegate::proxy", "`tidegate::proxy`"),
            ("warn,a=debug,a=", "`a=`"),
            ("warn,my-plugin = ", "`my-plugin =`"),
            ("=debug", "`=debug`"),
        ] {
            let error = error(filter);
            assert!(matches!(&error, FilterError::Level { .. }) && error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn the_last_directive_with_a_plugins_name_is_its_level() {
        let named =
            LogFilter::parse("warn,my-plugin=debug,tidegate::proxy=trace,hyper=info,my-plugin=error").unwrap().named;

        assert_eq!(find(&named, "my-plugin"), Some(LevelFilter::ERROR));
        assert_eq!(find(&named, "hyper"), Some(LevelFilter::INFO), "a plugin may be named like a crate");
        assert_eq!(find(&named, "my"), None);
        assert_eq!(find(&named, "tidegate::proxy"), None);
    }

    #[test]
    fn names_that_nothing_has_are_found() {
        let unknown = |filter| unknown_names(filter, ["my-plugin", "good"].into_iter());

        assert_eq!(unknown("warn,my-plugin=debug,good=info,tidegate::proxy=debug,rustls=off"), [""; 0]);
        assert_eq!(unknown("warn,my-plugln=debug,tidegat::proxy=debug"), ["my-plugln", "tidegat::proxy"]);
        assert_eq!(unknown("[{plugin}]=debug"), [""; 0]);
    }

    #[test]
    fn the_crates_are_those_that_log() {
        let lock = include_str!("../../../Cargo.lock");
        let mut logging = BTreeSet::new();
        for package in lock.split("[[package]]").skip(1) {
            let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"');
            if [" \"log\"", " \"tracing\"", " \"tracing-core\""].iter().any(|logger| package.contains(logger)) {
                logging.insert(name.replace('-', "_"));
            }
        }

        assert!(!logging.is_empty());
        let missing: Vec<_> = logging.iter().filter(|name| !CRATES.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "add what has become part of the program: {missing:?}");
    }

    #[test]
    fn an_event_that_has_passed_its_plugins_level_is_written_and_others_as_their_target_has_it() {
        let written = CapturedLog::default();
        let filter = LogFilter::parse("warn,some-plugin=debug").unwrap().start();
        let lines = fmt::layer().with_writer(written.clone()).with_filter(filter);

        tracing::subscriber::with_default(Registry::default().with(lines), || {
            event!(name: OWN_LEVEL, target: "tidegate::plugin", Level::DEBUG, "passed");
            event!(target: "tidegate::plugin", Level::DEBUG, "too low");
            event!(target: "tidegate::plugin", Level::WARN, "high enough");
        });

        let text = written.text();
        assert!(text.contains("passed") && text.contains("high enough") && !text.contains("too low"), "{text}");
    }
}
