//! Any text is a configuration or a list of faults, and a fault can be printed.

use std::path::Path;

/// A file as an operator writes it.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(faults) = tidegate::config::parse(&text, Path::new("fuzz.toml")) {
        assert!(!faults.to_string().is_empty());
    }
}
