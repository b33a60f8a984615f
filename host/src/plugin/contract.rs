//! The contract with plugins: its name, its version, and the WIT files themselves.

use anyhow::Context as _;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve, SourceMap};

/// The package that all versions of the contract share.
pub const PACKAGE: &str = "tidegate:plugin/";

/// The version that this host speaks.
pub const VERSION: &str = "0.1.0";

/// An interface that a plugin may export.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: &'static str,
    /// All its functions; the last one is its alone, by which bare modules are known.
    pub(super) functions: &'static [&'static str],
}

impl Interface {
    /// The function that no other interface has.
    pub(super) fn own(&self) -> Option<&'static str> {
        self.functions.last().copied()
    }
}

/// `cabi_realloc` of a bare module as an export like any other, so that the trial can look at what it returns.
pub(super) const TRIAL_REALLOC: &str = "tidegate-trial-realloc";

/// What a plugin of any role may say about itself.
pub(super) const DESCRIBE: Interface = Interface { name: "describe", functions: &["description"] };

/// The frozen folder of version 0.1, file by file.
pub(super) const FILES: [(&str, &str); 9] = [
    ("balancer.wit", include_str!("../../../plugin-sdk/wit/v0.1/balancer.wit")),
    ("chooser.wit", include_str!("../../../plugin-sdk/wit/v0.1/chooser.wit")),
    ("effects.wit", include_str!("../../../plugin-sdk/wit/v0.1/effects.wit")),
    ("host.wit", include_str!("../../../plugin-sdk/wit/v0.1/host.wit")),
    ("preview.wit", include_str!("../../../plugin-sdk/wit/v0.1/preview.wit")),
    ("rewriter.wit", include_str!("../../../plugin-sdk/wit/v0.1/rewriter.wit")),
    ("router.wit", include_str!("../../../plugin-sdk/wit/v0.1/router.wit")),
    ("types.wit", include_str!("../../../plugin-sdk/wit/v0.1/types.wit")),
    ("worlds.wit", include_str!("../../../plugin-sdk/wit/v0.1/worlds.wit")),
];

/// The parsed contract.
fn resolve() -> anyhow::Result<(Resolve, PackageId)> {
    let mut sources = SourceMap::new();
    for (name, text) in FILES {
        sources.push_str(name, text);
    }
    let group = sources.parse().map_err(|(_, error)| anyhow::anyhow!("{error:?}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).context("the contract's own WIT")?;
    Ok((resolve, package))
}

/// `module` with the metadata of a world of the contract.
pub(super) fn embed(mut module: Vec<u8>, world: &str) -> anyhow::Result<Vec<u8>> {
    let (resolve, package) = resolve()?;
    let world = resolve.select_world(&[package], Some(world))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

/// `module` with the metadata of a world made up of these interfaces.
pub(super) fn embed_interfaces(mut module: Vec<u8>, imports: &[&str], exports: &[&str]) -> anyhow::Result<Vec<u8>> {
    use std::fmt::Write as _;

    let mut text = "package tidegate:host;\nworld bare {\n".to_owned();
    for (verb, names) in [("import", imports), ("export", exports)] {
        for name in names {
            let _ = writeln!(text, "  {verb} {PACKAGE}{name}@{VERSION};");
        }
    }
    let _ =
        writeln!(text, "  export {TRIAL_REALLOC}: func(old: u32, old-size: u32, align: u32, size: u32) -> u32;\n}}");
    let (mut resolve, _) = resolve()?;
    let package = resolve.push_source("bare.wit", &text)?;
    let world = resolve.select_world(&[package], Some("bare"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

/// Names of the functions of an interface, as the WIT files have them.
#[cfg(test)]
pub(super) fn functions_of(interface: &str) -> Vec<String> {
    let (resolve, package) = resolve().unwrap();
    let id = resolve.packages[package].interfaces[interface];
    resolve.interfaces[id].functions.keys().cloned().collect()
}
