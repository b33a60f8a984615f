//! `[plugin.NAME]`, and which plugin fills a role.

use std::collections::BTreeMap;

use super::super::model::{Allow, CAPABILITIES, PluginConfig, PluginUse};
use super::super::schema::{Json, PluginSection, Size, Text};
use super::{Resolver, defaults};
use crate::diagnose::{Span, closest, list, one_of};

/// Plugins that ship, and their role.
const SHIPPED: [(&str, &str); 10] = [
    (defaults::BALANCER, "balancer"),
    ("byrequests", "balancer"),
    ("bytraffic", "balancer"),
    ("consistent-hash", "balancer"),
    ("heartbeat", "balancer"),
    ("least-busy", "balancer"),
    ("peak-ewma", "balancer"),
    ("random", "balancer"),
    (defaults::ROUTER, "router"),
    (defaults::REWRITER, "rewriter"),
];

/// `[plugin.NAME]` by name, resolved.
pub(super) type Plugins = BTreeMap<String, PluginConfig>;

impl Resolver<'_, '_> {
    pub(super) fn plugins(&mut self, written: &[(Text, PluginSection)]) -> Plugins {
        let read = written.iter().map(|(name, section)| {
            let plugin = PluginConfig {
                file: self.file("`file`", &section.file),
                config: section.config.clone().map_or(serde_json::Value::Null, |Json(value)| value),
                deadline: self.time("deadline", section.deadline.as_ref(), defaults::PLUGIN_DEADLINE),
                memory: self.memory(section.memory.as_ref()),
                allow: self.allow(section.allow.as_deref()),
            };
            (name.get_ref().clone(), plugin)
        });
        read.collect()
    }

    fn memory(&mut self, written: Option<&Size>) -> usize {
        let (least, most) = (defaults::LEAST_PLUGIN_MEMORY, defaults::MOST_PLUGIN_MEMORY);
        if let Some(size) = written.filter(|size| size.get_ref().0 > most) {
            let message = format!("`memory` is {} bytes, expected at most {most} (1GiB)", size.get_ref().0);
            let reason =
                "one instruction of a plugin can fill all of it, and holds a worker for that long: a second for a GiB";
            self.report.fault_hint(size.span(), message, reason.to_owned());
        }
        self.size("memory", written, least, defaults::PLUGIN_MEMORY)
    }

    fn allow(&mut self, written: Option<&[Text]>) -> Allow {
        let Some(names) = written else { return Allow::All };
        for name in names {
            let word = name.get_ref().as_str();
            if !CAPABILITIES.contains(&word) {
                let message =
                    format!("unknown capability \"{word}\" in `allow`, expected some of {}", list(CAPABILITIES));
                self.report.fault_meant(name.span(), message, closest(word, CAPABILITIES));
            }
        }
        Allow::Only(names.iter().map(|name| name.get_ref().clone()).collect())
    }

    /// The plugin of a role and its configuration: the role's own, the plugin's, or `fallback`.
    pub(super) fn plugin_use(
        &mut self,
        role: RoleToFill<'_>,
        plugins: &Plugins,
        fallback: impl FnOnce() -> serde_json::Value,
    ) -> PluginUse {
        let name = role.written.map_or(role.default, |name| name.get_ref());
        if let Some(written) = role.written {
            self.check_plugin(role.kind, name, written.span(), plugins);
        }
        let plugin_config = plugins.get(name).map(|plugin| plugin.config.clone()).filter(|config| !config.is_null());
        let config = role.config.map(|Json(value)| value.clone()).or(plugin_config).unwrap_or_else(fallback);
        PluginUse { plugin: name.to_owned(), config }
    }

    fn check_plugin(&mut self, role: &str, name: &str, at: Span, plugins: &Plugins) {
        if plugins.contains_key(name) {
            return;
        }
        match SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            Some((_, kind)) if *kind == role => {}
            Some((_, kind)) => {
                let meant = SHIPPED.iter().find(|(_, kind)| *kind == role).map(|(name, _)| *name);
                self.report.fault_meant(at, format!("plugin `{name}` is a {kind}, expected a {role}"), meant);
            }
            None => {
                let fitting = || {
                    let shipped = SHIPPED.iter().filter(|(_, kind)| *kind == role).map(|(name, _)| *name);
                    plugins.keys().map(String::as_str).chain(shipped)
                };
                let message = format!("unknown plugin `{name}`, expected {}", one_of(fitting()));
                match closest(name, fitting()) {
                    Some(meant) => self.report.fault_meant(at, message, Some(meant)),
                    None => self.report.fault_hint(at, message, format!("add [plugin.{name}] with its `file`")),
                }
            }
        }
    }
}

/// A role to fill.
pub(super) struct RoleToFill<'a> {
    /// `balancer`, `router`, `rewriter`
    pub(super) kind: &'a str,
    /// The plugin that fills it, as written.
    pub(super) written: Option<&'a Text>,
    /// The plugin that fills it when nothing is written.
    pub(super) default: &'a str,
    /// The role's own configuration.
    pub(super) config: Option<&'a Json>,
}
