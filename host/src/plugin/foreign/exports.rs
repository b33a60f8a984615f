//! Exports among which there is no role: what was meant.

use super::super::contract::{PACKAGE, VERSION};
use super::super::role::{RoleContracts, exportable, own_functions};
use super::super::text::quoted;
use crate::diagnose::{closest, one_of};

/// One export of a file.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Exported<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) is_function: bool,
}

/// What an author does whose file has no role. Starts with "; ".
///
/// `is_component`: its functions are in interfaces. `is_go`: the Go compiler has made it.
pub(in super::super) fn export_remedy(
    exports: &[Exported<'_>],
    roles: &RoleContracts,
    is_component: bool,
    is_go: bool,
) -> String {
    let begins = |beginning: &str| exports.iter().any(|export| export.name.starts_with(beginning));
    let named = |name: &str| exports.iter().any(|export| export.name == name);
    if begins("proxy_abi_version") || begins("proxy_on_") {
        return "; this is a proxy-wasm filter, for Envoy and the like; Tidegate has a contract of its own: start from \
                `tidegate plugin new`"
            .to_owned();
    }
    if let Some(meant) = exports.iter().find_map(|export| meant(export, roles, is_component)) {
        return format!("; {meant}");
    }
    let own = own_functions(roles).collect::<Vec<_>>();
    if named("configure") {
        return format!("; `configure` alone makes no role: export {} beside it", one_of(own));
    }
    if is_go {
        return "; Go exports a function with `//go:wasmexport pick` above it (`//export` does nothing here); build \
                with `GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared`"
            .to_owned();
    }
    if begins("wasi:http/") {
        return "; this is an HTTP component, for another host; start from `tidegate plugin new`".to_owned();
    }
    if named("_start") || begins("wasi:cli/run") || named("main") {
        return "; this is a program: build a library that exports a role (Rust: `crate-type = [\"cdylib\"]` and \
                `export_balancer!(…)`; C: `-mexec-model=reactor`)"
            .to_owned();
    }
    if is_component {
        return format!(
            "; let its world `export {PACKAGE}balancer@{VERSION};` (Rust: add `export_balancer!(Least);` after the `impl` \
             of your type), see `tidegate plugin new`"
        );
    }
    if !exports.iter().any(|export| export.is_function) {
        return "; export its functions (Rust: `export_balancer!(…)` in a `cdylib`; C: \
                `__attribute__((export_name(\"pick\")))`; Zig: `export fn` and `-rdynamic`; AssemblyScript: `export \
                function` in the entry file)"
            .to_owned();
    }
    "; export a role, see `tidegate plugin new`".to_owned()
}

/// What is nearly a part of the contract.
fn meant(export: &Exported<'_>, roles: &RoleContracts, is_component: bool) -> Option<String> {
    let Exported { name, is_function } = *export;
    if let Some((package, rest)) = name.split_once('/')
        && package.contains(':')
        && !package.starts_with("wasi:")
    {
        return interface_meant(name, package, rest, roles);
    }
    let own = own_functions(roles).find(|own| *own == name);
    match own {
        Some(own) if is_component => {
            let interface = exportable(roles).find(|interface| interface.own() == Some(own))?.name;
            Some(format!(
                "a component exports `{own}` in an interface: let its world `export {PACKAGE}{interface}@{VERSION};` \
                 (the short name is for bare modules)"
            ))
        }
        Some(own) if !is_function => Some(format!("`{own}` is there, but it is no function")),
        Some(_) => None,
        None if !is_function => None,
        None => {
            let bare = name.rsplit(['.', ':', '#']).next().unwrap_or(name).trim_start_matches('_');
            let meant = closest(bare, own_functions(roles))?;
            Some(format!("did you mean `{meant}` instead of {}?", quoted(name)))
        }
    }
}

/// What `package`/`rest` is meant to be.
fn interface_meant(name: &str, package: &str, rest: &str, roles: &RoleContracts) -> Option<String> {
    let of = rest.split(['@', '#', '/', '.']).next().unwrap_or(rest);
    let meant = closest(of, exportable(roles).map(|interface| interface.name))?;
    let full = format!("{PACKAGE}{meant}@{VERSION}");
    if format!("{package}/") == PACKAGE {
        return Some(format!("did you mean `{full}`?"));
    }
    Some(format!("{} is of another package: the contract's is `{full}`", quoted(name)))
}
