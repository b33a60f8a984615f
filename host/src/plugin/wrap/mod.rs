//! Four kinds of file become one: a component.
//!
//! ```text
//! .wat text ───▶ bytes ─┬─▶ component ───────────────────────────────────────────────▶ component
//!                       └─▶ core module ─┬─ with wit-bindgen metadata ─▶ guard ─▶ encode ──▶ ┤
//!                                        └─ bare ─▶ rename ─▶ embed metadata ─▶ guard ─▶ … ──╯
//! ```

mod bare;
mod guard;
mod metadata;
mod scan;

use std::borrow::Cow;

use wit_component::ComponentEncoder;

use super::contract;
use super::error::LoadErrorKind;
use super::role::RoleContracts;
use super::text::one_line;
use super::wasi::{ADAPTER, PREVIEW1};
use scan::ModuleScan;

/// The component that `binary` is, or becomes.
pub(super) fn component<'a>(binary: Cow<'a, [u8]>, roles: &RoleContracts) -> Result<Cow<'a, [u8]>, LoadErrorKind> {
    match binary.get(4..8) {
        Some([0x0d, 0, 1, 0]) => Ok(binary),
        Some([1, 0, 0, 0]) => encode(&binary, roles).map(Cow::Owned),
        found => Err(LoadErrorKind::Invalid { message: format!("a wasm version that is not known: {found:02x?}") }),
    }
}

/// Binary form of what may be text.
pub(super) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadErrorKind> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(LoadErrorKind::Empty);
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes.into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| LoadErrorKind::NotWasm { found: guess(bytes) })?;
    if !text.trim_start().starts_with(['(', ';']) {
        return Err(LoadErrorKind::NotWasm { found: "text that does not begin as .wat, with `(` or `;;`".to_owned() });
    }
    let parsed = wat::parse_str(text).map(Cow::Owned);
    parsed.map_err(|error| LoadErrorKind::Text { message: one_line(error.to_string().replace('\n', " ")) })
}

/// What the first bytes look like, for people who named the wrong file.
fn guess(bytes: &[u8]) -> String {
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => "an ELF executable".to_owned(),
        [b'M', b'Z', ..] => "a Windows executable".to_owned(),
        [0x1f, 0x8b, ..] => "a gzip archive".to_owned(),
        [b'P', b'K', ..] => "a zip archive".to_owned(),
        _ => format!("bytes {:02x?}", bytes.get(..8).unwrap_or(bytes)),
    }
}

fn encode(module: &[u8], roles: &RoleContracts) -> Result<Vec<u8>, LoadErrorKind> {
    let scan = ModuleScan::of(module)?;
    let mut module = if scan.has_metadata {
        metadata::check(module)?;
        module.to_vec()
    } else {
        bare::with_metadata(module, &scan, roles)?
    };
    let mut encoder = ComponentEncoder::default().validate(true);
    if scan.imports.iter().any(|import| import.module == PREVIEW1) {
        module = guard::guarded(&module)?;
        let adapter = wat::parse_str(ADAPTER).map_err(|error| LoadErrorKind::Invalid { message: error.to_string() })?;
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

/// The encoder's words name the function, what its type should be, and what it is.
fn encoding(error: &anyhow::Error) -> LoadErrorKind {
    let message = one_line(format_args!("{error:#}"));
    if message.contains("requires an import") || message.contains("unknown import") {
        let import = message.split('`').nth(1).unwrap_or(&message).to_owned();
        return LoadErrorKind::UnknownImport { import, remedy: format!("; {message}") };
    }
    LoadErrorKind::Signature { message }
}
