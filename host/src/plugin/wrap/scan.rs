//! A look at a core module's outside, before anything is done with it.

use wasmparser::{CompositeInnerType, ExternalKind, KnownCustom, Parser, Payload, TypeRef, ValType};

use super::super::error::LoadErrorKind;
use super::super::text::one_line;

/// Names and indices of a core module.
#[derive(Debug, Default)]
pub(super) struct ModuleScan {
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<Export>,
    /// Whether a bindings generator described it.
    pub(super) has_metadata: bool,
    /// Whether the Go compiler has made it.
    pub(super) is_go: bool,
    /// Number of types.
    pub(super) types: u32,
    /// Type of each function, imported ones first.
    pub(super) functions: Vec<u32>,
    /// Number of globals, imported ones included.
    pub(super) globals: u32,
    /// Number of parameters of each type; none if it is no function.
    pub(super) parameters: Vec<Option<u32>>,
    /// Parameters and results of each type; none if it is no function.
    signatures: Vec<Option<(Vec<ValType>, Vec<ValType>)>>,
}

#[derive(Debug)]
pub(super) struct Import {
    pub(super) module: String,
    pub(super) name: String,
}

#[derive(Debug)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) kind: ExternalKind,
    pub(super) index: u32,
}

impl ModuleScan {
    /// Reads the sections that matter; the code is not looked at.
    pub(super) fn of(module: &[u8]) -> Result<Self, LoadErrorKind> {
        let mut scan = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            scan.read(payload.map_err(invalid)?).map_err(invalid)?;
        }
        Ok(scan)
    }

    fn read(&mut self, payload: Payload<'_>) -> Result<(), wasmparser::BinaryReaderError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        self.types += 1;
                        self.parameters.push(match &ty.composite_type.inner {
                            CompositeInnerType::Func(func) => u32::try_from(func.params().len()).ok(),
                            _ => None,
                        });
                        self.signatures.push(match &ty.composite_type.inner {
                            CompositeInnerType::Func(func) => Some((func.params().to_vec(), func.results().to_vec())),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.functions.push(ty),
                        TypeRef::Global(_) => self.globals += 1,
                        _ => {}
                    }
                    self.imports.push(Import { module: import.module.to_owned(), name: import.name.to_owned() });
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::GlobalSection(section) => self.globals += section.count(),
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.push(Export { name: export.name.to_owned(), kind: export.kind, index: export.index });
                }
            }
            Payload::CustomSection(section) => {
                self.has_metadata |=
                    matches!(section.as_known(), KnownCustom::Unknown) && section.name().starts_with("component-type");
                self.is_go |= section.name() == "go:buildid";
            }
            _ => {}
        }
        Ok(())
    }

    /// Refuses an exported function that has another type than this.
    pub(super) fn check_type(
        &self,
        name: &str,
        parameters: &[ValType],
        results: &[ValType],
    ) -> Result<(), LoadErrorKind> {
        let function = self.exports.iter().find(|export| export.kind == ExternalKind::Func && export.name == name);
        let ty = function
            .and_then(|export| self.functions.get(usize::try_from(export.index).ok()?))
            .and_then(|ty| self.signatures.get(usize::try_from(*ty).ok()?)?.as_ref());
        match ty {
            Some((found, returned)) if found != parameters || returned != results => Err(LoadErrorKind::Signature {
                message: format!(
                    "type mismatch for function `{name}`: expected `{parameters:?} -> {results:?}` but found `{found:?} -> \
                     {returned:?}`"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Names of all exported functions.
    pub(super) fn exported_functions(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().filter(|export| export.kind == ExternalKind::Func).map(|export| export.name.as_str())
    }
}

pub(super) fn invalid(error: wasmparser::BinaryReaderError) -> LoadErrorKind {
    LoadErrorKind::Invalid { message: one_line(error) }
}
