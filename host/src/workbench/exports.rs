//! What of the contract is among the exports of a file, and what is nearly of it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::diagnose::closest;
use crate::plugin::{CONTRACT_PACKAGE, CONTRACT_VERSION, contract_interfaces};

/// Exports by their meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContractExports {
    /// Interfaces that fill a role: `balancer`, `chooser`, `router`, `rewriter`.
    pub roles: Vec<String>,
    /// Other interfaces of the contract: `describe`, `feedback`, `handover`, `repetition`.
    pub optional: Vec<String>,
    /// Versions of the contract that they name; short names stand for the one that this gateway speaks.
    pub versions: Vec<String>,
    /// Exports that nothing will ever call, and that are nearly a name of the contract: a sentence each.
    pub misspelt: Vec<String>,
}

/// Reads names of exports: those of a component, or of the functions of a core module.
pub(super) fn contract_exports(exports: &BTreeSet<String>, is_component: bool) -> ContractExports {
    let known = contract_interfaces();
    let (mut found, mut versions, mut misspelt) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for export in exports {
        let name = export.strip_prefix("cabi_post_").unwrap_or(export);
        if let Some(rest) = name.strip_prefix(CONTRACT_PACKAGE) {
            let (interface, version) = rest.split_once('@').unwrap_or((rest.split('#').next().unwrap_or(rest), ""));
            let (version, function) = version.split_once('#').unwrap_or((version, ""));
            versions.extend((!version.is_empty()).then(|| version.to_owned()));
            match known.iter().find(|known| known.name == interface) {
                Some(known) if function.is_empty() || known.functions.contains(&function) => {
                    found.insert(known.name);
                }
                Some(known) => misspelt.extend(nearly(export, function, known.functions.iter().copied())),
                None => misspelt.extend(nearly(export, interface, known.iter().map(|known| known.name))),
            }
        } else if !is_component {
            let functions = || known.iter().flat_map(|known| known.functions).copied();
            // `configure` is every role's.
            let mut own = known.iter().filter(|known| known.functions.contains(&name) && name != "configure");
            if let Some(interface) = own.next() {
                found.insert(interface.name);
                versions.insert(CONTRACT_VERSION.to_owned());
            } else if !functions().any(|function| function == name) {
                misspelt.extend(nearly(export, name, functions()));
            }
        }
    }
    let is_role = |name: &str| known.iter().any(|known| known.fills_role && known.name == name);
    let (roles, optional) = found.into_iter().map(str::to_owned).partition(|name: &String| is_role(name));
    ContractExports { roles, optional, versions: versions.into_iter().collect(), misspelt }
}

fn nearly<'a>(export: &str, word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let meant = closest(word, names)?;
    Some(format!("nothing calls the export `{export}`; did you mean `{meant}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str], is_component: bool) -> ContractExports {
        contract_exports(&names.iter().map(|name| (*name).to_owned()).collect(), is_component)
    }

    #[test]
    fn every_interface_is_found_by_its_full_name_and_by_each_of_its_functions() {
        for interface in contract_interfaces() {
            let name = format!("{CONTRACT_PACKAGE}{}@{CONTRACT_VERSION}", interface.name);
            let found = read(&[&name], true);
            assert_eq!([found.roles, found.optional].concat(), [interface.name]);
            for function in interface.functions {
                let found = read(&[&format!("{name}#{function}")], false);
                assert_eq!([found.roles, found.optional].concat(), [interface.name]);
                assert_eq!((found.versions, found.misspelt), (vec![CONTRACT_VERSION.to_owned()], vec![]));
            }
        }
        assert_eq!(read(&["configure", "pick", "save", "memory", "cabi_realloc"], false).optional, ["handover"]);
    }

    #[test]
    fn what_is_nearly_a_name_of_the_contract_is_said() {
        let misspelt = |name: &str, is_component| read(&[name], is_component).misspelt.join("");

        assert!(misspelt("restor", false).contains("`restore`"));
        assert!(misspelt("cabi_post_pikc", false).contains("`pick`"));
        assert!(misspelt("tidegate:plugin/feedbck@0.1.0", true).contains("`feedback`"));
        assert!(misspelt("tidegate:plugin/handover@0.1.0#sav", false).contains("`save`"));
        for fine in ["cabi_realloc", "_initialize", "memory", "main", "malloc", "free", "configure", "__reset"] {
            assert_eq!(misspelt(fine, false), "", "{fine}");
        }
        assert_eq!(misspelt("restor", true), "", "a component may export what it likes beside the contract");
    }
}
