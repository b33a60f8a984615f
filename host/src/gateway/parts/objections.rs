//! What a plugin has against its configuration, or a file against being a plugin, at the place where that is written.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, ConfigPlace, PluginUse};
use crate::diagnose::{FileFault, FileFaults};
use crate::files::ReadError;
use crate::gateway::error::PrepareError;
use crate::plugin::{Artifact, ConfigFault, LoadError, LoadErrorKind, TableError};
use crate::text::joined_lines;

/// Why the plugin of `used` cannot be made ready `for_whom` (`cluster chat`, `the router`). What it has against its
/// configuration becomes faults of the file, and is kept as its last refusal; all else is as it was.
pub(super) fn place(
    config: &Config,
    used: &PluginUse,
    for_whom: &str,
    artifacts: &BTreeMap<String, Arc<Artifact>>,
    error: LoadError,
) -> PrepareError {
    let LoadErrorKind::Configure { faults } = &error.problem else { return of_file(config, for_whom, error) };
    let placed = faults.iter().map(|fault| objection(config, used, for_whom, &error, fault));
    let faults = FileFaults { faults: placed.collect() };
    if let Some(artifact) = artifacts.get(&used.plugin) {
        artifact.refused_with(joined_lines(&faults.to_string()));
    }
    PrepareError::PluginConfig { plugin: error.plugin.clone(), faults }
}

/// Why the file of a plugin cannot be used `for_whom`, at the place where the file is named.
pub(super) fn of_file(config: &Config, for_whom: &str, error: LoadError) -> PrepareError {
    let section = config.plugins.get(&*error.plugin);
    let Some(position) = section.and_then(|section| section.place.file()) else { return error.into() };
    let whom = if for_whom.is_empty() { String::new() } else { format!(", for {for_whom}") };
    let message = format!("`file` of [plugin.{}]{whom}: {error}", error.plugin);
    let fault = FileFault { file: config.source.clone(), position: Some(position), message, hint: None };
    PrepareError::PluginConfig { plugin: error.plugin.clone(), faults: FileFaults { faults: vec![fault] } }
}

/// A plugin that a route names decides neither on requests nor on responses.
pub(super) fn no_decider(config: &Config, route: &str, used: &PluginUse, artifact: &Artifact) -> PrepareError {
    let roles: Vec<_> = artifact.roles().iter().map(ToString::to_string).collect();
    let message = format!(
        "`plugins` of the route {route}: plugin `{}` is a {}, expected a router or a rewriter",
        used.plugin,
        roles.join(" and a ")
    );
    let hint = Some("leave it out, or name it as `balancer` of a cluster".to_owned());
    let fault = FileFault { file: config.source.clone(), position: used.place.chosen(), message, hint };
    PrepareError::PluginConfig { plugin: used.plugin.as_str().into(), faults: FileFaults { faults: vec![fault] } }
}

/// Why the table of the plugin `name` cannot be used, at the place where its file is named.
pub(super) fn of_table(config: &Config, name: &str, error: &TableError) -> PrepareError {
    let position = config.plugins.get(name).and_then(|section| section.place.table());
    let message = format!("`table` of [plugin.{name}]: {error}");
    let fault = FileFault { file: config.source.clone(), position, message, hint: None };
    PrepareError::PluginConfig { plugin: name.into(), faults: FileFaults { faults: vec![fault] } }
}

/// Why a secret of the plugin `name` cannot be used, at the place where its file is named.
pub(super) fn of_secret(config: &Config, name: &str, key: &str, path: &Path, error: &ReadError) -> PrepareError {
    let position = config.plugins.get(name).and_then(|section| section.place.secret(key));
    let message = format!("secret `{key}` of [plugin.{name}]: {}: {error}", path.display());
    let fault = FileFault { file: config.source.clone(), position, message, hint: None };
    PrepareError::PluginConfig { plugin: name.into(), faults: FileFaults { faults: vec![fault] } }
}

/// Whom the plugin of this name is for: `cluster chat and the router`; empty if it is only named.
pub(super) fn users(config: &Config, name: &str) -> String {
    let clusters = config.clusters.iter().filter(|cluster| cluster.balancer.plugin == name);
    let roles = [(&config.router, "the router"), (&config.rewriter, "the rewriter")];
    let roles = roles.into_iter().filter(|(used, _)| used.plugin == name).map(|(_, role)| role.to_owned());
    let routes = config.routes.iter().filter(|route| route.plugins.iter().any(|used| used.plugin == name));
    let routes = routes.map(|route| format!("route {}", route.name));
    clusters
        .map(|cluster| format!("cluster {}", cluster.name))
        .chain(routes)
        .chain(roles)
        .collect::<Vec<_>>()
        .join(" and ")
}

fn objection(config: &Config, used: &PluginUse, for_whom: &str, error: &LoadError, fault: &ConfigFault) -> FileFault {
    let section = config.plugins.get(&used.plugin);
    let own = section.filter(|section| used.config.is_null() && !section.config.is_null());
    let place: &ConfigPlace = own.map_or(&used.place, |section| &section.place);
    let plugin = format!("plugin {} ({})", error.plugin, error.origin);
    let sections = match section {
        Some(_) => format!("{} or [plugin.{}]", role_section(for_whom), used.plugin),
        None => role_section(for_whom),
    };
    let (position, message, hint) = match (place.section(), place.find(&fault.path)) {
        (Some(written), found) => {
            let shown = found.as_ref().map_or("config", |found| found.shown);
            let says = if found.as_ref().is_some_and(|found| found.is_exact) {
                fault.message.clone()
            } else {
                fault.to_string()
            };
            let message = format!("`{shown}` of {written}, for {for_whom}: {plugin} refuses it: {says}");
            (found.map(|found| found.position), message, None)
        }
        (None, _) if used.config.is_null() => {
            let says = if fault.path.is_empty() { fault.message.clone() } else { fault.to_string() };
            let message = format!("{plugin} has no configuration, for {for_whom}, and refuses that: {says}");
            (place.chosen(), message, Some(format!("give it `config = {{ … }}` in {sections}")))
        }
        (None, _) => {
            let message = format!("{plugin} refuses the [[route]] list, its configuration for {for_whom}: {fault}");
            (place.chosen(), message, Some(format!("give it a `config = {{ … }}` of its own in {sections}")))
        }
    };
    FileFault { file: config.source.clone(), position, message, hint }
}

/// The section that chooses the plugin.
fn role_section(for_whom: &str) -> String {
    match for_whom.split_once(' ') {
        Some(("cluster", name)) => format!("[cluster.{name}]"),
        Some(("route", name)) => format!("[[route]] {name}"),
        Some((_, role)) => format!("[{role}]"),
        None => format!("[{for_whom}]"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use crate::config;
    use crate::gateway::Gateway;
    use crate::plugin::Compiler;

    /// A balancer and router that objects to every configuration: to what `path` points at.
    fn objecting(role: &str, path: &str) -> String {
        let configure = if role == "pick" { "(param i32 i32 i32 i32)" } else { "(param i32 i32) (param i32 i32)" };
        let own = if role == "pick" {
            "(param i32 i32 i32 i32 i32 i32)"
        } else {
            "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)"
        };
        let length = path.len();
        format!(
            "(module (memory (export \"memory\") 2) (global $top (mut i32) (i32.const 4096))
               (data (i32.const 512) \"{path}\") (data (i32.const 768) \"must be a word\")
               (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
                 (global.get $top) (global.set $top (i32.add (global.get $top) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -8)))))
               (func (export \"configure\") {configure} (result i32)
                 (i32.store (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 64)) (i32.store (i32.const 24) (i32.const 1))
                 (i32.store (i32.const 64) (i32.const 512)) (i32.store (i32.const 68) (i32.const {length}))
                 (i32.store (i32.const 72) (i32.const 768)) (i32.store (i32.const 76) (i32.const 14)) (i32.const 16))
               (func (export \"{role}\") {own} (result i32) unreachable))"
        )
    }

    /// What `tidegate check` says of `sections`, where plugin `a` objects to what is at `path`.
    fn refusal(folder: &TempDir, role: &str, path: &str, sections: &str) -> String {
        fs::write(folder.path().join("a.wat"), objecting(role, path)).unwrap();
        let file = folder.path().join("x.toml");
        let head = "[gateway]\ncache = \"cache\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://chat\"\n";
        fs::write(&file, format!("{head}{sections}")).unwrap();
        let config = config::load(&file).unwrap_or_else(|faults| panic!("{faults}"));

        let error = Gateway::check(config, Compiler::InProcess).unwrap_err();

        error.to_string().replace(&folder.path().display().to_string(), "").replace("/x.toml", "x.toml")
    }

    const CHAT: &str = "[cluster.chat]\nbalancer = \"a\"\nendpoints = [\"ws://127.0.0.1:1\"]\n";

    #[test]
    fn what_a_plugin_refuses_is_shown_where_it_is_written() {
        let cluster = |config: &str| format!("{CHAT}{config}\n[plugin.a]\nfile = \"a.wat\"\n");
        let plugin = |config: &str| format!("{CHAT}[plugin.a]\nfile = \"a.wat\"\n{config}\n");
        let folder = tempfile::tempdir().unwrap();
        for (sections, path, expected) in [
            (
                plugin("config = { b = \"x\" }"),
                "/b",
                "x.toml:13:12: `config.b` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                cluster("config = { b = \"x\" }"),
                "/b",
                "x.toml:11:12: `config.b` of [cluster.chat], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                cluster("config = [1, { c = 2 }]"),
                "/1/c",
                "x.toml:11:16: `config[1].c` of [cluster.chat], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                cluster("config = [1, 2]"),
                "/1",
                "x.toml:11:14: `config[1]` of [cluster.chat], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                plugin("config.b.c = 1"),
                "/b/c",
                "x.toml:13:10: `config.b.c` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                plugin("[plugin.a.config]\nn = 1\n[[plugin.a.config.rule]]\n[[plugin.a.config.rule]]\n\"a/b\" = 2"),
                "/rule/1/a~1b",
                "x.toml:17:1: `config.rule[1].\"a/b\"` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                plugin("config = { b = { c = 1 } }"),
                "/b/d/e",
                "x.toml:13:12: `config.b` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: /b/d/e: must be a word",
            ),
            (
                plugin("config = { b = 1 }"),
                "",
                "x.toml:13:1: `config` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                plugin("config = 1"),
                "/b",
                "x.toml:13:1: `config` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: /b: must be a word",
            ),
            (
                plugin("config = { b = { c = 1 } }"),
                "b.c",
                "x.toml:13:18: `config.b.c` of [plugin.a], for cluster chat: plugin a (/a.wat) refuses it: must be a word",
            ),
            (
                plugin(""),
                "",
                "x.toml:9:12: plugin a (/a.wat) has no configuration, for cluster chat, and refuses that: must be a word\n  hint: give it `config = { … }` in [cluster.chat] or [plugin.a]",
            ),
        ] {
            assert_eq!(refusal(&folder, "pick", path, &sections), expected, "{sections}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_file_of_a_plugin_is_shown_where_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let sections = format!("{CHAT}[plugin.b]\nfile = \"b.wat\"\n[plugin.a]\nfile = \"a.wat\"\n");
        fs::write(folder.path().join("b.wat"), "(module)").unwrap();

        let said = refusal(&folder, "pick", "", &sections.replace("balancer = \"a\"", "balancer = \"b\""));
        assert!(
            said.starts_with("x.toml:12:8: `file` of [plugin.b], for cluster chat: plugin b (/b.wat): expected"),
            "{said}"
        );

        // Loaded, but it traps before it gets traffic.
        fs::write(
            folder.path().join("b.wat"),
            objecting("pick", "").replace("(i32.store (i32.const 16) (i32.const 1))", "unreachable"),
        )
        .unwrap();
        let said = refusal(&folder, "pick", "", &sections.replace("balancer = \"a\"", "balancer = \"b\""));
        assert!(
            said.starts_with("x.toml:12:8: `file` of [plugin.b], for cluster chat: plugin b (/b.wat): `configure`"),
            "{said}"
        );

        let named = sections.replace("balancer = \"a\"\n", "").replace("[plugin.b]", "[plugin.c]");
        fs::write(folder.path().join("b.wat"), "(module)").unwrap();
        let said = refusal(&folder, "pick", "", &named);
        assert!(said.starts_with("x.toml:11:8: `file` of [plugin.c]: plugin c (/b.wat): expected"), "{said}");
    }

    #[test]
    fn a_router_that_refuses_the_routes_is_offered_a_configuration_of_its_own() {
        let sections = "[router]\nplugin = \"a\"\n[cluster.chat]\nendpoints = [\"ws://127.0.0.1:1\"]\n[plugin.a]\nfile = \"a.wat\"\n";

        let folder = tempfile::tempdir().unwrap();
        let said = refusal(&folder, "route", "/routes/0", sections);

        assert_eq!(
            said,
            "x.toml:9:10: plugin a (/a.wat) refuses the [[route]] list, its configuration for the router: /routes/0: must be a word\n  hint: give it a `config = { … }` of its own in [router] or [plugin.a]"
        );
    }
}
