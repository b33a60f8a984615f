//! What the engine says of arguments and results that break the canonical ABI, in words of those who write it by hand.

use std::borrow::Cow;

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
    ("list pointer is not aligned", "a list in its result is not aligned as its elements are"),
    ("list pointer/length out of bounds of memory", "a list in its result is outside memory"),
    ("string pointer/length out of bounds of memory", "a string in its result is outside memory"),
    ("invalid option discriminant", "an option in its result begins with a byte that is neither 0 (none) nor 1 (some)"),
    ("invalid expected discriminant", "a result begins with a byte that is neither 0 (ok) nor 1 (error)"),
    ("invalid utf-8", "a string in its result is not UTF-8"),
];

/// `cause` as it is, or what it means.
pub(super) fn abi_words(cause: &str) -> Cow<'_, str> {
    match WORDS.iter().find(|(engine, _)| cause.contains(engine)) {
        Some((_, words)) => Cow::Owned(format!("{words}; see docs/plugins/abi.md")),
        None => Cow::Borrowed(cause),
    }
}
