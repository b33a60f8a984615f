//! `[plugin.NAME]`, and which plugin fills a role.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::model::{Allow, CAPABILITIES, ConfigPlace, PluginConfig, PluginUse};
use super::super::schema::{Json, PluginSection, Size, Text, Time, WrittenValue, key};
use super::super::units::show_duration;
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

/// Those that are used where none is named.
const FALLBACKS: [&str; 3] = [defaults::BALANCER, defaults::ROUTER, defaults::REWRITER];

/// `[plugin.NAME]` by name, resolved.
pub(super) type Plugins = BTreeMap<String, PluginConfig>;

impl Resolver<'_, '_> {
    pub(super) fn plugins(&mut self, written: &[(Text, PluginSection)]) -> Plugins {
        let mut lines = BTreeMap::new();
        let mut plugins = Plugins::new();
        for (name, section) in written {
            self.plugin_name(name, section, &mut lines);
            let plugin = PluginConfig {
                file: self.file_to_try("`file`", &section.file),
                config: section.config.clone().map_or(serde_json::Value::Null, |Json(value)| value),
                place: ConfigPlace {
                    file: Some(self.report.position_of(&section.file.span())),
                    table: section.table.as_ref().map(|table| self.report.position_of(&table.span())),
                    secrets: self.secret_places(section),
                    ..self.place(&format!("plugin.{}", name.get_ref()))
                },
                deadline: self.deadline(section.deadline.as_ref()),
                memory: self.memory(section.memory.as_ref()),
                allow: self.allow(section.allow.as_deref()),
                table: section.table.as_ref().map(|table| self.table(table, section.allow.as_deref())),
                secrets: self.secrets(section),
            };
            plugins.insert(name.get_ref().clone(), plugin);
        }
        plugins
    }

    /// What is wrong with the name of a section, or may surprise. `lines` has the lines of the names before.
    fn plugin_name(&mut self, name: &Text, section: &PluginSection, lines: &mut BTreeMap<String, usize>) {
        let (text, line) = (name.get_ref().as_str(), self.report.line(&name.span()));
        if let Some(first) = lines.insert(text.to_ascii_lowercase(), line) {
            let message = format!("plugin `{text}` is on line {first} already; names do not differ by case");
            self.report.fault_hint(name.span(), message, "give one of them another name");
        }
        if let Some((_, kind)) = SHIPPED.iter().find(|(shipped, _)| *shipped == text) {
            let default =
                if FALLBACKS.contains(&text) { format!(", and where no {kind} is named") } else { String::new() };
            let message = format!(
                "plugin `{text}` takes the place of the {kind} of that name that ships, wherever `{text}` is \
                 named{default}; give it another name to have both"
            );
            self.report.warn(name.span(), message);
        }
        let file = Path::new(section.file.get_ref()).file_name();
        if is_file_name(text) && file != Path::new(text).file_name() {
            let message = format!(
                "plugin `{text}` is named like a file, but its `file` is another, {}; give it a name without a suffix",
                section.file.get_ref()
            );
            self.report.warn(name.span(), message);
        }
    }

    fn deadline(&mut self, written: Option<&Time>) -> Duration {
        let deadline = self.time("deadline", written, defaults::PLUGIN_DEADLINE);
        if let (Some(written), Some(warning)) = (written, long_plugin_deadline(deadline)) {
            self.report.warn(written.span(), warning);
        }
        deadline
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

    fn table(&mut self, written: &Text, allow: Option<&[Text]>) -> PathBuf {
        if allow.is_some_and(|granted| granted.iter().all(|name| name.get_ref() != "table")) {
            self.report.warn(written.span(), "`table` is not used: `allow` has no \"table\"".to_owned());
        }
        self.file_to_try("`table`", written)
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
        let mut place = match (role.config, &plugin_config) {
            (Some(_), _) => self.place(&role.section),
            (None, Some(_)) => plugins.get(name).map(|plugin| plugin.place.clone()).unwrap_or_default(),
            (None, None) => ConfigPlace::default(),
        };
        place.chosen = role.written.map(|written| self.report.position_of(&written.span()));
        if let (Some(Json(config)), Some(plugin)) = (role.config, plugins.get(name)) {
            let whole =
                self.values.get(&role.section).and_then(|values| values.iter().find(|one| one.pointer.is_empty()));
            if let Some(at) = whole.map(|whole| whole.at.clone()).or_else(|| role.written.map(Text::span)) {
                self.room_for_secrets(config, plugin.secrets.keys(), |_| at.clone());
            }
        }
        let config = role.config.map(|Json(value)| value.clone()).or(plugin_config).unwrap_or_else(fallback);
        PluginUse { plugin: name.to_owned(), config, place }
    }

    /// Where the `config` of a section is written.
    fn place(&self, section: &str) -> ConfigPlace {
        let Some(values) = self.values.get(section) else { return ConfigPlace::default() };
        let place = |value: &WrittenValue| (self.report.position_of(&value.at), value.shown.clone());
        let name = section.split_once('.').map(|(kind, name)| format!("[{kind}.{}]", key(name)));
        ConfigPlace {
            section: Some(name.unwrap_or_else(|| format!("[{section}]"))),
            chosen: None,
            file: None,
            table: None,
            secrets: BTreeMap::new(),
            values: values.iter().map(|value| (value.pointer.clone(), place(value))).collect(),
        }
    }

    fn check_plugin(&mut self, role: &str, name: &str, at: Span, plugins: &Plugins) {
        if plugins.contains_key(name) {
            return;
        }
        match SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            Some((_, kind)) if *kind == role => {}
            Some((_, kind)) if role == "plugin of a route" => {
                let message = format!("plugin `{name}` is a {kind} that ships, expected a router or rewriter of yours");
                let hint = match *kind {
                    "balancer" => "name it as `balancer` of a cluster",
                    _ => "leave it out: `prefix` decides before the plugins of a route, and `reverse` behind them",
                };
                self.report.fault_hint(at, message, hint);
            }
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
                let by_file = || plugins.iter().find(|(_, plugin)| plugin.file == self.base.join(name));
                let named_like_a_file = plugins
                    .keys()
                    .find(|plugin| is_file_name(plugin) && Path::new(plugin).file_stem() == Some(OsStr::new(name)));
                if let Some(file) = named_like_a_file {
                    let hint = format!("call it that: rename [plugin.{}] to [plugin.{}]", key(file), key(name));
                    self.report.fault_hint(at, message, hint);
                    return;
                }
                match closest(name, fitting()).or_else(|| by_file().map(|(name, _)| name.as_str())) {
                    Some(meant) => self.report.fault_meant(at, message, Some(meant)),
                    None => self.report.fault_hint(at, message, section_to_add(role, name)),
                }
            }
        }
    }
}

/// What an operator writes to have the plugin `name` in `role`.
fn section_to_add(role: &str, name: &str) -> String {
    if !is_file_name(name) {
        return format!("add [plugin.{}] with its `file`", key(name));
    }
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let short = Some(stem).filter(|stem| !stem.is_empty() && key(stem) == *stem).unwrap_or_else(|| "NAME".to_owned());
    let word = if role == "balancer" { "balancer" } else { "plugin" };
    format!(
        "this is the name of a plugin, not of its file: write `{word} = \"{short}\"` here and `file = {name:?}` in \
         [plugin.{short}] (or add [plugin.{}] with its `file`)",
        key(name)
    )
}

/// Whether a plugin's name looks like the name of its file.
fn is_file_name(name: &str) -> bool {
    let suffix = Path::new(name).extension().and_then(|suffix| suffix.to_str());
    name.contains('/')
        || suffix.is_some_and(|suffix| ["wasm", "wat", "cwasm"].contains(&suffix.to_ascii_lowercase().as_str()))
}

/// A role to fill.
pub(super) struct RoleToFill<'a> {
    /// `balancer`, `router`, `rewriter`
    pub(super) kind: &'a str,
    /// The section that chooses it: `router`, `cluster.NAME`.
    pub(super) section: String,
    /// The plugin that fills it, as written.
    pub(super) written: Option<&'a Text>,
    /// The plugin that fills it when nothing is written.
    pub(super) default: &'a str,
    /// The role's own configuration.
    pub(super) config: Option<&'a Json>,
}
/// What is to be said of a plugin's `deadline` that is so long; nothing of a usual one.
pub(crate) fn long_plugin_deadline(deadline: Duration) -> Option<String> {
    let long = defaults::LONG_PLUGIN_DEADLINE;
    (deadline > long).then(|| {
        format!(
            "`deadline` is {}, longer than {}: while a call runs, its worker serves no other request, and all requests \
             for the cluster of a balancer wait; `configure` may take ten times as long",
            show_duration(deadline),
            show_duration(long),
        )
    })
}
