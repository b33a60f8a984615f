//! What a plugin may be called.

use std::path::Path;

/// Longest name, in bytes. Names go into metrics and log lines.
const LONGEST: usize = 64;

/// What no crate, and so no plugin of Rust, can be called: words of the language, and what the crate is built from.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "sdk",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tidegate-plugin",
    "tidegate-plugin-derive",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "wit-bindgen",
    "yield",
];

/// The last part of `dir`, if a plugin can be called so in every language.
///
/// # Errors
/// One sentence for the person at the terminal.
pub(super) fn plugin_name(dir: &Path) -> Result<String, String> {
    let full = std::path::absolute(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let example = "for example: tidegate plugin new my-balancer";
    if name.len() > LONGEST {
        return Err(format!(
            "{}: expected a name of at most {LONGEST} letters, found {}; {example}",
            dir.display(),
            name.len()
        ));
    }
    if TAKEN.contains(&name.replace('_', "-").as_str()) {
        return Err(format!(
            "{}: `{name}` is a word that means something else where plugins are built; {example}",
            dir.display()
        ));
    }
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if fits {
        return Ok(name);
    }
    Err(format!(
        "{}: expected a folder name of lower-case letters, digits, `-` and `_` that starts with a letter, found \
         `{name}`; {example}",
        dir.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_folder_is_the_name() {
        for dir in ["my-balancer", "./my-balancer", "/tmp/my-balancer/", "a/../my-balancer"] {
            assert_eq!(plugin_name(Path::new(dir)).as_deref(), Ok("my-balancer"), "{dir}");
        }
    }

    #[test]
    fn names_that_no_plugin_can_have_are_refused() {
        for name in
            ["9lives", "My-Balancer", "über", "sdk", "/", "..", "a b", "-x", "x.wasm", "fn", "serde_json", "std"]
        {
            assert!(plugin_name(Path::new(name)).is_err(), "{name}");
        }
        assert!(plugin_name(Path::new(&"x".repeat(65))).is_err());
    }
}
