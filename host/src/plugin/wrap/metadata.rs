//! A look at the metadata that a bindings generator left in a module, before the library that understands it sees it.
//!
//! The metadata names packages with the types that they take from each other. Two that take from one another are
//! endless recursion to the library; and a module that was built against another version of the contract looks just
//! like that.

use wasmparser::{ComponentType, ComponentTypeDeclaration, InstanceTypeDeclaration, KnownCustom, Parser, Payload};

use super::super::contract::{PACKAGE, VERSION};
use super::super::error::LoadErrorKind;
use super::super::text::one_line;

/// Types within types that are looked into; the contract's have three.
const DEPTH: usize = 16;

/// Refuses a module whose metadata names interfaces that are neither the contract's nor WASI's.
pub(super) fn check(module: &[u8]) -> Result<(), LoadErrorKind> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload.map_err(invalid)?
            && matches!(section.as_known(), KnownCustom::Unknown)
            && section.name().starts_with("component-type")
        {
            section_of(section.data())?;
        }
    }
    Ok(())
}

/// The section is a component, its one type is the world.
fn section_of(data: &[u8]) -> Result<(), LoadErrorKind> {
    for payload in Parser::new(0).parse_all(data) {
        if let Payload::ComponentTypeSection(section) = payload.map_err(invalid)? {
            for ty in section {
                look(&ty.map_err(invalid)?, 0)?;
            }
        }
    }
    Ok(())
}

fn look(ty: &ComponentType<'_>, depth: usize) -> Result<(), LoadErrorKind> {
    if depth > DEPTH {
        return Err(LoadErrorKind::too_much("types within each other in its metadata", DEPTH, depth));
    }
    match ty {
        ComponentType::Component(declarations) => {
            for declaration in declarations {
                match declaration {
                    ComponentTypeDeclaration::Type(ty) => look(ty, depth + 1)?,
                    ComponentTypeDeclaration::Export { name, .. } => named(name.name, depth)?,
                    ComponentTypeDeclaration::Import(import) => named(import.name.name, depth)?,
                    _ => {}
                }
            }
        }
        ComponentType::Instance(declarations) => {
            for declaration in declarations {
                match declaration {
                    InstanceTypeDeclaration::Type(ty) => look(ty, depth + 1)?,
                    InstanceTypeDeclaration::Export { name, .. } => named(name.name, depth)?,
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// `namespace:package/interface@version` must be the contract's or WASI's. The outermost name is that of the plugin's
/// own world, which may be of its own package.
fn named(name: &str, depth: usize) -> Result<(), LoadErrorKind> {
    let Some((package, rest)) = name.split_once('/').filter(|(package, _)| package.contains(':')) else {
        return Ok(());
    };
    let contract = PACKAGE.trim_end_matches('/');
    if package == contract {
        return match rest.split_once('@') {
            Some((_, VERSION)) => Ok(()),
            _ => Err(LoadErrorKind::Version { found: one_line(name) }),
        };
    }
    if package.starts_with("wasi:") || depth == 0 {
        return Ok(());
    }
    Err(LoadErrorKind::Foreign { found: one_line(name) })
}

fn invalid(error: wasmparser::BinaryReaderError) -> LoadErrorKind {
    LoadErrorKind::Invalid { message: one_line(error) }
}

#[cfg(test)]
mod tests {
    use super::super::super::shipped::{SHIPPED, shipped};
    use super::*;

    #[test]
    fn what_ships_passes() {
        for name in SHIPPED {
            check(shipped(name).unwrap()).unwrap();
        }
    }

    #[test]
    fn another_version_and_another_package_are_refused_with_the_name() {
        let module = shipped("byrequests").unwrap();
        let named = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let mut changed = module.to_vec();
            let found: Vec<_> =
                module.windows(from.len()).enumerate().filter(|(_, at)| *at == from.as_bytes()).collect();
            for (at, _) in &found {
                changed[*at..*at + to.len()].copy_from_slice(to.as_bytes());
            }
            assert!(!found.is_empty(), "{from} is not in the module");
            check(&changed).unwrap_err()
        };

        for (to, expected) in [
            ("tidegate:plugin/balancer@0.2.0", "expected version 0.1.0 of the contract"),
            ("tidegate:p2ugin/balancer@0.1.0", "expected interfaces of tidegate:plugin@0.1.0 and WASI alone"),
            ("elsewhere:other/balancer@0.1.0", "expected interfaces of tidegate:plugin@0.1.0 and WASI alone"),
        ] {
            let refused = named("tidegate:plugin/balancer@0.1.0", to).to_string();
            assert!(refused.contains(expected) && refused.contains(to), "{refused}");
        }
    }
}
