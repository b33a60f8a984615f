//! Where a plugin is put: what its section of a configuration says, and the configuration to serve it with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::given::GivenFiles;
use super::project::{DevProject, is_same_name};
use crate::config::{self, AccessLogConfig, Config};
use crate::diagnose::list;
use crate::gateway;
use crate::workbench::{PluginLimits, TrialSettings};

/// Folder for compiled code in what is made.
const CACHE: &str = "cache";

/// The cluster in what is made.
const DEMO: &str = "demo";

/// What a session serves.
pub(super) enum DevPlace {
    /// This configuration.
    Config(PathBuf),
    /// A demo of our own, in which the plugin gets these.
    Demo(GivenFiles),
}

/// A plugin's name, and how its role is configured.
#[derive(Clone, Debug)]
pub(super) struct PluginPlace {
    pub(super) name: String,
    /// As in its section.
    limits: PluginLimits,
    /// The file of its table.
    table: Option<PathBuf>,
    /// Files of secrets, by the keys that its configuration gets them under.
    secrets: BTreeMap<String, PathBuf>,
    /// Names of the clusters beside it.
    clusters: Vec<String>,
    /// How many `[[route]]` there are.
    routes: usize,
    /// What it is configured with, if one place alone configures it.
    config: Option<Value>,
    /// The role that it is used in, if that is one.
    pub(super) role: Option<&'static str>,
    /// Folder for compiled code.
    pub(super) cache: Option<PathBuf>,
}

/// Why no plugin of a configuration is the one that is developed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPlace {
    #[error(
        "{}: no plugin has its file in {}, and none is called `{name}`; write a section for it:\n\n[plugin.{name}]\n\
         file = \"{name}.wasm\"", config.display(), folder.display()
    )]
    Missing { config: PathBuf, folder: PathBuf, name: String },
    #[error(
        "{}: expected one plugin with its file in {}, found {}; which of them is meant cannot be known: give the others \
         another folder", config.display(), folder.display(), list(found.iter().map(String::as_str))
    )]
    Several { config: PathBuf, folder: PathBuf, found: Vec<String> },
}

impl PluginPlace {
    /// In a configuration that is made for `project` and kept in `folder`, with `given` in its section.
    pub(super) fn made_for(project: &DevProject, folder: &Path, given: &GivenFiles) -> Self {
        // A plugin that ships may have another role, which is needed as it is.
        let name = match gateway::shipped(&project.name) {
            Some(_) => format!("my-{}", project.name),
            None => project.name.clone(),
        };
        Self {
            name,
            limits: PluginLimits::default(),
            table: given.table.clone(),
            secrets: given.secret.iter().cloned().collect(),
            clusters: vec![DEMO.to_owned()],
            routes: 1,
            config: None,
            role: None,
            cache: Some(folder.join(CACHE)),
        }
    }

    /// In `config`: the one plugin whose file is in the project's folder, else the one with its name.
    pub(super) fn find(config: &Config, project: &DevProject) -> Result<Self, NoPlace> {
        let folder = || project.folder.clone();
        let is_inside = |file: &Path| file.canonicalize().is_ok_and(|file| file.starts_with(&project.folder));
        let same = |name: &str| is_same_name(name, &project.name);
        let inside: Vec<_> = config.plugins.iter().filter(|(_, section)| is_inside(&section.file)).collect();
        let named = || config.plugins.iter().find(|(name, _)| same(name));
        let found = match inside.as_slice() {
            [] => named(),
            [one] => Some(*one),
            several => match several.iter().find(|(name, _)| same(name)) {
                Some(named) => Some(*named),
                None => {
                    let found = several.iter().map(|(name, _)| (*name).clone()).collect();
                    return Err(NoPlace::Several { config: config.source.clone(), folder: folder(), found });
                }
            },
        };
        let Some((name, section)) = found else {
            let (config, name) = (config.source.clone(), project.name.clone());
            return Err(NoPlace::Missing { config, folder: folder(), name });
        };
        let uses = uses(config, name);
        let configs: Vec<_> = uses.iter().map(|(_, config)| *config).collect();
        let roles: BTreeSet<_> = uses.iter().map(|(role, _)| *role).collect();
        let only = |configs: &[&Value]| configs.iter().all(|one| Some(one) == configs.first());
        let shared = configs.first().filter(|_| only(&configs)).map(|config| (*config).clone());
        Ok(Self {
            name: name.clone(),
            limits: PluginLimits::from(section),
            table: section.table.clone(),
            secrets: section.secrets.clone(),
            clusters: config.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
            routes: config.routes.len(),
            config: shared.or_else(|| Some(section.config.clone())).filter(|config| !config.is_null()),
            role: roles.first().filter(|_| roles.len() == 1).copied(),
            cache: config.gateway.cache.clone(),
        })
    }
}

impl PluginPlace {
    /// With what the plugin is tried before it is put there.
    pub(super) fn settings(&self) -> TrialSettings {
        TrialSettings {
            config: self.config.clone(),
            limits: self.limits.clone(),
            table: self.table.clone(),
            secrets: self.secrets.clone(),
            clusters: self.clusters.clone(),
            routes: self.routes,
        }
    }
}

/// The roles that `name` is used in, with what it is configured with there.
fn uses<'a>(config: &'a Config, name: &str) -> Vec<(&'static str, &'a Value)> {
    let clusters = config.clusters.iter().map(|cluster| ("balancer", &cluster.balancer));
    let all = [("router", &config.router), ("rewriter", &config.rewriter)].into_iter().chain(clusters);
    let used = all.filter(|(_, used)| used.plugin == name);
    let section = config.plugins.get(name).map(|section| &section.config);
    used.map(|(role, used)| (role, if used.config.is_null() { section.unwrap_or(&used.config) } else { &used.config }))
        .collect()
}

/// `path` as it is, but with the plugin in `file`, and without access lines between the decisions.
pub(super) fn with_plugin(path: &Path, name: &str, file: &Path) -> Result<Config, String> {
    let mut config = config::load(path).map_err(|faults| faults.to_string())?;
    let Some(section) = config.plugins.get_mut(name) else {
        return Err(format!("{}: expected [plugin.{name}], which is not there any more", path.display()));
    };
    file.clone_into(&mut section.file);
    if config.log.access == AccessLogConfig::Stdout {
        config.log.access = AccessLogConfig::Off;
    }
    Ok(config)
}

/// The text of a configuration that serves the plugin in `file` in `roles` before `endpoints`. A router stands on the one
/// route, where it may say all that a router may: in the place of the gateway's, `next` is a fault.
pub(super) fn made(place: &PluginPlace, file: &str, roles: &[&str], endpoints: &[String]) -> String {
    let name = &place.name;
    let fills = |role: &str| roles.contains(&role);
    let when = |is_so: bool, text: String| if is_so { text } else { String::new() };
    let balancer = when(fills("balancer"), format!("balancer = \"{name}\"\n"));
    let on_route = when(fills("router"), format!("plugins = [\"{name}\"]\n"));
    // A router that rewrites as well does so on its route.
    let behind_all = fills("rewriter") && !fills("router");
    let rewriter = when(behind_all, format!("[rewriter]\nplugin = \"{name}\"\nconfig = {{}}\n\n"));
    let endpoints: Vec<_> = endpoints.iter().map(|url| format!("\"{url}\"")).collect();
    format!(
        r#"# What `tidegate plugin dev` serves.

[gateway]
cache = "{CACHE}"
drain = "1s"

[[listen]]
address = "127.0.0.1:0"

[[route]]
path = "/"
to = "balancer://{DEMO}"
{on_route}
{rewriter}[cluster.{DEMO}]
{balancer}endpoints = [{}]

[plugin.{name}]
file = "{file}"
{}
[admin]
address = "127.0.0.1:0"

[log]
access = "off"
"#,
        endpoints.join(", "),
        given(place)
    )
}

/// The lines of the section that name files beside the plugin's.
fn given(place: &PluginPlace) -> String {
    let text = |path: &Path| toml::Value::from(path.display().to_string());
    let table = place.table.iter().map(|path| format!("table = {}\n", text(path)));
    let secrets =
        place.secrets.iter().map(|(key, path)| format!("secrets.{} = {}\n", toml::Value::from(&**key), text(path)));
    table.chain(secrets).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TWO: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://chat\"\n\
        [cluster.chat]\nbalancer = \"mine\"\nconfig = { a = 1 }\nendpoints = [\"ws://127.0.0.1:1\"]\n\
        [plugin.mine]\nfile = \"MINE\"\n[plugin.other]\nfile = \"OTHER\"\n";

    /// A configuration of two plugins, in these folders.
    fn config(folder: &Path, mine: &str, other: &str) -> Config {
        for file in [mine, other] {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::write(folder.join(file), "").unwrap();
        }
        let path = folder.join("tidegate.toml");
        fs::write(&path, TWO.replace("MINE", mine).replace("OTHER", other)).unwrap();
        config::load(&path).unwrap()
    }

    fn project(folder: &Path, name: &str) -> DevProject {
        fs::create_dir_all(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("build.sh"), "").unwrap();
        DevProject::find(&folder.join(name)).unwrap()
    }

    #[test]
    fn the_plugin_is_the_one_whose_file_is_in_the_folder_or_that_has_its_name() {
        for (mine, other, folder, found) in [
            ("p/a.wasm", "q/b.wasm", "p", Some("mine")),
            ("p/a.wasm", "q/b.wasm", "q", Some("other")),
            ("q/a.wasm", "r/b.wasm", "mine", Some("mine")),
            ("mine/a.wasm", "mine/b.wasm", "mine", Some("mine")),
            ("p/a.wasm", "p/b.wasm", "p", None),
            ("q/a.wasm", "r/b.wasm", "p", None),
        ] {
            let temporary = tempfile::tempdir().unwrap();
            let config = config(temporary.path(), mine, other);

            let place = PluginPlace::find(&config, &project(temporary.path(), folder));

            assert_eq!(
                place.as_ref().ok().map(|place| place.name.as_str()),
                found,
                "{mine} {other} {folder}: {place:?}"
            );
        }
    }

    #[test]
    fn a_plugin_is_tried_with_what_its_one_use_configures() {
        let temporary = tempfile::tempdir().unwrap();
        let config = config(temporary.path(), "p/a.wasm", "q/b.wasm");

        let place = PluginPlace::find(&config, &project(temporary.path(), "p")).unwrap();

        assert_eq!((place.role, place.config.as_ref()), (Some("balancer"), Some(&serde_json::json!({ "a": 1 }))));
        assert_eq!((place.settings().clusters, place.settings().routes), (vec!["chat".to_owned()], 1));
    }

    #[test]
    fn what_is_made_is_a_good_configuration_for_each_role() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["p.wasm", "a \"table\"", "key"] {
            fs::write(folder.path().join(file), "").unwrap();
        }
        let table = folder.path().join("a \"table\"");
        let given = GivenFiles {
            table: Some(table.clone()),
            secret: vec![("a.key".to_owned(), folder.path().join("key")), ("b".to_owned(), folder.path().join("key"))],
        };
        let place = PluginPlace::made_for(&project(folder.path(), "my-plugin"), folder.path(), &given);
        let all = ["balancer", "router", "rewriter"];
        for roles in [&["balancer"][..], &["router"], &["rewriter"], &["router", "rewriter"], &all] {
            let text = made(&place, "p.wasm", roles, &["ws://127.0.0.1:1".to_owned()]);

            let config = config::parse(&text, &folder.path().join("tidegate.toml")).unwrap();

            assert!(config.warnings.is_empty(), "{roles:?}: {:?}", config.warnings);
            let is_on_route = config.routes[0].plugins.iter().any(|used| used.plugin == "my-plugin");
            let fills = [
                ("balancer", config.clusters[0].balancer.plugin == "my-plugin"),
                ("router", is_on_route),
                ("rewriter", is_on_route || config.rewriter.plugin == "my-plugin"),
            ];
            for (role, fills) in fills {
                assert!(fills || !roles.contains(&role), "{roles:?} {role}");
            }
            assert_eq!(config.router.plugin, "prefix", "where `next` is a fault");
            let section = &config.plugins["my-plugin"];
            assert_eq!(section.table.as_ref(), Some(&table));
            assert_eq!(section.secrets.keys().collect::<Vec<_>>(), ["a.key", "b"]);
        }
    }
}
