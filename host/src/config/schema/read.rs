//! Text to sections. Each section is read on its own, so that one with a fault does not hide the next.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::duplicate;
use super::rewrite::{self, TablePlace, key};
use super::values::{self, WrittenValues};
use super::{AdminSection, ClusterSection, GatewaySection, HeartbeatSection, ListenSection, LogSection, PluginSection};
use super::{RoleSection, RouteSection, Text};
use crate::diagnose::{FaultReport, closest, list};

/// Section names, in the order of the documentation.
const SECTIONS: [&str; 10] =
    ["gateway", "listen", "route", "router", "rewriter", "cluster", "plugin", "heartbeat", "admin", "log"];
/// Sections that are designed, but not built.
const LATER: [&str; 2] = ["metrics", "trace"];

/// All sections of a file.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) gateway: GatewaySection,
    pub(crate) listen: Vec<Spanned<ListenSection>>,
    pub(crate) route: Vec<Spanned<RouteSection>>,
    pub(crate) router: RoleSection,
    pub(crate) rewriter: RoleSection,
    pub(crate) cluster: Vec<(Text, ClusterSection)>,
    pub(crate) plugin: Vec<(Text, PluginSection)>,
    pub(crate) heartbeat: Option<HeartbeatSection>,
    pub(crate) admin: Option<AdminSection>,
    pub(crate) log: LogSection,
    /// Where the values of each `config` are.
    pub(crate) values: WrittenValues,
}

/// Reads `text`; faults go to the report. With faults, what is returned is incomplete.
pub(crate) fn read(text: &str, report: &mut FaultReport<'_>) -> ConfigFile {
    let mut file = ConfigFile::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in duplicate::take(text, &errors, report) {
        rewrite::syntax(error, report);
    }
    if report.is_faulty() {
        return file;
    }
    file.values = values::find(table.get_ref());
    for (key, value) in table.into_inner() {
        let name = key.get_ref().as_ref();
        match name {
            "gateway" => file.gateway = section(name, value, report).unwrap_or_default(),
            "listen" => file.listen = sections(name, value, report),
            "route" => file.route = sections(name, value, report),
            "router" => file.router = section(name, value, report).unwrap_or_default(),
            "rewriter" => file.rewriter = section(name, value, report).unwrap_or_default(),
            "cluster" => file.cluster = named(name, value, report),
            "plugin" => file.plugin = named(name, value, report),
            "heartbeat" => file.heartbeat = section(name, value, report),
            "admin" => file.admin = section(name, value, report),
            "log" => file.log = section(name, value, report).unwrap_or_default(),
            _ if LATER.contains(&name) => {
                report.fault_hint(key.span(), format!("[{name}] is not available in this version"), "leave it out");
            }
            _ => {
                let message = format!("unknown section `{name}`, expected one of {}", list(SECTIONS));
                report.fault_meant(key.span(), message, closest(name, SECTIONS));
            }
        }
    }
    file.cluster.sort_by_key(|(name, _)| name.span().start);
    file.plugin.sort_by_key(|(name, _)| name.span().start);
    file
}

/// `[name]`
fn section<T: DeserializeOwned>(name: &str, value: Spanned<DeValue<'_>>, report: &mut FaultReport<'_>) -> Option<T> {
    take(&TablePlace::table(name), value, report)
}

/// `[[name]]`
fn sections<T: DeserializeOwned>(name: &str, value: Spanned<DeValue<'_>>, report: &mut FaultReport<'_>) -> Vec<T> {
    let at = value.span();
    match value.into_inner() {
        DeValue::Array(items) => {
            items.into_iter().filter_map(|item| take(&TablePlace::list(name), item, report)).collect()
        }
        other => {
            let message = format!("`{name}` is {}, expected a list of tables", rewrite::kind(&other));
            report.fault_hint(at, message, format!("write [[{name}]]"));
            Vec::new()
        }
    }
}

/// `[section.NAME]`
fn named<T: DeserializeOwned>(
    section: &str,
    value: Spanned<DeValue<'_>>,
    report: &mut FaultReport<'_>,
) -> Vec<(Text, T)> {
    let at = value.span();
    match value.into_inner() {
        DeValue::Table(table) => {
            let mut found = Vec::new();
            for (written, value) in table {
                let name = Spanned::new(written.span(), written.get_ref().to_string());
                if let Some(read) =
                    take(&TablePlace::table(&format!("{section}.{}", key(name.get_ref()))), value, report)
                {
                    found.push((name, read));
                }
            }
            found
        }
        other => {
            let message = format!("`{section}` is {}, expected tables by name", rewrite::kind(&other));
            report.fault_hint(at, message, format!("write [{section}.NAME]"));
            Vec::new()
        }
    }
}

fn take<T: DeserializeOwned>(
    place: &TablePlace,
    value: Spanned<DeValue<'_>>,
    report: &mut FaultReport<'_>,
) -> Option<T> {
    if !value.get_ref().is_table() {
        let message = format!("{place} is {}, expected a table", rewrite::kind(value.get_ref()));
        let hint = match value.get_ref() {
            DeValue::String(file) if place.is_plugin() => format!("write {place} with `file = {file:?}`"),
            DeValue::String(plugin) if place.is_role() => format!("write {place} with `plugin = {plugin:?}`"),
            _ => place.remedy(),
        };
        report.fault_hint(value.span(), message, hint);
        return None;
    }
    match T::deserialize(ValueDeserializer::from(value.clone())) {
        Ok(read) => Some(read),
        Err(error) => {
            rewrite::refused(place, &value, &error, report);
            None
        }
    }
}
