//! Tells the WASI adapter when it may not call out.
//!
//! While the canonical ABI allocates in the guest or frees, a component may not call its imports: that traps. A
//! language with a scheduler (Go) reads the clock right there. So `cabi_realloc` and `cabi_post_*` of a module that
//! imports WASI preview 1 are wrapped: they raise a flag, which the adapter reads through the new export
//! `tidegate_held`.

use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, Module,
    SectionId, TypeSection, ValType,
};
use wasmparser::{ExternalKind, Parser};

use super::super::error::LoadErrorKind;
use super::super::text::one_line;
use super::scan::ModuleScan;

/// `module` with the flag, its getter, and the wrapped functions. Everything new comes last, so no index moves.
pub(super) fn guarded(module: &[u8]) -> Result<Vec<u8>, LoadErrorKind> {
    let scan = ModuleScan::of(module)?;
    let first = u32::try_from(scan.functions.len()).unwrap_or(u32::MAX);
    let mut guard =
        ReallocGuard { getter: first, flag: scan.globals, ty: scan.types, shims: Vec::new(), has_globals: false };
    for export in scan.exports.iter().filter(|export| export.kind == ExternalKind::Func) {
        if export.name != "cabi_realloc" && !export.name.starts_with("cabi_post_") {
            continue;
        }
        let ty = usize::try_from(export.index).ok().and_then(|index| scan.functions.get(index)).copied();
        let parameters = ty.and_then(|ty| scan.parameters.get(usize::try_from(ty).ok()?).copied().flatten());
        if let (Some(ty), Some(parameters)) = (ty, parameters) {
            guard.shims.push(Shim { name: export.name.clone(), inner: export.index, ty, parameters });
        }
    }
    let mut output = Module::new();
    guard
        .parse_core_module(&mut output, Parser::new(0), module)
        .map_err(|error| LoadErrorKind::Invalid { message: one_line(error) })?;
    Ok(output.finish())
}

struct ReallocGuard {
    getter: u32,
    flag: u32,
    ty: u32,
    shims: Vec<Shim>,
    has_globals: bool,
}

struct Shim {
    name: String,
    inner: u32,
    ty: u32,
    parameters: u32,
}

/// What rewriting a section of a module comes to.
pub(super) type SectionResult = Result<(), wasm_encoder::reencode::Error>;

impl ReallocGuard {
    fn add_flag(&mut self, globals: &mut GlobalSection) {
        self.has_globals = true;
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(0));
    }

    fn shim(&self, shim: &Shim) -> Function {
        let mut function = Function::new([]);
        let mut body = function.instructions();
        body.i32_const(1).global_set(self.flag);
        for parameter in 0..shim.parameters {
            body.local_get(parameter);
        }
        body.call(shim.inner).i32_const(0).global_set(self.flag).end();
        function
    }
}

impl Reencode for ReallocGuard {
    type Error = std::convert::Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> SectionResult {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([], [ValType::I32]);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> SectionResult {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.ty);
        for shim in &self.shims {
            functions.function(shim.ty);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> SectionResult {
        utils::parse_global_section(self, globals, section)?;
        self.add_flag(globals);
        Ok(())
    }

    /// Makes the global section where there is none.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> SectionResult {
        let late = matches!(
            before,
            None | Some(
                SectionId::Export
                    | SectionId::Start
                    | SectionId::Element
                    | SectionId::DataCount
                    | SectionId::Code
                    | SectionId::Data
            )
        );
        if late && !self.has_globals {
            let mut globals = GlobalSection::new();
            self.add_flag(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> SectionResult {
        for export in section {
            let export = export?;
            let position = self.shims.iter().position(|shim| shim.name == export.name);
            match position.and_then(|position| u32::try_from(position).ok()) {
                Some(position) => exports.export(export.name, ExportKind::Func, self.getter + 1 + position),
                None => {
                    utils::parse_export(self, exports, export)?;
                    continue;
                }
            };
        }
        exports.export("tidegate_held", ExportKind::Func, self.getter);
        Ok(())
    }

    /// Bytes as they are: no index moves, and debug information finds code by its place.
    fn parse_function_body(&mut self, code: &mut CodeSection, function: wasmparser::FunctionBody<'_>) -> SectionResult {
        code.raw(function.as_bytes());
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> SectionResult {
        utils::parse_code_section(self, code, section)?;
        let mut getter = Function::new([]);
        getter.instructions().global_get(self.flag).end();
        code.function(&getter);
        for shim in &self.shims {
            code.function(&self.shim(shim));
        }
        Ok(())
    }
}
