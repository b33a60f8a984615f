//! `docs/plugins/abi.md` against the contract: every type with its offsets, every function with its core signature.
//!
//! The tables between the marks are made from the WIT; `UPDATE_EXPECTED=1` writes them anew.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tidegate::plugin::{PluginFile, PluginLimits, Runtime};
use wit_parser::abi::{AbiVariant, FlatTypes, WasmType};
use wit_parser::{Function, Interface, PackageId, Resolve, SizeAlign, SourceMap, Type, TypeDefKind, WorldItem};

const PAGE: &str = "docs/plugins/abi.md";
const BEGIN: &str = "<!-- made from the WIT -->\n";
const END: &str = "<!-- end of what is made from the WIT -->";

/// What every plugin may import; all other interfaces with functions are exported by plugins.
const IMPORTS: &str = "imports";
/// Not for authors.
const INTERNAL: &str = "system";

#[test]
fn the_page_has_every_type_and_function_as_the_contract_has_it() {
    let path = top().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the mark where the tables begin");
    let (tables, after) = rest.split_once(END).expect("the mark where the tables end");
    let made = Contract::read().tables();

    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
        return;
    }
    let differing = made.lines().zip(tables.lines()).find(|(made, found)| made != found);
    assert!(made == tables, "{PAGE} differs from the WIT, first in (expected, found): {differing:?}");
}

#[test]
fn a_module_with_the_signatures_of_the_page_is_taken_by_short_and_by_full_names() {
    let contract = Contract::read();
    let runtime = Runtime::new(None).unwrap();
    for full in [false, true] {
        for (interface, role) in
            [("balancer", "balancer"), ("chooser", "balancer"), ("router", "router"), ("rewriter", "rewriter")]
        {
            let text = contract.module(interface, full);

            let loaded = runtime.load(&PluginFile {
                name: interface,
                origin: "abi.wat",
                bytes: text.as_bytes(),
                limits: &PluginLimits::default(),
                table: None,
            });

            let roles: Vec<_> = loaded.unwrap().roles().iter().map(ToString::to_string).collect();
            assert_eq!(roles, [role], "full names: {full}\n{text}");
        }
    }
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

struct Contract {
    resolve: Resolve,
    package: PackageId,
    sizes: SizeAlign,
}

impl Contract {
    fn read() -> Self {
        let mut resolve = Resolve::default();
        let mut sources = SourceMap::new();
        let folder = fs::read_dir(top().join("plugin-sdk/wit/v0.1")).unwrap();
        let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            sources.push_str(file.to_str().unwrap(), fs::read_to_string(&file).unwrap());
        }
        let package = resolve.push_group(sources.parse().map_err(|(_, error)| error).unwrap()).unwrap();
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        Self { resolve, package, sizes }
    }

    fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        let interfaces = self.resolve.packages[self.package].interfaces.values();
        interfaces.map(|id| &self.resolve.interfaces[*id]).filter(|one| one.name.as_deref() != Some(INTERNAL))
    }

    /// Names of the interfaces that the host offers to authors.
    fn offered(&self) -> BTreeSet<&str> {
        let world = &self.resolve.worlds[self.resolve.packages[self.package].worlds[IMPORTS]];
        let interface = |item: &WorldItem| match item {
            WorldItem::Interface { id, .. } => Some(name(&self.resolve.interfaces[*id])),
            _ => None,
        };
        world.imports.values().filter_map(interface).collect()
    }

    fn tables(&self) -> String {
        let mut text = String::new();
        let names = self.offered();
        let offered = |one: &&Interface| names.contains(name(one));
        text.push_str(
            "\n### What a plugin exports\n\n| interface | function | parameters | result |\n|---|---|---|---|\n",
        );
        self.interfaces()
            .filter(|one| !offered(one))
            .for_each(|one| self.functions(one, AbiVariant::GuestExport, &mut text));
        text.push_str(
            "\n### What a plugin imports\n\n| interface | function | parameters | result |\n|---|---|---|---|\n",
        );
        self.interfaces().filter(offered).for_each(|one| self.functions(one, AbiVariant::GuestImport, &mut text));
        text.push_str("\n### Types with a name\n");
        for interface in self.interfaces() {
            for (type_name, id) in &interface.types {
                self.named(name(interface), type_name, &Type::Id(*id), &mut text);
            }
        }
        text.push_str("\n### Shapes without a name\n\n| shape | bytes | aligned to | layout |\n|---|---|---|---|\n");
        for (shape, ty) in self.shapes() {
            let (bytes, align) = self.size(&ty);
            let _ = writeln!(text, "| `{shape}` | {bytes} | {align} | {} |", self.layout(&ty));
        }
        text.push('\n');
        text
    }

    fn functions(&self, interface: &Interface, side: AbiVariant, text: &mut String) {
        for function in interface.functions.values() {
            let signature = self.resolve.wasm_signature(side, function);
            assert!(!signature.indirect_params, "the page says that no parameters are spilled: {}", function.name);
            let mut parameters: Vec<_> = Vec::new();
            function.params.iter().for_each(|one| self.parameter(&one.name, &one.ty, &mut parameters));
            let shown = function.result.as_ref().map(|ty| self.shape(ty));
            let result = match (shown, signature.retptr, side) {
                (Some(shape), true, AbiVariant::GuestImport) => {
                    parameters.push("result: i32".to_owned());
                    format!("at `result`: `{shape}`")
                }
                (Some(shape), true, _) => format!("i32, which points to `{shape}`"),
                (Some(shape), false, _) => format!("{}, the `{shape}`", words(&signature.results)),
                (None, ..) => "none".to_owned(),
            };
            let count = parameters.iter().map(|one| one.split(": ").nth(1).unwrap().split(' ').count()).sum::<usize>();
            assert_eq!(count, signature.params.len(), "{}", function.name);
            let parameters =
                if parameters.is_empty() { "none".to_owned() } else { format!("`{}`", parameters.join(", ")) };
            let _ = writeln!(text, "| `{}` | `{}` | {parameters} | {result} |", name(interface), function.name);
        }
    }

    /// A parameter with its core types; of a record, each field.
    fn parameter(&self, path: &str, ty: &Type, found: &mut Vec<String>) {
        if let Some(TypeDefKind::Record(record)) = self.kind(ty) {
            for field in &record.fields {
                self.parameter(&format!("{path}.{}", field.name), &field.ty, found);
            }
            return;
        }
        found.push(format!("{path}: {}", words(&self.flat(ty))));
    }

    fn flat(&self, ty: &Type) -> Vec<WasmType> {
        let mut storage = [WasmType::I32; Resolve::MAX_FLAT_PARAMS];
        let mut flat = FlatTypes::new(&mut storage);
        assert!(self.resolve.push_flat(ty, &mut flat), "a parameter is not spilled");
        flat.to_vec()
    }

    /// What a type is, `use` and other second names looked through.
    fn kind(&self, ty: &Type) -> Option<&TypeDefKind> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Type(other) => self.kind(other),
            kind => Some(kind),
        }
    }

    fn size(&self, ty: &Type) -> (usize, usize) {
        (self.sizes.size(ty).size_wasm32(), self.sizes.align(ty).align_wasm32())
    }

    fn named(&self, interface: &str, type_name: &str, ty: &Type, text: &mut String) {
        let Type::Id(id) = ty else { return };
        let (bytes, align) = self.size(ty);
        let what = match &self.resolve.types[*id].kind {
            TypeDefKind::Record(_) => "record",
            TypeDefKind::Variant(_) => "variant",
            TypeDefKind::Enum(_) => "enum",
            TypeDefKind::Tuple(_) => "tuple",
            // Brought in by `use`: it is listed where it is defined.
            TypeDefKind::Type(_) => return,
            other => panic!("{interface}.{type_name}: the page has no words for {}", other.as_str()),
        };
        let unit = if bytes == 1 { "byte" } else { "bytes" };
        let _ = writeln!(text, "\n`{interface}.{type_name}`, {what}: {bytes} {unit}, aligned to {align}\n");
        match &self.resolve.types[*id].kind {
            TypeDefKind::Record(record) => {
                text.push_str("| field | type | offset | bytes |\n|---|---|---|---|\n");
                let offsets = self.sizes.field_offsets(record.fields.iter().map(|field| &field.ty));
                for (field, (offset, ty)) in record.fields.iter().zip(offsets) {
                    let (at, bytes) = (offset.size_wasm32(), self.size(ty).0);
                    let _ = writeln!(text, "| `{}` | `{}` | {at} | {bytes} |", field.name, self.shape(ty));
                }
            }
            TypeDefKind::Tuple(tuple) => {
                text.push_str("| place | type | offset | bytes |\n|---|---|---|---|\n");
                for (place, (offset, ty)) in self.sizes.field_offsets(&tuple.types).into_iter().enumerate() {
                    let (at, bytes) = (offset.size_wasm32(), self.size(ty).0);
                    let _ = writeln!(text, "| {place} | `{}` | {at} | {bytes} |", self.shape(ty));
                }
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| case.ty.as_ref());
                let at = self.sizes.payload_offset(variant.tag(), cases).size_wasm32();
                let _ = writeln!(text, "| case | number, a byte at 0 | carries, at {at} | bytes |\n|---|---|---|---|");
                for (number, case) in variant.cases.iter().enumerate() {
                    let carried = case.ty.as_ref().map_or("nothing".to_owned(), |ty| format!("`{}`", self.shape(ty)));
                    let bytes = case.ty.as_ref().map_or(0, |ty| self.size(ty).0);
                    let _ = writeln!(text, "| `{}` | {number} | {carried} | {bytes} |", case.name);
                }
            }
            TypeDefKind::Enum(listed) => {
                text.push_str("| case | number |\n|---|---|\n");
                for (number, case) in listed.cases.iter().enumerate() {
                    let _ = writeln!(text, "| `{}` | {number} |", case.name);
                }
            }
            _ => {}
        }
    }

    /// How WIT spells a type.
    fn shape(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return match ty {
                Type::Bool => "bool",
                Type::U8 => "u8",
                Type::U32 => "u32",
                Type::U64 => "u64",
                Type::F64 => "f64",
                Type::String => "string",
                other => panic!("the page has no words for {other:?}"),
            }
            .to_owned();
        };
        let def = &self.resolve.types[*id];
        if let Some(name) = &def.name {
            return name.clone();
        }
        let or_none = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| self.shape(ty));
        match &def.kind {
            TypeDefKind::List(ty) => format!("list<{}>", self.shape(ty)),
            TypeDefKind::Option(ty) => format!("option<{}>", self.shape(ty)),
            TypeDefKind::Tuple(tuple) => {
                format!("tuple<{}>", tuple.types.iter().map(|ty| self.shape(ty)).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Result(result) => match (&result.ok, &result.err) {
                (ok, Some(_)) => format!("result<{}, {}>", or_none(ok), or_none(&result.err)),
                (ok, None) => format!("result<{}>", or_none(ok)),
            },
            other => panic!("the page has no words for {}", other.as_str()),
        }
    }

    /// Every shape without a name that the contract has, and every plain type, by its spelling.
    fn shapes(&self) -> Vec<(String, Type)> {
        let mut pending: Vec<Type> = Vec::new();
        for interface in self.interfaces() {
            pending.extend(interface.types.values().map(|id| Type::Id(*id)));
            for function in interface.functions.values() {
                pending.extend(function.params.iter().map(|one| one.ty).chain(function.result));
            }
        }
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        while let Some(ty) = pending.pop() {
            let is_named = matches!(ty, Type::Id(id) if self.resolve.types[id].name.is_some());
            let is_new = seen.insert(self.shape(&ty));
            match self.kind(&ty) {
                _ if !is_new => {}
                Some(TypeDefKind::Record(record)) => pending.extend(record.fields.iter().map(|field| field.ty)),
                Some(TypeDefKind::Variant(variant)) => pending.extend(variant.cases.iter().filter_map(|case| case.ty)),
                Some(TypeDefKind::Tuple(tuple)) => pending.extend(&tuple.types),
                Some(TypeDefKind::List(ty) | TypeDefKind::Option(ty)) => pending.push(*ty),
                Some(TypeDefKind::Result(result)) => pending.extend(result.ok.iter().chain(&result.err)),
                _ => {}
            }
            if !is_named && is_new {
                found.push((self.shape(&ty), ty));
            }
        }
        found.sort_by_key(|(shape, ty)| (matches!(ty, Type::Id(_)), shape.clone()));
        found
    }

    fn layout(&self, ty: &Type) -> String {
        let after = |tag: wit_parser::Int, ty: &[Option<&Type>]| {
            self.sizes.payload_offset(tag, ty.iter().copied()).size_wasm32()
        };
        match (ty, self.kind(ty)) {
            (Type::Bool, _) => "0 or 1".to_owned(),
            (Type::F64, _) => "IEEE 754, little endian".to_owned(),
            (Type::String, _) => "0: pointer; 4: bytes".to_owned(),
            (_, Some(TypeDefKind::List(item))) => {
                let (bytes, align) = self.size(item);
                format!("0: pointer, to elements of {bytes} bytes aligned to {align}; 4: how many elements")
            }
            (_, Some(TypeDefKind::Option(inner))) => {
                let at = after(wit_parser::Int::U8, &[None, Some(inner)]);
                format!("0: a byte, 1 if there is one, else 0; {at}: `{}`", self.shape(inner))
            }
            (_, Some(TypeDefKind::Result(result))) => {
                let at = after(wit_parser::Int::U8, &[result.ok.as_ref(), result.err.as_ref()]);
                let carried =
                    |ty: &Option<Type>| ty.as_ref().map_or("nothing".to_owned(), |ty| format!("`{}`", self.shape(ty)));
                format!("0: a byte, 0 ok, 1 error; {at}: {} or {}", carried(&result.ok), carried(&result.err))
            }
            (_, Some(TypeDefKind::Tuple(tuple))) => {
                let offsets = self.sizes.field_offsets(&tuple.types).into_iter();
                let parts = offsets.map(|(at, ty)| format!("{}: `{}`", at.size_wasm32(), self.shape(ty)));
                parts.collect::<Vec<_>>().join("; ")
            }
            _ => "little endian".to_owned(),
        }
    }

    /// A module with this interface of a role that imports and exports all that the page lists and does nothing.
    fn module(&self, of_role: &str, full: bool) -> String {
        let beside: &[&str] = match of_role {
            "balancer" | "chooser" => &["feedback", "handover", "preview", "describe"],
            "router" => &["repetition", "preview", "describe"],
            _ => &["describe"],
        };
        let mut imports = String::new();
        let mut functions = String::new();
        let names = self.offered();
        for interface in self.interfaces() {
            let (from, is_offered) = (name(interface), names.contains(name(interface)));
            let long = format!("tidegate:plugin/{from}@0.1.0");
            for function in interface.functions.values() {
                if is_offered {
                    let module = if full { &long } else { "tidegate" };
                    let signature = self.core(AbiVariant::GuestImport, function);
                    let _ = writeln!(imports, "(import \"{module}\" \"{}\" (func {signature}))", function.name);
                } else if from == of_role || beside.contains(&from) {
                    let prefix = if full { format!("{long}#") } else { String::new() };
                    let signature = self.core(AbiVariant::GuestExport, function);
                    let _ =
                        writeln!(functions, "(func (export \"{prefix}{}\") {signature} unreachable)", function.name);
                }
            }
        }
        format!(
            "(module\n{imports}(memory (export \"memory\") 1)\n\
             (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) unreachable)\n{functions})"
        )
    }

    fn core(&self, side: AbiVariant, function: &Function) -> String {
        let signature = self.resolve.wasm_signature(side, function);
        let part = |word: &str, types: &[WasmType]| {
            if types.is_empty() { String::new() } else { format!("({word} {})", words(types)) }
        };
        format!("{} {}", part("param", &signature.params), part("result", &signature.results))
    }
}

fn name(interface: &Interface) -> &str {
    interface.name.as_deref().unwrap()
}

/// Core types of wasm, with a blank between.
fn words(types: &[WasmType]) -> String {
    let word = |ty: &WasmType| match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    };
    types.iter().map(word).collect::<Vec<_>>().join(" ")
}
