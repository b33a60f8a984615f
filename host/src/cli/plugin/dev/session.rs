//! One author's session: what is built, where it is put, and which version serves.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::task::JoinSet;

use super::super::super::demo::{DemoEndpoint, OwnFolder};
use super::super::super::terminal::{complain, say};
use super::super::given::GivenFiles;
use super::build::build;
use super::checked::{CheckedPlugin, check};
use super::decisions::ShownDecisions;
use super::local::{LocalGateway, off_thread, short, within};
use super::place::{self, DevPlace, PluginPlace};
use super::project::{DevProject, Recipe};
use super::remote::RunningGateway;
use super::sources::Sources;
use super::traffic::Traffic;
use crate::config;
use crate::files;

/// Everything that lasts from edit to edit.
pub(super) struct DevSession {
    project: DevProject,
    pub(super) sources: Sources,
    setting: Setting,
    /// Holds what the gateway reads: a file is put there once it has been checked.
    folder: OwnFolder,
    /// What was built last.
    built: Option<PathBuf>,
    version: Option<LiveVersion>,
    running: Option<Running>,
}

/// What the plugin is put into.
enum Setting {
    /// A configuration of our own before endpoints of our own.
    Demo { endpoints: Vec<String>, given: GivenFiles, _servers: JoinSet<()> },
    /// The operator's.
    File(PathBuf),
}

enum Running {
    Local(LocalGateway, Option<Traffic>),
    Remote(RunningGateway),
}

/// The version of the plugin that serves.
struct LiveVersion {
    digest: String,
    generation: u64,
    bytes: Vec<u8>,
}

impl DevSession {
    /// In its place, before the first build.
    pub(super) async fn begin(project: DevProject, place: DevPlace) -> anyhow::Result<Self> {
        let mut sources = Sources::new(project.clone());
        let setting = match place {
            DevPlace::Config(path) => {
                sources.also(vec![path.clone()]);
                Setting::File(path)
            }
            DevPlace::Demo(given) => {
                let (mut servers, mut endpoints) = (JoinSet::new(), Vec::new());
                for name in ["a", "b", "c"] {
                    let endpoint = DemoEndpoint::bind(name).await?;
                    endpoints.push(format!("ws://{}", endpoint.address()));
                    servers.spawn(endpoint.serve());
                }
                Setting::Demo { endpoints, given, _servers: servers }
            }
        };
        let folder = OwnFolder::make("plugin-dev")?;
        Ok(Self { project, sources, setting, folder, built: None, version: None, running: None })
    }

    /// Builds, checks and swaps, and says how that went. `changed` is what led to it; nothing the first time.
    pub(super) async fn round(&mut self, changed: &[PathBuf]) {
        if !changed.is_empty() {
            let names: Vec<_> = changed.iter().map(|path| within(&self.project.folder, path)).collect();
            say(format_args!("\nchanged  {}", names.join(", ")));
        }
        match self.swapped(changed).await {
            Ok(()) => {
                self.send().await;
            }
            Err(why) => self.explain(&why),
        }
    }

    /// Sends requests, if the gateway is our own; whether there is anything to send them to.
    pub(super) async fn send(&mut self) -> bool {
        match &mut self.running {
            Some(Running::Local(_, Some(traffic))) => traffic.send().await,
            Some(_) => {}
            None => return false,
        }
        true
    }

    /// Ends what was begun.
    pub(super) async fn end(self) {
        if let Some(Running::Local(gateway, traffic)) = self.running {
            // Nobody reads from our own websockets any more: the gateway would wait for them.
            drop(traffic);
            gateway.stop().await;
        }
    }

    async fn swapped(&mut self, changed: &[PathBuf]) -> Result<(), String> {
        let built = self.build(changed).await?;
        let began = Instant::now();
        let place = self.place()?;
        let (file, whose) = (built.clone(), place.clone());
        let checked = off_thread(move || check(&file, &whose)).await??;
        say(format_args!("checked  {}", checked.summary));
        for warning in &checked.warnings {
            complain(format_args!("warning: {warning}"));
        }
        let bytes = files::read(&built, files::limit::PLUGIN)
            .map_err(|error| format!("{}: cannot be read: {error}", built.display()))?;
        let is_same = self.version.as_ref().is_some_and(|version| version.digest == checked.digest);
        let generation = self.put(&built, &bytes, &place, &checked).await?;
        let took = began.elapsed().as_secs_f64();
        let digest = short(&checked.digest);
        let same = if is_same { ", the same file as before" } else { "" };
        say(format_args!("live     generation {generation}, sha256 {digest}{same}, {took:.2} s after the build"));
        self.version = Some(LiveVersion { digest: checked.digest, generation, bytes });
        Ok(())
    }

    /// What was built last serves, if nothing of the project has changed.
    async fn build(&mut self, changed: &[PathBuf]) -> Result<PathBuf, String> {
        let is_ours = |path: &PathBuf| path.starts_with(&self.project.folder);
        if let Some(built) = self.built.as_ref().filter(|_| !changed.is_empty() && !changed.iter().any(is_ours)) {
            let built = built.clone();
            self.sources.begin();
            return Ok(built);
        }
        match &self.project.recipe {
            Recipe::Script => say("building with `sh build.sh`"),
            Recipe::Cargo => say("building with `cargo build`"),
            Recipe::File(_) => {}
        }
        let built = loop {
            self.sources.begin();
            let edited = tokio::select! {
                built = build(&self.project) => break built,
                edited = self.sources.interrupted() => edited,
            };
            let names: Vec<_> = edited.iter().map(|path| within(&self.project.folder, path)).collect();
            say(format_args!("\nchanged  {} during the build, which is ended and begun anew", names.join(", ")));
        };
        for path in self.sources.end() {
            let what = if path.is_dir() { "files come or go in it" } else { "it changes" };
            let path = within(&self.project.folder, &path);
            say(format_args!("{path}: {what} with each build; that starts no build from now on"));
        }
        let built = built.map_err(|error| error.to_string())?;
        self.built = Some(built.clone());
        Ok(built)
    }

    fn place(&self) -> Result<PluginPlace, String> {
        match &self.setting {
            Setting::Demo { given, .. } => Ok(PluginPlace::made_for(&self.project, self.folder.path(), given)),
            Setting::File(path) => {
                let config = config::load(path).map_err(|faults| faults.to_string())?;
                PluginPlace::find(&config, &self.project).map_err(|error| error.to_string())
            }
        }
    }

    /// Swaps `bytes` in, and returns the generation that serves them.
    async fn put(
        &mut self,
        built: &Path,
        bytes: &[u8],
        place: &PluginPlace,
        checked: &CheckedPlugin,
    ) -> Result<u64, String> {
        if self.running.is_none()
            && let Setting::File(path) = &self.setting
        {
            let (path, name) = (path.clone(), place.name.clone());
            let found = off_thread(move || {
                let config = config::load(&path).map_err(|faults| faults.to_string())?;
                RunningGateway::find(&config, &name).map_err(|error| error.to_string())
            });
            if let Some(remote) = found.await?? {
                say(format_args!(
                    "a gateway with this configuration runs already (admin server at {}); the plugin is swapped there. \
                     Its decisions cannot be seen from here",
                    remote.address()
                ));
                self.running = Some(Running::Remote(remote));
            }
        }
        match &self.running {
            Some(Running::Remote(remote)) => {
                let (remote, built) = (remote.clone(), built.to_owned());
                let (bytes, digest) = (bytes.to_vec(), checked.digest.clone());
                let swapped = off_thread(move || remote.swap(&built, &bytes, &digest)).await?;
                swapped.map_err(|error| error.to_string())
            }
            _ => self.put_here(bytes, place, checked).await,
        }
    }

    async fn put_here(&mut self, bytes: &[u8], place: &PluginPlace, checked: &CheckedPlugin) -> Result<u64, String> {
        let file = format!("{}.wasm", place.name);
        let cannot = |error: std::io::Error| format!("cannot write into a folder for temporary files: {error}");
        self.folder.put(&file, bytes).map_err(cannot)?;
        let served = self.serve(place, checked, &file).await;
        if let (Err(_), Some(version)) = (&served, &self.version) {
            // Nobody reads it before the next attempt, which may be about something else.
            self.folder.put(&file, &version.bytes).map_err(cannot)?;
        }
        served
    }

    async fn serve(&mut self, place: &PluginPlace, checked: &CheckedPlugin, file: &str) -> Result<u64, String> {
        let path = self.folder.path().join(file);
        let config = match &self.setting {
            Setting::File(config) => place::with_plugin(config, &place.name, &path)?,
            Setting::Demo { endpoints, .. } => {
                let text = place::made(place, file, &checked.roles, endpoints);
                self.folder.put("tidegate.toml", text.as_bytes()).map_err(|error| error.to_string())?;
                config::load(&self.folder.path().join("tidegate.toml")).map_err(|faults| faults.to_string())?
            }
        };
        let watched = config.watched_files().into_iter().filter(|watched| *watched != path);
        self.sources.also(watched.collect());
        if let Some(Running::Local(gateway, _)) = &self.running {
            return gateway.replace(config).await;
        }
        let decisions = ShownDecisions::of(&place.name).map_err(|error| error.to_string())?;
        let gateway = LocalGateway::start(config, Arc::new(decisions)).await?;
        let generation = gateway.generation();
        let addresses = gateway.gateway().addresses();
        let traffic = self.invite(&addresses, gateway.gateway().admin_address());
        self.running = Some(Running::Local(gateway, traffic));
        Ok(generation)
    }

    /// Says where requests are taken, and makes those of our own.
    fn invite(&self, addresses: &[SocketAddr], admin: Option<SocketAddr>) -> Option<Traffic> {
        let urls: Vec<_> = addresses.iter().map(|address| format!("http://{address}/")).collect();
        say(format_args!(
            "serving  {}; for example: curl {}",
            urls.join(", "),
            urls.first().map_or("", String::as_str)
        ));
        if let Some(admin) = admin {
            say(format_args!("admin    http://{admin}/api/v1/plugins"));
        }
        let is_demo = matches!(self.setting, Setting::Demo { .. });
        addresses.first().filter(|_| is_demo).map(|address| Traffic::to(*address))
    }

    fn explain(&self, why: &str) {
        let goes_on = match &self.version {
            Some(LiveVersion { digest, generation, .. }) => {
                format!("generation {generation}, sha256 {}, goes on", short(digest))
            }
            None => "nothing runs yet".to_owned(),
        };
        complain(format_args!("not swapped: {why}\n  {goes_on}; waiting for the next edit"));
    }
}
