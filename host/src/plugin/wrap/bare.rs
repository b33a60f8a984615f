//! Bare modules: written by hand, or in a language that has no bindings generator.
//!
//! They export the canonical names (`tidegate:plugin/balancer@0.1.0#pick`) or the short ones (`pick`), and import from
//! `tidegate:plugin/log@0.1.0` or, by short name, from `tidegate`.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{NameMap, NameSection};
use wasmparser::{ExternalKind, Parser};

use super::super::contract::{self, Interface, PACKAGE, VERSION};
use super::super::error::LoadErrorKind;
use super::super::foreign::{Exported, IMPORTS, SHORT, contract_remedy, export_remedy, import_remedy};
use super::super::role::{RoleContracts, exportable};
use super::super::text::{one_line, quoted};
use super::super::wasi::PREVIEW1;
use super::guard::SectionResult;
use super::scan::{Import, ModuleScan};
use crate::diagnose::closest;

/// The function that every role has: its short name belongs to the role whose own function is exported beside it.
const SHARED: &str = "configure";

/// The function by which the gateway places arguments.
const REALLOC: &str = "cabi_realloc";

/// `module` under full names, with the metadata that its exports and imports call for.
pub(super) fn with_metadata(module: &[u8], scan: &ModuleScan, roles: &RoleContracts) -> Result<Vec<u8>, LoadErrorKind> {
    let names = ExportNames::choose(scan, roles)?;
    let imports = imported(scan)?;
    let exports = names.check(scan, roles)?;
    if scan.is_go && scan.exported_functions().all(|name| name != "_initialize") {
        return Err(LoadErrorKind::GoProgram);
    }
    let renamed = names.rename(module, scan)?;
    contract::embed_interfaces(renamed, &imports, &exports)
        .map_err(|error| LoadErrorKind::Invalid { message: one_line(format_args!("{error:#}")) })
}

/// Interfaces that it imports from.
fn imported(scan: &ModuleScan) -> Result<Vec<&'static str>, LoadErrorKind> {
    check_foreign(scan)?;
    let mut interfaces = BTreeSet::new();
    for import in scan.imports.iter().filter(|import| import.module != PREVIEW1) {
        let of = match import.module.strip_prefix(PACKAGE) {
            None => None,
            Some(rest) => match rest.split_once('@') {
                Some((interface, VERSION)) => Some(interface),
                _ => return Err(LoadErrorKind::Version { found: one_line(&import.module) }),
            },
        };
        let known = IMPORTS.iter().find(|(name, home)| *name == import.name && of.is_none_or(|of| of == *home));
        let Some((_, interface)) = known else {
            return Err(unknown(import, contract_remedy(&import.module, &import.name)));
        };
        interfaces.insert(*interface);
    }
    Ok(interfaces.into_iter().collect())
}

/// Refuses what is imported neither from the contract nor from WASI, nor named as bindings generators name things.
pub(super) fn check_foreign(scan: &ModuleScan) -> Result<(), LoadErrorKind> {
    let is_foreign = |module: &str| {
        let known = [SHORT, PREVIEW1].contains(&module) || module.starts_with(PACKAGE);
        let generated = scan.has_metadata
            && (module.starts_with("wasi:") || module.starts_with(['$', '[']) || module.starts_with("cm32p2"));
        !known && !generated
    };
    match scan.imports.iter().find(|import| is_foreign(&import.module)) {
        Some(import) => Err(unknown(import, import_remedy(&import.module, &import.name))),
        None => Ok(()),
    }
}

fn unknown(import: &Import, remedy: String) -> LoadErrorKind {
    LoadErrorKind::UnknownImport { import: one_line(format_args!("{}.{}", import.module, import.name)), remedy }
}

/// New export names by old ones.
#[derive(Debug, Default)]
struct ExportNames(BTreeMap<String, String>);

impl ExportNames {
    /// Gives each short name its full one.
    fn choose(scan: &ModuleScan, roles: &RoleContracts) -> Result<Self, LoadErrorKind> {
        let exported: BTreeSet<&str> = scan.exported_functions().collect();
        if let Some(other) = exported.iter().find(|name| {
            name.strip_prefix(PACKAGE).is_some_and(|rest| {
                let version = rest.split_once('@').and_then(|(_, rest)| rest.split_once('#'));
                version.is_none_or(|(version, _)| version != VERSION)
            })
        }) {
            return Err(LoadErrorKind::Version { found: one_line(other) });
        }
        LoadErrorKind::check_filled_once(roles, |interface| interface.own().is_some_and(|own| exported.contains(own)))?;
        let mut names = Self::default();
        for interface in exportable(roles) {
            let is_meant = interface.own().is_some_and(|own| exported.contains(own));
            // A function of its own stands for the interface alone as well: what is missing beside it is named later.
            for function in interface.functions.iter().filter(|name| is_meant || **name != SHARED) {
                names.add(interface, function, roles, &exported)?;
            }
        }
        Ok(names)
    }

    fn add(
        &mut self,
        interface: &Interface,
        function: &str,
        roles: &RoleContracts,
        exported: &BTreeSet<&str>,
    ) -> Result<(), LoadErrorKind> {
        if !exported.contains(function) {
            return Ok(());
        }
        let full = format!("{PACKAGE}{}@{VERSION}#{function}", interface.name);
        let post = format!("cabi_post_{function}");
        if exported.contains(post.as_str()) {
            self.0.insert(post, format!("cabi_post_{full}"));
        }
        match self.0.insert(function.to_owned(), full) {
            None => Ok(()),
            Some(_) => {
                let roles = exportable(roles)
                    .filter(|interface| {
                        interface.functions.contains(&function)
                            && interface.own().is_some_and(|own| exported.contains(own))
                    })
                    .map(|interface| interface.name.to_owned())
                    .collect();
                Err(LoadErrorKind::Ambiguous { name: function.to_owned(), roles })
            }
        }
    }

    /// The interfaces that are exported, each of them whole.
    fn check(&self, scan: &ModuleScan, roles: &RoleContracts) -> Result<Vec<&'static str>, LoadErrorKind> {
        let full: BTreeSet<&str> =
            scan.exported_functions().map(|name| self.0.get(name).map_or(name, String::as_str)).collect();
        let mut whole = Vec::new();
        for Interface { name: interface, functions } in exportable(roles) {
            let (found, missing): (Vec<&str>, Vec<&str>) = functions
                .iter()
                .partition(|function| full.contains(format!("{PACKAGE}{interface}@{VERSION}#{function}").as_str()));
            if found.is_empty() {
                continue;
            }
            if !missing.is_empty() {
                return Err(LoadErrorKind::MissingExport {
                    interface: format!("{PACKAGE}{interface}@{VERSION}").into(),
                    expected: functions.iter().map(|name| format!("`{name}`")).collect(),
                    missing: missing.iter().map(|name| format!("`{name}`")).collect(),
                    remedy: missing
                        .iter()
                        .find_map(|missing| self.misspelt(missing, scan))
                        .map_or_else(String::new, |found| format!("; did you mean that by {}?", quoted(found)))
                        .into(),
                });
            }
            whole.push(*interface);
        }
        if whole.is_empty() {
            let exports: Vec<_> = scan
                .exports
                .iter()
                .map(|export| Exported { name: &export.name, is_function: export.kind == ExternalKind::Func })
                .collect();
            let remedy = export_remedy(&exports, roles, false, scan.is_go);
            return Err(LoadErrorKind::no_role(roles, exports.iter().map(|export| export.name), remedy));
        }
        let memory = |export: &super::scan::Export| export.kind == ExternalKind::Memory && export.name == "memory";
        let missing: Vec<String> = [
            ("`memory`", scan.exports.iter().any(memory)),
            ("`cabi_realloc`", scan.exported_functions().any(|name| name == REALLOC)),
        ]
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| (*name).to_owned())
        .collect();
        if !missing.is_empty() {
            let expected = vec!["`memory`".to_owned(), "`cabi_realloc`".to_owned()];
            let (interface, remedy) = ("the canonical ABI".into(), "".into());
            return Err(LoadErrorKind::MissingExport { interface, expected, missing, remedy });
        }
        scan.check_type(REALLOC, &[wasmparser::ValType::I32; 4], &[wasmparser::ValType::I32])?;
        Ok(whole)
    }

    /// An exported function that means nothing and is nearly called `missing`.
    fn misspelt<'a>(&self, missing: &str, scan: &'a ModuleScan) -> Option<&'a str> {
        let unknown = scan.exported_functions().filter(|name| !self.0.contains_key(*name));
        let mut ends = unknown.map(|name| (name.rsplit(['#', '.']).next().unwrap_or(name), name));
        ends.find(|(end, _)| *end != missing && closest(end, [missing]).is_some()).map(|(_, name)| name)
    }

    fn rename(self, module: &[u8], scan: &ModuleScan) -> Result<Vec<u8>, LoadErrorKind> {
        let mut renamed = wasm_encoder::Module::new();
        let mut rename = RenameExports { names: self, unnamed: exported_names(scan) };
        rename
            .parse_core_module(&mut renamed, Parser::new(0), module)
            .map_err(|error| LoadErrorKind::Invalid { message: one_line(error) })?;
        if !rename.unnamed.is_empty() {
            let mut section = NameSection::new();
            section.functions(&rename.function_names());
            renamed.section(&section);
        }
        Ok(renamed.finish())
    }
}

/// A name for each exported function: that of its export, without the interface.
fn exported_names(scan: &ModuleScan) -> BTreeMap<u32, String> {
    let functions = scan.exports.iter().filter(|export| export.kind == ExternalKind::Func);
    functions.map(|export| (export.index, export.name.rsplit('#').next().unwrap_or(&export.name).to_owned())).collect()
}

/// Gives exports their full names, imports theirs, and exported functions the names that backtraces show.
struct RenameExports {
    names: ExportNames,
    /// Functions that the module's own names have not been merged into yet.
    unnamed: BTreeMap<u32, String>,
}

impl RenameExports {
    fn function_names(&mut self) -> NameMap {
        let mut map = NameMap::new();
        for (index, name) in std::mem::take(&mut self.unnamed) {
            map.append(index, &name);
        }
        map
    }
}

impl Reencode for RenameExports {
    type Error = std::convert::Infallible;

    fn parse_export(
        &mut self,
        exports: &mut wasm_encoder::ExportSection,
        export: wasmparser::Export<'_>,
    ) -> SectionResult {
        let is_function = export.kind == ExternalKind::Func;
        let full = is_function.then(|| self.names.0.get(export.name).cloned()).flatten();
        let name = full.as_deref().unwrap_or(export.name);
        if is_function && export.name == REALLOC {
            // The same function once more, for the trial to call.
            exports.export(contract::TRIAL_REALLOC, wasm_encoder::ExportKind::Func, export.index);
        }
        utils::parse_export(self, exports, wasmparser::Export { name, kind: export.kind, index: export.index })
    }

    /// The module's own names, and the exports' for functions that have none.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: wasmparser::Name<'_>,
    ) -> SectionResult {
        let wasmparser::Name::Function(map) = section else {
            return utils::parse_custom_name_subsection(self, names, section);
        };
        for naming in map {
            let naming = naming?;
            self.unnamed.insert(naming.index, naming.name.to_owned());
        }
        names.functions(&self.function_names());
        Ok(())
    }

    /// Bytes as they are: no index moves, and debug information finds code by its place.
    fn parse_function_body(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        function: wasmparser::FunctionBody<'_>,
    ) -> SectionResult {
        code.raw(function.as_bytes());
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut wasm_encoder::ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> SectionResult {
        for import in section.into_imports() {
            let import = import?;
            let known = IMPORTS.iter().find(|(name, _)| import.module == SHORT && *name == import.name);
            let full = known.map(|(_, interface)| format!("{PACKAGE}{interface}@{VERSION}"));
            let module = full.as_deref().unwrap_or(import.module);
            utils::parse_import(self, imports, wasmparser::Import { module, name: import.name, ty: import.ty })?;
        }
        Ok(())
    }
}
