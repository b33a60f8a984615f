//! What a component exports and imports by its own type, read before any of it runs.

use std::collections::BTreeSet;

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::contract::{PACKAGE, VERSION};
use super::error::LoadErrorKind;
use super::foreign::{Exported, contract_remedy, export_remedy, import_remedy};
use super::role::{RoleContract, RoleContracts, RoleName};
use super::text::one_line;
use crate::config::{Allow, CAPABILITIES};

/// Exports and imports of a component, as far as the contract knows them.
#[derive(Debug)]
pub(super) struct ComponentInterface {
    exports: BTreeSet<String>,
    imports: BTreeSet<String>,
    pub(super) roles: Vec<RoleName>,
    pub(super) wasi: bool,
    /// Whether it may ask for the request line, which is copied for nobody else.
    pub(super) asks_line: bool,
}

impl ComponentInterface {
    /// Reads the type of `component` and refuses what this host cannot meet.
    pub(super) fn of(component: &Component, engine: &Engine, roles: &RoleContracts) -> Result<Self, LoadErrorKind> {
        let ty = component.component_type();
        let exports = ty
            .exports(engine)
            .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentInstance(_)))
            .filter_map(|(name, _)| interface(name).transpose())
            .collect::<Result<BTreeSet<_>, _>>()?;
        let (mut imports, mut wasi, mut asks_line) = (BTreeSet::new(), false, false);
        for (name, item) in ty.imports(engine) {
            if name.starts_with("wasi:") {
                wasi = true;
            } else if let Some(interface) = interface(name)? {
                let known =
                    CAPABILITIES.contains(&interface.as_str()) || ["types", "system"].contains(&interface.as_str());
                if !known && has_functions(&item.ty, engine) {
                    return Err(LoadErrorKind::UnknownImport {
                        import: one_line(name),
                        remedy: contract_remedy(name, ""),
                    });
                }
                asks_line |= interface == "request" && has_function(&item.ty, engine, "line");
                imports.insert(interface);
            } else if has_functions(&item.ty, engine) {
                return Err(LoadErrorKind::UnknownImport { import: one_line(name), remedy: import_remedy(name, "") });
            }
        }
        LoadErrorKind::check_filled_once(roles, |interface| exports.contains(interface.name))?;
        let is_filled = |role: &&&RoleContract| role.filled_by.iter().any(|one| exports.contains(one.name));
        let filled: Vec<_> = roles.iter().filter(is_filled).map(|role| role.name).collect();
        if filled.is_empty() {
            let exports: Vec<_> = ty
                .exports(engine)
                .map(|(name, item)| Exported { name, is_function: matches!(item.ty, ComponentItem::ComponentFunc(_)) })
                .collect();
            let remedy = export_remedy(&exports, roles, true, false);
            return Err(LoadErrorKind::no_role(roles, exports.iter().map(|export| export.name), remedy));
        }
        Ok(Self { exports, imports, roles: filled, wasi, asks_line })
    }

    /// Interfaces of the contract that the component exports.
    pub(super) fn exported(&self) -> impl Iterator<Item = &str> {
        self.exports.iter().map(String::as_str)
    }

    /// Interfaces of the contract that the component imports.
    pub(super) fn imported(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().map(String::as_str)
    }

    /// Whether the component exports the interface.
    pub(super) fn exports(&self, interface: &str) -> bool {
        self.exports.contains(interface)
    }

    /// Whether the component imports the interface.
    pub(super) fn imports(&self, interface: &str) -> bool {
        self.imports.contains(interface)
    }

    /// Whether all that the component can learn during a call stands in the call's arguments.
    pub(super) fn sees_arguments_only(&self) -> bool {
        !self.wasi && self.imports.iter().all(|import| ["types", "log"].contains(&import.as_str()))
    }

    /// Refuses an import that the operator does not grant.
    pub(super) fn check(&self, allow: &Allow) -> Result<(), LoadErrorKind> {
        let Allow::Only(granted) = allow else { return Ok(()) };
        let refused =
            CAPABILITIES.iter().find(|name| self.imports(name) && !granted.iter().any(|grant| grant == *name));
        match refused {
            Some(import) => Err(LoadErrorKind::NotGranted { import: (*import).to_owned(), granted: granted.clone() }),
            None => Ok(()),
        }
    }
}

/// `balancer` of `tidegate:plugin/balancer@0.1.0`; none for a name that is not of the contract.
fn interface(name: &str) -> Result<Option<String>, LoadErrorKind> {
    let Some(rest) = name.strip_prefix(PACKAGE) else { return Ok(None) };
    match rest.split_once('@') {
        Some((interface, VERSION)) => Ok(Some(interface.to_owned())),
        _ => Err(LoadErrorKind::Version { found: one_line(name) }),
    }
}

fn has_function(item: &ComponentItem, engine: &Engine, function: &str) -> bool {
    let ComponentItem::ComponentInstance(instance) = item else { return false };
    instance.exports(engine).any(|(name, _)| name == function)
}

/// Importing types alone asks for nothing.
fn has_functions(item: &ComponentItem, engine: &Engine) -> bool {
    match item {
        ComponentItem::Type(_) => false,
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).any(|(_, item)| !matches!(item.ty, ComponentItem::Type(_)))
        }
        _ => true,
    }
}
