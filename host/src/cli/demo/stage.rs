//! The files of the demo, in a folder that goes away with it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::folder::OwnFolder;
use crate::gateway;

/// A balancer that always takes the last endpoint: it cannot be mistaken for the shipped one.
const LAST: &str = include_str!("last.wat");

/// Files that a person can play with.
#[derive(Debug)]
pub(super) struct Stage {
    folder: OwnFolder,
    config: PathBuf,
    certificate: PathBuf,
}

impl Stage {
    /// Writes everything that a gateway before `endpoints` needs.
    pub(super) fn set(endpoints: &[SocketAddr]) -> anyhow::Result<Self> {
        let folder = OwnFolder::make("demo")?;
        let (config, certificate) = (folder.path().join("tidegate.toml"), folder.path().join("cert.pem"));
        let stage = Self { folder, config, certificate };
        stage.write(endpoints).with_context(|| format!("cannot write into {}", stage.folder().display()))?;
        Ok(stage)
    }

    fn write(&self, endpoints: &[SocketAddr]) -> anyhow::Result<()> {
        let made = gateway::self_signed()?;
        fs::write(&self.certificate, made.certificate)?;
        let mut key =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.folder().join("key.pem"))?;
        key.write_all(made.key.as_bytes())?;
        let shipped = gateway::shipped("bybusyness").context("the shipped balancer is missing from this binary")?;
        fs::write(self.folder().join("bybusyness.wasm"), shipped)?;
        fs::write(self.folder().join("last.wat"), LAST)?;
        fs::write(self.folder().join("last.wasm"), wat::parse_str(LAST)?)?;
        self.play("bybusyness.wasm")?;
        fs::write(&self.config, configuration(endpoints))?;
        Ok(())
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// What clients must trust.
    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Makes `file` the balancer, as an operator would: written beside, renamed into place.
    pub(super) fn play(&self, file: &str) -> std::io::Result<()> {
        self.put(&fs::read(self.folder().join(file))?)
    }

    /// Makes these bytes the balancer.
    pub(super) fn put(&self, bytes: &[u8]) -> std::io::Result<()> {
        self.folder.put("balancer.wasm", bytes)
    }
}

fn configuration(endpoints: &[SocketAddr]) -> String {
    let endpoints: Vec<_> = endpoints.iter().map(|address| format!("\"ws://{address}\"")).collect();
    format!(
        r#"# What `tidegate demo` serves. Change it while it runs, and watch with `tidegate demo --log info`.

[gateway]
cache = "off"

[[listen]]
address = "127.0.0.1:0"
tls = {{ certificate = "cert.pem", key = "key.pem" }}

[[listen]]
address = "127.0.0.1:0"

[[route]]
path = "/"
to = "balancer://demo"

[cluster.demo]
balancer = "swapped"
endpoints = [{}]

[plugin.swapped]
file = "balancer.wasm"

[admin]
address = "127.0.0.1:0"

[log]
access = "off"
"#,
        endpoints.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn its_configuration_is_good_and_its_folder_goes_away() {
        let stage = Stage::set(&["127.0.0.1:9001".parse().unwrap(), "127.0.0.1:9002".parse().unwrap()]).unwrap();
        let folder = stage.folder().to_owned();

        let config = config::load(stage.config()).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);

        drop(stage);
        assert!(!folder.exists());
    }
}
