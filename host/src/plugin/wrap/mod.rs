//! Four kinds of file become one: a component.
//!
//! ```text
//! .wat text ───▶ bytes ─┬─▶ component ───────────────────────────────────────────────▶ component
//!                       └─▶ core module ─┬─ with wit-bindgen metadata ─▶ guard ─▶ encode ──▶ ┤
//!                                        └─ bare ─▶ rename ─▶ embed metadata ─▶ guard ─▶ … ──╯
//! ```

mod bare;
mod guard;
mod guess;
mod metadata;
mod scan;

use std::borrow::Cow;

use wit_component::ComponentEncoder;

use super::contract;
use super::error::LoadErrorKind;
use super::features;
use super::role::RoleContracts;
use super::text::one_line;
use super::wasi::{ADAPTER, PREVIEW1};
use crate::diagnose::closest;
use scan::{Import, ModuleScan};

/// The component that `binary` is, or becomes.
pub(super) fn component<'a>(binary: &'a [u8], roles: &RoleContracts) -> Result<Cow<'a, [u8]>, LoadErrorKind> {
    match binary.get(4..8) {
        Some([0x0d, 0, 1, 0]) => Ok(binary.into()),
        Some([1, 0, 0, 0]) => encode(binary, roles).map(Cow::Owned),
        found => Err(LoadErrorKind::Invalid { message: format!("a wasm version that is not known: {found:02x?}") }),
    }
}

/// Binary form of what may be text.
///
/// # Errors
/// If it is neither wasm nor text of it.
pub fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadErrorKind> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(LoadErrorKind::Empty);
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes.into());
    }
    if let Some(refused) = guess::not_wasm(bytes) {
        return Err(refused);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| LoadErrorKind::Text { message: error.to_string() })?;
    wat::parse_str(text).map(Cow::Owned).map_err(|error| text_refused(text, &error))
}

/// The parser's words without its drawing: what it expected, where, and the line.
fn text_refused(text: &str, error: &wat::Error) -> LoadErrorKind {
    let words = error.to_string();
    let mut lines = words.lines();
    let message = lines.next().unwrap_or_default();
    let place = lines.next().and_then(|line| {
        let (row, column) = line.rsplit_once(" <anon>:")?.1.split_once(':')?;
        Some((row.parse::<usize>().ok()?, column.parse::<usize>().ok()?))
    });
    let Some((row, column)) = place else { return LoadErrorKind::Text { message: one_line(words.replace('\n', " ")) } };
    let line = text.lines().nth(row.saturating_sub(1)).unwrap_or_default();
    let rest = line.get(column.saturating_sub(1)..).unwrap_or_default();
    let instruction = rest.split(|char: char| !char.is_ascii_lowercase() && char != '_').next().unwrap_or_default();
    if ["try", "do", "catch", "catch_all", "rethrow", "delegate"].contains(&instruction)
        && let Some(refused) = features::legacy_exceptions()
    {
        return refused;
    }
    let shown: String = rest.chars().take(40).collect();
    let found = if shown.is_empty() { "the end of the line".to_owned() } else { format!("`{shown}`") };
    LoadErrorKind::Text { message: one_line(format_args!("{message}, at line {row}, column {column}: {found}")) }
}

fn encode(module: &[u8], roles: &RoleContracts) -> Result<Vec<u8>, LoadErrorKind> {
    let scan = ModuleScan::of(module)?;
    let mut module = if scan.has_metadata {
        metadata::check(module)?;
        bare::check_foreign(&scan)?;
        module.to_vec()
    } else {
        bare::with_metadata(module, &scan, roles)?
    };
    // With names, a value that breaks the ABI is put down to the import that it was given to.
    let mut encoder = ComponentEncoder::default().validate(true).debug_names(true);
    if scan.imports.iter().any(|import| import.module == PREVIEW1) {
        module = guard::guarded(&module)?;
        let adapter = wat::parse_str(ADAPTER).map_err(|error| LoadErrorKind::Invalid { message: error.to_string() })?;
        check_preview1(&scan, &adapter)?;
        let adapter = contract::embed(adapter, "adapter").map_err(|error| encoding(&error))?;
        encoder = encoder
            .module(&module)
            .and_then(|encoder| encoder.adapter(PREVIEW1, &adapter))
            .map_err(|error| encoding(&error))?;
    } else {
        encoder = encoder.module(&module).map_err(|error| encoding(&error))?;
    }
    encoder.encode().map_err(|error| encoding(&error))
}

/// Refuses functions that are none of WASI preview 1.
fn check_preview1(scan: &ModuleScan, adapter: &[u8]) -> Result<(), LoadErrorKind> {
    let offered = ModuleScan::of(adapter)?;
    let unknown = scan
        .imports
        .iter()
        .filter(|import| import.module == PREVIEW1)
        .find(|import| !offered.exported_functions().any(|name| name == import.name));
    match unknown {
        Some(Import { name, .. }) => Err(LoadErrorKind::UnknownImport {
            import: one_line(format_args!("{PREVIEW1}.{name}")),
            remedy: match closest(name, offered.exported_functions()) {
                Some(meant) => format!("; WASI preview 1 has no such function: did you mean `{meant}`?"),
                None => "; WASI preview 1 has no such function, and no extension of it is offered".to_owned(),
            },
        }),
        None => Ok(()),
    }
}

/// The encoder's words name the function, what its type should be, and what it is; its last words, for those before
/// them say only where it was.
fn encoding(error: &anyhow::Error) -> LoadErrorKind {
    let message = one_line(format_args!("{error:#}"));
    if message.contains("requires an import") || message.contains("unknown import") {
        let import = message.split('`').nth(1).unwrap_or(&message).to_owned();
        return LoadErrorKind::UnknownImport { import, remedy: format!("; {message}") };
    }
    let cause = one_line(error.root_cause());
    LoadErrorKind::Signature { message: if cause.contains("type mismatch") { cause } else { message } }
}
