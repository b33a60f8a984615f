//! Why a file was refused: what was expected, what was found, and what to do about it.

use std::sync::Arc;
use std::time::Duration;

use super::contract::{Interface, PACKAGE, VERSION};
use super::role::{RoleContracts, filling, own_functions};
use super::text::quoted;
use crate::config::CAPABILITIES;

/// A plugin was not loaded. What runs goes on running.
#[derive(Clone, Debug, thiserror::Error)]
#[error("plugin {plugin} ({origin}): {problem}")]
pub struct LoadError {
    /// Name of the plugin, as configured.
    pub plugin: Arc<str>,
    /// Where its bytes came from.
    pub origin: Arc<str>,
    /// What is wrong with it.
    pub problem: LoadErrorKind,
}

/// What is wrong with a plugin. The text says what was expected, what was found, and the remedy.
#[derive(Clone, Debug, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// No bytes.
    #[error(
        "expected a component, a core module or .wat text, found an empty file; write it beside and rename it into \
         place"
    )]
    Empty,
    /// Bytes that are neither wasm nor text.
    #[error("expected a file that starts with `\\0asm`, or .wat text, found {found}; {remedy}")]
    NotWasm {
        /// What it looks like.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// Text that does not parse.
    #[error("expected .wat text, found: {message}; check it with `wasm-tools parse FILE`")]
    Text {
        /// The parser's words, with line and column.
        message: String,
    },
    /// Wasm that is not valid.
    #[error("expected a valid wasm file, found: {message}; {}", invalid_remedy(message))]
    Invalid {
        /// The validator's words.
        message: String,
    },
    /// Valid, by a proposal that is not offered.
    #[error("expected wasm without {}, found a file that needs it; {}", names.join(" and "), remedies.join("; "))]
    Feature {
        /// The proposals that it needs.
        names: Vec<String>,
        /// What to do about each.
        remedies: Vec<String>,
    },
    /// Exports nothing that the contract knows.
    #[error("expected an export of {expected}, found {}{remedy}", list(found))]
    NoRole {
        /// The roles that there are, and the function of each.
        expected: String,
        /// Its exports, the first few.
        found: Vec<String>,
        /// Starts with "; ".
        remedy: String,
    },
    /// A program of the Go compiler: nothing sets up its runtime before an export is called.
    #[error(
        "expected a Go library that is set up by `_initialize`, found the program `_start`; build with `GOOS=wasip1 \
         GOARCH=wasm go build -buildmode=c-shared`"
    )]
    GoProgram,
    /// Parts of an interface are missing.
    #[error(
        "expected exports {} for {interface}, found no {}{}",
        list(expected),
        list(missing),
        missing_remedy(missing, remedy)
    )]
    MissingExport {
        /// The interface.
        interface: Box<str>,
        /// All that it consists of.
        expected: Vec<String>,
        /// What is not there.
        missing: Vec<String>,
        /// Starts with "; ", or is empty.
        remedy: Box<str>,
    },
    /// A bare module has more than one role, so a short name could mean either.
    #[error(
        "expected one role behind the short name `{name}`, found {}; export the full names, e.g. \
         `{PACKAGE}{}@{VERSION}#{name}`",
        list(roles), roles.first().map_or("ROLE", String::as_str)
    )]
    Ambiguous {
        /// The short name.
        name: String,
        /// The roles it could belong to.
        roles: Vec<String>,
    },
    /// Exports two interfaces of which each fills the same role.
    #[error(
        "expected one interface that makes it a {role}, found `{}` and `{}`; export the one that the gateway is to ask",
        found[0],
        found[1]
    )]
    FilledTwice {
        /// The role.
        role: String,
        /// The interfaces.
        found: [String; 2],
    },
    /// Imports something that no plugin gets.
    #[error(
        "expected imports from {PACKAGE}{}@{VERSION}, or WASI, found `{import}`{remedy}",
        either(&CAPABILITIES.map(str::to_owned))
    )]
    UnknownImport {
        /// As imported.
        import: String,
        /// Starts with "; ", or is empty.
        remedy: String,
    },
    /// A function has another signature than in the contract.
    #[error(
        "expected functions as in {PACKAGE}*@{VERSION}, found: {message}; generate its bindings from the WIT files \
         again (`tidegate plugin wit`), or see docs/plugins/abi.md for parameters and results by hand"
    )]
    Signature {
        /// Which one, and how it differs.
        message: String,
    },
    /// Written against a version of the contract that this host does not know.
    #[error("expected version {VERSION} of the contract, found `{found}`; {}", version_remedy(found))]
    Version {
        /// The name as found.
        found: String,
    },
    /// Asks for an interface that the operator does not grant.
    #[error(
        "expected imports that `allow` grants: {}, found `{import}`; add it to `allow` in its [plugin] section if you \
         trust it with that",
        granted_words(granted)
    )]
    NotGranted {
        /// The interface.
        import: String,
        /// What `allow` lists.
        granted: Vec<String>,
    },
    /// The plugin has other roles than the one it is used for.
    #[error(
        "expected a {expected}, found {}; use it in that role, or export {PACKAGE}{expected}@{VERSION}",
        list_roles(found)
    )]
    WrongRole {
        /// The role it was to fill.
        expected: String,
        /// What it is.
        found: Vec<String>,
    },
    /// Metadata that names interfaces of others.
    #[error(
        "expected interfaces of tidegate:plugin@{VERSION} and WASI alone, found `{found}`; take it out of the world \
         that its bindings were generated from"
    )]
    Foreign {
        /// The interface.
        found: String,
    },
    /// More of something than anything honest has.
    #[error("expected at most {limit} {what}, found {found}; leave out what it does not need")]
    TooMuch {
        /// Of what, in the plural.
        what: String,
        /// How many there may be.
        limit: usize,
        /// How many there are, or were when the counting ended.
        found: usize,
    },
    /// A component that instantiates what it imports: what that costs cannot be counted before.
    #[error(
        "expected modules and components that are instantiated where they are defined, found one that is handed in \
         from outside; compose it by instances instead"
    )]
    HandedIn,
    /// One instance holds more than its memory before it does anything.
    #[error(
        "expected an instance that holds at most {limit} bytes, found {found} bytes of globals, functions and tables \
         in {instances} core instances; raise `memory` in its [plugin] section if that is rightful"
    )]
    Heavy {
        /// `memory`, in bytes.
        limit: usize,
        /// Bytes.
        found: u64,
        /// How many core instances the component consists of.
        instances: u64,
    },
    /// Making an instance takes longer than it may.
    #[error(
        "expected an instance within {limit:?}, found that making one took {found:?} of processor time; make it \
         smaller, or raise `deadline` in its [plugin] section: an instance may take ten times that"
    )]
    Slow {
        /// Set-up deadline.
        limit: Duration,
        /// What it took.
        found: Duration,
    },
    /// The process that compiles it ended without a result.
    #[error(
        "expected a file that is compiled within {} MiB of memory and {processor:?} of processor time, found that the \
         compiler {found}; if the file is what you have built, make it smaller, and check it with `wasm-tools \
         validate FILE`",
        memory >> 20
    )]
    Compiler {
        /// Bytes that the process could use.
        memory: u64,
        /// Processor time that it could use.
        processor: Duration,
        /// How it ended: a verb and what follows.
        found: String,
    },
    /// There is no process to compile it.
    #[error(
        "expected a process that compiles it, found: {message}; plugins are compiled by this binary in a process of \
         its own, which needs a process and some memory more than the gateway"
    )]
    NoCompiler {
        /// The error of the system.
        message: String,
    },
    /// The plugin failed before it could be configured.
    #[error("expected an instance, found: {message}")]
    Instantiate {
        /// What happened.
        message: String,
    },
    /// The allocator of a bare module hands out what cannot be used.
    #[error("expected of `cabi_realloc` {problem}; found {found} (see docs/plugins/abi.md)")]
    Realloc {
        /// What it returned, for what.
        found: String,
        /// What was expected.
        problem: String,
    },
    /// The plugin refuses its configuration.
    #[error(
        "refuses its configuration: {}; see its documentation",
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    Configure {
        /// All its objections.
        faults: Vec<ConfigFault>,
    },
    /// The plugin failed while it was configured.
    #[error("{message}")]
    ConfigureFailed {
        /// What happened.
        message: String,
    },
    /// The plugin failed with made-up input, before it got real traffic.
    #[error("{message}; that was a self-test, with {with}")]
    SelfTest {
        /// What it was given.
        with: String,
        /// What happened.
        message: String,
    },
    /// A balancer that refuses whatever it is offered, and can learn nothing that would change that.
    #[error(
        "expected a choice in at least one of {picks} made-up calls of `{function}`, found none in each: every request \
         would get 503; return the id of an eligible endpoint"
    )]
    NeverChooses {
        /// The function that chooses.
        function: String,
        /// How often it was asked.
        picks: usize,
    },
}

impl LoadErrorKind {
    /// None of `roles` among the exports, of which the first few are shown.
    pub(super) fn no_role<'a>(roles: &RoleContracts, exports: impl Iterator<Item = &'a str>, remedy: String) -> Self {
        let names: Vec<_> = filling(roles).map(|interface| interface.name.to_owned()).collect();
        let functions: Vec<_> = own_functions(roles).map(quoted).collect();
        Self::NoRole {
            expected: format!("{PACKAGE}{}@{VERSION} (for a bare module: {})", either(&names), either(&functions)),
            found: exports.map(quoted).take(8).collect(),
            remedy,
        }
    }

    /// Refuses a file that fills one role twice: which of the two is meant, it alone knows.
    pub(super) fn check_filled_once(
        roles: &RoleContracts,
        is_exported: impl Fn(&Interface) -> bool,
    ) -> Result<(), Self> {
        for role in roles {
            let mut filled = role.filled_by.iter().filter(|interface| is_exported(interface)).map(|one| one.name);
            if let (Some(first), Some(second)) = (filled.next(), filled.next()) {
                let found = [first, second].map(str::to_owned);
                return Err(Self::FilledTwice { role: role.name.to_string(), found });
            }
        }
        Ok(())
    }

    /// More of `what` than there may be.
    pub(super) fn too_much(what: &str, limit: usize, found: usize) -> Self {
        Self::TooMuch { what: what.to_owned(), limit, found }
    }
}

/// One objection of a plugin to its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct ConfigFault {
    /// JSON pointer into the configuration; empty for the whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The runtime itself could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The compiler does not support this machine.
    #[error("no wasm engine for this machine: {0}")]
    Engine(String),
    /// No thread for the clock.
    #[error("no thread for the plugins' clock")]
    Clock(#[source] std::io::Error),
}

/// What can be done about bytes that are not valid.
fn invalid_remedy(message: &str) -> &'static str {
    if message.contains("unexpected end") {
        "it is cut off: copy it again, or write it beside and rename it into place"
    } else {
        "check it with `wasm-tools validate FILE`"
    }
}

/// The name with the version that it lacks, or what to do about another one.
fn version_remedy(found: &str) -> String {
    let rest = found.strip_prefix(PACKAGE).unwrap_or(found);
    if rest.contains('@') {
        return "rebuild it against the WIT that `tidegate plugin wit` writes, or update the gateway".to_owned();
    }
    let (interface, function) = rest.split_at(rest.find(['#', '.']).unwrap_or(rest.len()));
    format!("the version is missing: `{PACKAGE}{interface}@{VERSION}{function}`")
}

fn missing_remedy(missing: &[String], remedy: &str) -> String {
    if !remedy.is_empty() {
        return remedy.to_owned();
    }
    let mut words = "; export what is missing".to_owned();
    if missing.iter().any(|name| name == "`memory`") {
        words.push_str("; `memory` is the one that the addresses of arguments and results are of");
    }
    if missing.iter().any(|name| name == "`cabi_realloc`") {
        words.push_str(
            "; `cabi_realloc` takes an old address, its size, an alignment and a new size, and returns the address \
             where the gateway places arguments (see docs/plugins/abi.md)",
        );
    }
    words
}

fn granted_words(granted: &[String]) -> String {
    if granted.is_empty() { "it grants nothing".to_owned() } else { granted.join(", ") }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// `a, b or c`
fn either(names: &[String]) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn list_roles(roles: &[String]) -> String {
    roles.iter().map(|role| format!("a {role}")).collect::<Vec<_>>().join(" and ")
}
