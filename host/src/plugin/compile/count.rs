//! What compiling and instantiating would cost, counted before either is tried.
//!
//! A component may instantiate modules and other components, each as often as it likes, and those again: 2 KB can stand
//! for millions of instances. Whatever is instantiated was defined before, so one pass in file order knows the cost of
//! a part when it is used, and adds it as often as it is used.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, ElementItems,
    Encoding, FunctionBody, Instance, Parser, Payload,
};

use super::super::error::LoadErrorKind;
use super::super::limits::PARTS;
use super::super::text::one_line;

/// Functions in one file. Interpreters have some 30,000.
const FUNCTIONS: usize = 200_000;

/// Bytes of one function. The largest of an interpreter have some 100 KB.
const BODY_BYTES: usize = 2 << 20;

/// Locals of one function, parameters left out; and of all in a file.
const LOCALS: usize = 10_000;
const ALL_LOCALS: usize = 4_000_000;

/// Things that the components of a file consist of, those within included, each as often as it is instantiated.
const ITEMS: usize = 200_000;

/// Components within components.
const DEPTH: usize = 32;

/// Bytes that an instance holds in native memory, about: the bookkeeping of one core instance; an import; a reference
/// to a function; a global; a table; a memory; a reference in a segment; an item of a component.
const INSTANCE: u64 = 1024;
const IMPORT: u64 = 32;
const FUNCTION: u64 = 32;
const GLOBAL: u64 = 16;
const TABLE: u64 = 128;
const MEMORY: u64 = 512;
const REFERENCE: u64 = 16;
const ITEM: u64 = 64;

/// What something costs each time it is instantiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InstanceCost {
    /// Core instances.
    pub(super) instances: u64,
    /// Definitions, imports, exports and instances of components.
    items: u64,
    /// Bytes held in native memory.
    pub(super) held: u64,
}

impl InstanceCost {
    fn add(&mut self, other: Self) {
        self.instances = self.instances.saturating_add(other.instances);
        self.items = self.items.saturating_add(other.items);
        self.held = self.held.saturating_add(other.held);
    }

    fn hold(&mut self, number: impl Into<u64>, bytes: u64) {
        self.held = self.held.saturating_add(number.into().saturating_mul(bytes));
    }

    fn item(&mut self, number: impl Into<u64>) {
        let number = number.into();
        self.items = self.items.saturating_add(number);
        self.hold(number, ITEM);
    }
}

/// What one instance of `wasm` costs: a module, or a component with all that it is made of.
///
/// # Errors
/// If it is not wasm, or beyond a limit.
pub(super) fn cost(wasm: &[u8]) -> Result<InstanceCost, LoadErrorKind> {
    let mut count = CostCounter { open: Vec::new(), functions: 0, locals: 0, whole: InstanceCost::default() };
    for payload in Parser::new(0).parse_all(wasm) {
        count.read(payload.map_err(invalid)?)?;
    }
    Ok(count.whole)
}

/// A module or component whose end has not been read.
struct OpenComponent {
    encoding: Encoding,
    cost: InstanceCost,
    /// What can be instantiated in it, by index; none for what was handed in from outside, whose cost is not known.
    modules: Vec<Option<InstanceCost>>,
    components: Vec<Option<InstanceCost>>,
}

struct CostCounter {
    open: Vec<OpenComponent>,
    functions: usize,
    locals: usize,
    whole: InstanceCost,
}

impl CostCounter {
    fn read(&mut self, payload: Payload<'_>) -> Result<(), LoadErrorKind> {
        match payload {
            Payload::Version { encoding, .. } => return self.begin(encoding),
            Payload::End(_) => return self.end(),
            Payload::CodeSectionEntry(body) => return self.body(&body),
            _ => {}
        }
        let Some(last) = self.open.len().checked_sub(1) else { return Ok(()) };
        if let Payload::ComponentAliasSection(section) = payload {
            for alias in section {
                self.alias(last, &alias.map_err(invalid)?);
            }
        } else if let Some(open) = self.open.last_mut() {
            match open.encoding {
                Encoding::Module => module(&mut open.cost, payload).map_err(invalid)?,
                Encoding::Component => component(open, payload)?,
            }
        }
        match self.open.last() {
            Some(open) => check(&open.cost),
            None => Ok(()),
        }
    }

    fn begin(&mut self, encoding: Encoding) -> Result<(), LoadErrorKind> {
        if self.open.len() >= DEPTH {
            return Err(LoadErrorKind::too_much("components within each other", DEPTH, self.open.len() + 1));
        }
        let mut cost = InstanceCost::default();
        if encoding == Encoding::Module {
            cost.instances = 1;
            cost.hold(1_u64, INSTANCE);
        }
        self.open.push(OpenComponent { encoding, cost, modules: Vec::new(), components: Vec::new() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), LoadErrorKind> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        match (self.open.last_mut(), closed.encoding) {
            (None, _) => self.whole = closed.cost,
            (Some(outer), Encoding::Module) => outer.modules.push(Some(closed.cost)),
            (Some(outer), Encoding::Component) => outer.components.push(Some(closed.cost)),
        }
        check(&closed.cost)
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), LoadErrorKind> {
        self.functions += 1;
        if self.functions > FUNCTIONS {
            return Err(LoadErrorKind::too_much("functions", FUNCTIONS, self.functions));
        }
        let bytes = body.range().len();
        if bytes > BODY_BYTES {
            return Err(LoadErrorKind::too_much("bytes in one function", BODY_BYTES, bytes));
        }
        let mut locals: usize = 0;
        for group in body.get_locals_reader().map_err(invalid)? {
            let (number, _) = group.map_err(invalid)?;
            locals = locals.saturating_add(usize::try_from(number).unwrap_or(usize::MAX));
        }
        if locals > LOCALS {
            return Err(LoadErrorKind::too_much("locals in one function", LOCALS, locals));
        }
        self.locals = self.locals.saturating_add(locals);
        if self.locals > ALL_LOCALS {
            return Err(LoadErrorKind::too_much("locals in all functions", ALL_LOCALS, self.locals));
        }
        Ok(())
    }

    /// Another name for what is there already, in the component at `last` or around it.
    fn alias(&mut self, last: usize, alias: &ComponentAlias<'_>) {
        let place = |count: &u32| last.checked_sub(usize::try_from(*count).ok()?).and_then(|at| self.open.get(at));
        let mut module = None;
        let mut component = None;
        match alias {
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index } => {
                module = Some(place(count).and_then(|open| at(&open.modules, *index)));
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                component = Some(place(count).and_then(|open| at(&open.components, *index)));
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. } => module = Some(None),
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => component = Some(None),
            _ => {}
        }
        if let Some(open) = self.open.last_mut() {
            open.cost.item(1_u64);
            open.modules.extend(module);
            open.components.extend(component);
        }
    }
}

fn at(parts: &[Option<InstanceCost>], index: u32) -> Option<InstanceCost> {
    usize::try_from(index).ok().and_then(|index| parts.get(index)).copied().flatten()
}

/// What a section of a core module adds to each instance.
fn module(cost: &mut InstanceCost, payload: Payload<'_>) -> Result<(), wasmparser::BinaryReaderError> {
    match payload {
        Payload::ImportSection(section) => cost.hold(section.count(), IMPORT),
        Payload::FunctionSection(section) => cost.hold(section.count(), FUNCTION),
        Payload::GlobalSection(section) => cost.hold(section.count(), GLOBAL),
        Payload::TagSection(section) => cost.hold(section.count(), GLOBAL),
        Payload::TableSection(section) => cost.hold(section.count(), TABLE),
        Payload::MemorySection(section) => cost.hold(section.count(), MEMORY),
        Payload::DataSection(section) => cost.hold(section.count(), REFERENCE),
        Payload::ElementSection(section) => {
            for element in section {
                let items = match element?.items {
                    ElementItems::Functions(items) => items.count(),
                    ElementItems::Expressions(_, items) => items.count(),
                };
                cost.hold(items.saturating_add(1), REFERENCE);
            }
        }
        _ => {}
    }
    Ok(())
}

/// What a section of a component adds to each instance, and what it makes known.
fn component(open: &mut OpenComponent, payload: Payload<'_>) -> Result<(), LoadErrorKind> {
    match payload {
        Payload::InstanceSection(section) => {
            for instance in section {
                match instance.map_err(invalid)? {
                    Instance::Instantiate { module_index, args } => {
                        open.cost.add(at(&open.modules, module_index).ok_or_else(handed_in)?);
                        open.cost.item(args.len() as u64 + 1);
                    }
                    Instance::FromExports(exports) => open.cost.item(exports.len() as u64 + 1),
                }
                check(&open.cost)?;
            }
        }
        Payload::ComponentInstanceSection(section) => {
            for instance in section {
                match instance.map_err(invalid)? {
                    ComponentInstance::Instantiate { component_index, args } => {
                        open.cost.add(at(&open.components, component_index).ok_or_else(handed_in)?);
                        open.cost.item(args.len() as u64 + 1);
                    }
                    ComponentInstance::FromExports(exports) => open.cost.item(exports.len() as u64 + 1),
                }
                check(&open.cost)?;
            }
        }
        Payload::ComponentImportSection(section) => {
            for import in section {
                open.cost.item(1_u64);
                match import.map_err(invalid)?.ty {
                    ComponentTypeRef::Module(_) => open.modules.push(None),
                    ComponentTypeRef::Component(_) => open.components.push(None),
                    _ => {}
                }
            }
        }
        Payload::ComponentExportSection(section) => {
            for export in section {
                open.cost.item(1_u64);
                let export = export.map_err(invalid)?;
                match export.kind {
                    ComponentExternalKind::Module => open.modules.push(at(&open.modules, export.index)),
                    ComponentExternalKind::Component => open.components.push(at(&open.components, export.index)),
                    _ => {}
                }
            }
        }
        Payload::ComponentCanonicalSection(section) => open.cost.item(section.count()),
        Payload::ComponentTypeSection(section) => open.cost.item(section.count()),
        _ => {}
    }
    Ok(())
}

fn check(cost: &InstanceCost) -> Result<(), LoadErrorKind> {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    if whole(cost.instances) > PARTS {
        return Err(LoadErrorKind::too_much("core instances, components expanded", PARTS, whole(cost.instances)));
    }
    if whole(cost.items) > ITEMS {
        return Err(LoadErrorKind::too_much("items, components expanded", ITEMS, whole(cost.items)));
    }
    Ok(())
}

fn handed_in() -> LoadErrorKind {
    LoadErrorKind::HandedIn
}

fn invalid(error: wasmparser::BinaryReaderError) -> LoadErrorKind {
    LoadErrorKind::Invalid { message: one_line(error) }
}

#[cfg(test)]
mod tests;
