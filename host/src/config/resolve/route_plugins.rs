//! `[[route]] plugins`: who decides on a route behind the router.

use toml::Spanned;

use super::super::model::PluginUse;
use super::super::schema::{ConfigFile, Text};
use super::plugins::{Plugins, RoleToFill};
use super::{Resolver, defaults};

/// Plugins of one route: each is a call for each request, and what they note is bounded by it.
const MOST: usize = 16;

impl Resolver<'_, '_> {
    /// `forwards`: whether there is anything for plugins to decide on.
    pub(super) fn route_plugins(
        &mut self,
        written: Option<&Spanned<Vec<Text>>>,
        forwards: bool,
        plugins: &Plugins,
    ) -> Vec<PluginUse> {
        let Some(written) = written else { return Vec::new() };
        let names = written.get_ref();
        if !forwards && !names.is_empty() {
            self.report.fault_hint(
                written.span(),
                "`plugins` of a route that leads to no endpoint: none of them would be asked",
                "leave it out, or give the route a `to`",
            );
        }
        if names.len() > MOST {
            let message = format!("`plugins` has {} names, expected at most {MOST}", names.len());
            self.report.fault(written.span(), message);
        }
        let mut used: Vec<PluginUse> = Vec::new();
        for name in names {
            let text = name.get_ref();
            if used.iter().any(|before| before.plugin == *text) {
                let message = format!("plugin `{text}` is in `plugins` already, expected each once");
                self.report.fault_hint(name.span(), message, "leave one of them out");
                continue;
            }
            let role = RoleToFill {
                kind: "plugin of a route",
                section: "route".to_owned(),
                written: Some(name),
                default: "",
                config: None,
            };
            used.push(self.plugin_use(role, plugins, || serde_json::Value::Null));
        }
        used
    }

    /// No response is shown to one plugin twice: as the `rewriter` of all routes, and as a plugin of its route. `reverse` is
    /// one whatever `[rewriter]` says.
    pub(super) fn rewriters_of_routes(&mut self, file: &ConfigFile, rewriter: &PluginUse, plugins: &Plugins) {
        let named = file.route.iter().filter_map(|route| route.get_ref().plugins.as_ref());
        for name in named.flat_map(|plugins| plugins.get_ref()) {
            let text = name.get_ref();
            if !plugins.contains_key(text) {
                continue;
            }
            let hint = if text == defaults::REWRITER {
                "leave it out, or give its [plugin.reverse] another name"
            } else if *text == rewriter.plugin {
                "leave it out here or in `[rewriter]`"
            } else {
                continue;
            };
            let message = format!("plugin `{text}` is shown the responses of every route already, expected each once");
            self.report.fault_hint(name.span(), message, hint);
        }
    }
}
