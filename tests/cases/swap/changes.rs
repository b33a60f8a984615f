//! Everything that can be changed, one after the other, and what of it stays in memory.

use std::sync::{Arc, Weak};

use tidegate_tests::guests::FEEDBACK;
use tidegate_tests::{Ca, Gateway, Setup};

use crate::running::{guest, replace};

const TEXT: &str = r#"
[[listen]]
address = "127.0.0.1:0"
tls = { certificate = "cert.pem", key = "cert-key.pem" }
[[listen]]
address = "127.0.0.1:0"
[[route]]
path = "/version"
respond = { status = 200, body = "start" }
[[route]]
path = "/"
to = "balancer://pair"
[router]
plugin = "prefix"
[cluster.pair]
balancer = "mine"
endpoints = ["ws://{a}", "ws://{b}"]
[plugin.mine]
file = "mine.wasm"
[plugin.way]
file = "way.wat"
"#;

/// What is done, over and over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Plugin(&'static str),
    Router(&'static str),
    PluginConfig,
    Configuration,
    Certificate,
    Cluster,
    Rollback,
    RefusedPlugin(&'static str),
    RefusedConfiguration,
    RefusedCertificate,
}

pub(super) const CHANGES: [Change; 18] = [
    Change::Plugin("first"),
    Change::Configuration,
    Change::RefusedPlugin("picky"),
    Change::Plugin("rotate"),
    Change::Certificate,
    Change::Rollback,
    Change::Router("way"),
    Change::Plugin("feedback"),
    Change::RefusedConfiguration,
    Change::PluginConfig,
    Change::Cluster,
    Change::RefusedPlugin("router-trap"),
    Change::Rollback,
    Change::Plugin("last"),
    Change::Router("prefix"),
    Change::RefusedCertificate,
    Change::Certificate,
    Change::Configuration,
];

/// What the files say now, and everything that ever was live.
pub(super) struct Storm<'a> {
    ca: &'a Ca,
    text: String,
    plugin: Vec<u8>,
    generations: Vec<Weak<tidegate::gateway::Generation>>,
    artifacts: Vec<Weak<tidegate::plugin::Artifact>>,
}

impl<'a> Storm<'a> {
    /// What it begins with.
    pub(super) fn setup() -> Setup {
        Gateway::configure(TEXT).file("mine.wasm", FEEDBACK).file("way.wat", guest("router-trap"))
    }

    pub(super) fn new(gateway: &Gateway, ca: &'a Ca) -> Self {
        let (text, plugin) = (TEXT.to_owned(), FEEDBACK.to_vec());
        let mut storm = Self { ca, text, plugin, generations: Vec::new(), artifacts: Vec::new() };
        storm.remember(gateway);
        storm
    }

    /// Makes the change, and checks that it came into force or was refused, as it should.
    pub(super) async fn apply(&mut self, gateway: &mut Gateway, change: Change, number: usize) {
        let path = gateway.folder().join("mine.wasm");
        let before = gateway.inner().generation().id();
        let mut refused = false;
        match change {
            Change::Plugin("feedback") => self.plugin = FEEDBACK.to_vec(),
            // The comment makes it another file each time: compiled and configured anew.
            Change::Plugin(name) => self.plugin = format!("{}\n;; {number}\n", guest(name)).into_bytes(),
            Change::PluginConfig => {
                let config = format!("file = \"mine.wasm\"\nconfig = {{ number = {number} }}\n");
                self.text = replaced(&self.text, "file = \"mine", &config);
            }
            Change::Router(name) => self.text = replaced(&self.text, "plugin = ", &format!("plugin = \"{name}\"\n")),
            Change::Configuration => {
                let version = format!("respond = {{ status = 200, body = \"{number}\" }}\n");
                self.text = replaced(&self.text, "respond = ", &version);
            }
            Change::Cluster => {
                let idle = format!("balancer = \"mine\"\npool = {{ idle = \"{}s\" }}\n", number + 1);
                self.text = replaced(&self.text, "balancer = ", &idle);
            }
            Change::Certificate => drop(self.ca.issue(&["localhost"]).write(gateway.folder(), "cert")),
            Change::Rollback => {}
            Change::RefusedPlugin(_) | Change::RefusedConfiguration | Change::RefusedCertificate => refused = true,
        }
        match change {
            Change::RefusedPlugin(name) => replace(&path, guest(name).as_bytes()),
            _ => replace(&path, &self.plugin),
        }
        match change {
            Change::RefusedConfiguration => gateway.rewrite(&format!("{}\n[gatway]\n", self.text)),
            _ => gateway.rewrite(&self.text),
        }
        let certificate = gateway.folder().join("cert.pem");
        let kept = std::fs::read(&certificate).unwrap();
        if let Change::RefusedCertificate = change {
            replace(&certificate, b"no certificate");
        }
        let inner = gateway.inner().clone();
        let changing = move || if let Change::Rollback = change { inner.rollback() } else { inner.reload() };
        let changed = tokio::task::spawn_blocking(changing).await.unwrap();
        replace(&certificate, &kept);
        assert_eq!(changed.is_err(), refused, "{number}: {change:?}: {changed:?}");
        let after = gateway.inner().generation().id();
        assert_eq!(after == before, refused, "{number}: {change:?}: generation {before} became {after}");
        self.remember(gateway);
    }

    fn remember(&mut self, gateway: &Gateway) {
        let generation = gateway.inner().generation();
        if self.generations.iter().any(|known| known.as_ptr() == Arc::as_ptr(&generation)) {
            return;
        }
        self.artifacts.extend(generation.artifacts().values().map(Arc::downgrade));
        self.generations.push(Arc::downgrade(&generation));
    }

    /// Generations in memory. Every artifact in memory must belong to one of them.
    pub(super) fn alive(&self) -> usize {
        let generations: Vec<_> = self.generations.iter().filter_map(Weak::upgrade).collect();
        for artifact in self.artifacts.iter().filter_map(Weak::upgrade) {
            let mut known = generations.iter().flat_map(|generation| generation.artifacts().values());
            assert!(known.any(|other| Arc::ptr_eq(other, &artifact)), "{artifact:?} has no generation any more");
        }
        generations.len()
    }
}

/// `text` with `new` in place of the line that starts with `start`, without what the same change put in before.
fn replaced(text: &str, start: &str, new: &str) -> String {
    let added = new.lines().nth(1).and_then(|line| line.split_once(" = ")).map_or("\0", |(key, _)| key);
    let lines = text.lines().filter(|line| !line.starts_with(added));
    lines.map(|line| if line.starts_with(start) { new.to_owned() } else { format!("{line}\n") }).collect()
}
