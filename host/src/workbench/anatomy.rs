//! What a plugin's file consists of, read without running any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use wasmparser::{BinaryReaderError, Encoding, ExternalKind, KnownCustom, Parser, Payload, ProducersSectionReader};

use super::exports::{ContractExports, contract_exports};
use super::features::features_of;
use super::file::{self, PluginFileError};
use crate::plugin::{self, LoadErrorKind};
use crate::text::{self, printable};

/// Names that are kept of each kind. What has more is generated, and nobody reads it.
const NAMES: usize = 200;

/// A plugin's file, taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct Anatomy {
    /// What kind of file it is.
    pub kind: FileKind,
    /// Size of the file in bytes.
    pub bytes: usize,
    /// SHA-256 of the file, hex.
    pub digest: String,
    /// What it exports of the contract.
    #[serde(flatten)]
    pub contract: ContractExports,
    /// All that it exports by name; of a core module the functions.
    pub exports: Vec<String>,
    /// All that it imports: interfaces, or modules with the names that are taken from each.
    pub imports: Vec<String>,
    /// Proposals beyond the first version of wasm without which it is not valid.
    pub features: Vec<&'static str>,
    /// Why it is not valid, whatever is offered; none if it is.
    pub invalid: Option<String>,
    /// Bytes of each kind of section, modules within a component taken together; custom ones by name. Largest first.
    pub sections: Vec<SectionBytes>,
    /// What it was made by, as it says itself: `language: Rust`, `processed-by: rustc 1.95.0`.
    pub producers: Vec<String>,
}

/// What kind of file a plugin is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A component.
    Component,
    /// A core module that a bindings generator has described.
    DescribedModule,
    /// A core module that is known by its names alone.
    BareModule,
    /// Text of any of them.
    Text,
}

impl FileKind {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::DescribedModule => "core module with metadata of a bindings generator",
            Self::BareModule => "bare core module",
            Self::Text => ".wat text",
        }
    }
}

/// How much of a file one kind of section takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SectionBytes {
    /// `code`, `data`, `custom NAME` and so on.
    pub name: String,
    /// Bytes, heads of sections left out.
    pub bytes: usize,
}

/// Why a file cannot be taken apart.
#[derive(Debug, thiserror::Error)]
pub enum AnatomyError {
    /// It cannot be read.
    #[error("{0}")]
    File(#[from] PluginFileError),
    /// It is no wasm.
    #[error("{0}")]
    Content(Box<LoadErrorKind>),
}

impl From<LoadErrorKind> for AnatomyError {
    fn from(kind: LoadErrorKind) -> Self {
        Self::Content(Box::new(kind))
    }
}

/// Takes the plugin in `path` apart. Nothing in it runs.
///
/// # Errors
/// If it cannot be read, or is no wasm.
pub fn inspect(path: &Path) -> Result<Anatomy, AnatomyError> {
    Ok(of(&file::read(path)?)?)
}

pub(super) fn of(bytes: &[u8]) -> Result<Anatomy, LoadErrorKind> {
    let wasm = plugin::binary(bytes)?;
    let mut parts = Parts::default();
    for payload in Parser::new(0).parse_all(&wasm) {
        payload.and_then(|payload| parts.read(&payload)).map_err(invalid)?;
    }
    let kind = match (bytes.starts_with(b"\0asm"), parts.encoding, parts.is_described) {
        (false, ..) => FileKind::Text,
        (true, Some(Encoding::Component), _) => FileKind::Component,
        (true, _, true) => FileKind::DescribedModule,
        (true, _, false) => FileKind::BareModule,
    };
    let mut sections: Vec<_> = parts.sections.into_iter().map(|(name, bytes)| SectionBytes { name, bytes }).collect();
    sections.sort_by_key(|section| std::cmp::Reverse(section.bytes));
    sections.truncate(NAMES);
    let imports = parts.imports.into_iter().map(|(module, names)| {
        if names.is_empty() {
            module
        } else {
            format!("{module}: {}", names.into_iter().collect::<Vec<_>>().join(", "))
        }
    });
    let (features, invalid) = match features_of(&wasm) {
        Ok(features) => (features, None),
        Err(why) => (Vec::new(), Some(printable(&why).into_owned())),
    };
    Ok(Anatomy {
        kind,
        bytes: bytes.len(),
        digest: text::hex(&Sha256::digest(bytes)),
        contract: contract_exports(&parts.exports, parts.encoding == Some(Encoding::Component)),
        exports: parts.exports.into_iter().take(NAMES).collect(),
        imports: imports.take(NAMES).collect(),
        features,
        invalid,
        sections,
        producers: parts.producers.into_iter().take(NAMES).collect(),
    })
}

fn invalid(error: BinaryReaderError) -> LoadErrorKind {
    LoadErrorKind::Invalid { message: printable(&error.to_string()).into_owned() }
}

/// What was read so far.
#[derive(Default)]
struct Parts {
    /// Of the outermost part.
    encoding: Option<Encoding>,
    /// How many parts the current one is in, itself included.
    depth: usize,
    is_described: bool,
    exports: BTreeSet<String>,
    imports: BTreeMap<String, BTreeSet<String>>,
    sections: BTreeMap<String, usize>,
    producers: BTreeSet<String>,
}

impl Parts {
    fn read(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::Version { encoding, .. } => {
                self.encoding.get_or_insert(*encoding);
                self.depth += 1;
            }
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            // Their own sections follow.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } | Payload::CodeSectionEntry(_) => {}
            Payload::CodeSectionStart { range, .. } => self.add("code", range.len()),
            Payload::CustomSection(section) => {
                // Generators put what is inside behind a colon.
                let name = section.name().split(':').next().unwrap_or_default();
                self.add(&format!("custom {}", printable(name)), section.data().len());
                if let KnownCustom::Producers(reader) = section.as_known() {
                    self.read_producers(reader);
                }
                self.is_described |= self.depth == 1 && section.name().starts_with("component-type");
            }
            other => {
                if let Some((_, range)) = other.as_section() {
                    self.add(section_name(other), range.len());
                }
                if self.depth == 1 {
                    self.read_outside(other)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, section: &str, bytes: usize) {
        let sum = self.sections.entry(section.to_owned()).or_default();
        *sum = sum.saturating_add(bytes);
    }

    /// What the outermost part exports and imports.
    fn read_outside(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    if export.kind == ExternalKind::Func {
                        self.exports.insert(printable(export.name).into_owned());
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import?;
                    let names = self.imports.entry(printable(import.module).into_owned()).or_default();
                    names.insert(printable(import.name).into_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.exports.insert(printable(export?.name.name).into_owned());
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    self.imports.entry(printable(import?.name.name).into_owned()).or_default();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// As far as it can be read: nothing else depends on it.
    fn read_producers(&mut self, section: ProducersSectionReader<'_>) {
        for field in section.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                let text = format!("{}: {} {}", field.name, value.name, value.version);
                self.producers.insert(printable(text.trim_end()).into_owned());
            }
        }
    }
}

fn section_name(payload: &Payload<'_>) -> &'static str {
    match payload {
        Payload::DataSection(_) => "data",
        Payload::FunctionSection(_) | Payload::TypeSection(_) => "types of functions",
        Payload::ElementSection(_) | Payload::TableSection(_) => "tables",
        Payload::ImportSection(_) | Payload::ExportSection(_) => "imports and exports",
        Payload::ComponentTypeSection(_) | Payload::CoreTypeSection(_) => "types of the component",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{SHIPPED, shipped};

    #[test]
    fn what_ships_is_taken_apart() {
        for name in SHIPPED {
            let found = of(shipped(name).unwrap()).unwrap();

            assert_eq!((found.kind, found.contract.roles.len()), (FileKind::DescribedModule, 1), "{name}");
            assert_eq!(found.contract.versions, ["0.1.0"]);
            assert!(found.contract.optional.contains(&"describe".to_owned()), "{found:?}");
            assert!(found.sections.iter().any(|section| section.name == "code" && section.bytes > 1000), "{found:?}");
            assert!(found.producers.iter().any(|producer| producer.contains("Rust")), "{:?}", found.producers);
        }
    }

    #[test]
    fn nothing_runs() {
        let endless = "(module (import \"tidegate\" \"now\" (func)) (func $start (loop (br 0))) (start $start) \
                       (func (export \"pick\")) (func (export \"restor\")))";
        let component = "(component (import \"wasi:cli/environment@0.2.0\" (instance)) \
                         (core module $m (func $start (loop (br 0))) (start $start)) \
                         (core instance (instantiate $m)) \
                         (instance $i) (export \"tidegate:plugin/router@0.1.0\" (instance $i)))";

        let found = of(endless.as_bytes()).unwrap();
        assert_eq!((found.kind, found.imports), (FileKind::Text, vec!["tidegate: now".to_owned()]));
        assert_eq!((found.contract.roles, found.contract.misspelt.len()), (vec!["balancer".to_owned()], 1));
        assert_eq!(of(&wat::parse_str(endless).unwrap()).unwrap().kind, FileKind::BareModule);

        let found = of(&wat::parse_str(component).unwrap()).unwrap();
        assert_eq!((found.kind, found.contract.roles), (FileKind::Component, vec!["router".to_owned()]));
        assert_eq!(found.imports, ["wasi:cli/environment@0.2.0"]);
    }

    #[test]
    fn what_is_no_wasm_or_cut_off_is_refused() {
        let whole = shipped("byrequests").unwrap();

        for bytes in [&b""[..], b"#!/bin/sh", b"<html>", &whole[..whole.len() / 2], b"\0asm\x09\0\0\0"] {
            assert!(of(bytes).is_err(), "{} bytes", bytes.len());
        }
    }
}
