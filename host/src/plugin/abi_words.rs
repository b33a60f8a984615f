//! What the engine says of arguments and results that break the canonical ABI, in words of those who write it by hand.

use std::borrow::Cow;

use wasmtime::WasmBacktrace;

/// The engine's words about addresses and text, and what they mean to an author, after "a list in its result" or "a
/// string given to `log`".
static VALUES: &[(&str, &str, &str)] = &[
    ("list pointer is not aligned", "a list", "is not aligned as its elements are"),
    ("list pointer/length out of bounds of memory", "a list", "is outside memory"),
    ("string pointer/length out of bounds of memory", "a string", "is outside memory"),
    ("invalid utf-8", "a string", "is not UTF-8"),
    ("utf-8", "a string", "is not UTF-8 (cut inside a character?)"),
];

/// The engine's words, and what they mean to an author.
static WORDS: &[(&str, &str)] = &[
    (
        "realloc return: result not aligned",
        "`cabi_realloc` returned an address that is no multiple of the alignment it was asked for",
    ),
    (
        "realloc return: beyond end of memory",
        "`cabi_realloc` returned an address outside memory (also for 0 bytes it must be inside)",
    ),
    ("return pointer not aligned", "the address of its result is not aligned as the result is (to 4 bytes mostly)"),
    ("pointer out of bounds", "the address of its result is outside memory"),
    ("invalid option discriminant", "an option in its result begins with a byte that is neither 0 (none) nor 1 (some)"),
    ("invalid expected discriminant", "a result begins with a byte that is neither 0 (ok) nor 1 (error)"),
];

/// What begins the names of functions that lead from a module to what it imports.
const IMPORT: &str = "indirect-";

/// Where a value came from that breaks the ABI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ValueOrigin<'a> {
    /// It was returned by this export of the plugin.
    Result(&'a str),
    /// It was given to this function of the gateway; none if the file does not say to which.
    Argument(Option<&'a str>),
}

impl<'a> ValueOrigin<'a> {
    /// Of a call of `export`, which failed with `backtrace`: results are read when the plugin has returned, so that
    /// there is none.
    pub(super) fn of(export: &'a str, backtrace: Option<&'a WasmBacktrace>) -> Self {
        let Some(innermost) = backtrace.and_then(|backtrace| backtrace.frames().first()) else {
            return Self::Result(export.trim_matches('`'));
        };
        let import = innermost.func_name().and_then(|name| name.strip_prefix(IMPORT));
        Self::Argument(import.and_then(|name| name.rsplit('-').next()))
    }

    /// `in its result`, ``given to `log` ``
    fn words(&self) -> String {
        match self {
            Self::Result(_) => "in its result".to_owned(),
            Self::Argument(Some(function)) => format!("given to `{function}`"),
            Self::Argument(None) => "given to a function of the gateway".to_owned(),
        }
    }

    /// What was expected of a number that stands for a case.
    fn cases(&self) -> &'static str {
        match self {
            Self::Result("route") => "`route`: expected a decision of 0 (forward) to 3 (next)",
            Self::Result("choose") => "`choose`: expected a choice of 0 (take) or 1 (refuse)",
            Self::Result("rewrite") => "`rewrite`: expected edits of 0 (replace), 1 (remove) or 2 (add)",
            Self::Argument(Some("log")) => "`log`: expected a level of 0 (debug) to 3 (error)",
            Self::Argument(Some("column")) => "`column`: expected a metric of 0 (picks) to 5 (latest)",
            Self::Argument(_) => "expected a level of 0 to 3 in `log`, and a metric of 0 to 5 in `column`",
            Self::Result(_) => "expected a case of the type in the contract",
        }
    }
}

/// `cause` as it is, or what it means.
pub(super) fn abi_words<'a>(cause: &'a str, origin: &ValueOrigin<'_>) -> Cow<'a, str> {
    let words = if let Some(number) = cause.strip_prefix("unexpected discriminant: ") {
        format!("{}, found {number}", origin.cases())
    } else if let Some((_, value, problem)) = VALUES.iter().find(|(engine, ..)| cause.contains(engine)) {
        format!("{value} {} {problem}", origin.words())
    } else if let Some((_, words)) = WORDS.iter().find(|(engine, _)| cause.contains(engine)) {
        (*words).to_owned()
    } else {
        return Cow::Borrowed(cause);
    };
    Cow::Owned(format!("{words}; see docs/plugins/abi.md"))
}
