//! Where a measurement takes place: a folder, a certificate, two endpoints. All of it goes away when dropped.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::process::Group;

/// How many endpoints stand behind every proxy.
const ENDPOINTS: usize = 2;

/// What every proxy is configured from.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) endpoints: Vec<SocketAddr>,
    _running: Vec<Group>,
}

impl Stage {
    /// A folder with a certificate in it, and endpoints that run.
    pub(crate) fn set() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidegate-bench-").tempdir()?;
        // P-256, as the key of most servers is.
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let certificate = CertificateParams::new(names)?.self_signed(&key)?.pem();
        let key = key.serialize_pem();
        fs::write(folder.path().join("cert.pem"), &certificate)?;
        fs::write(folder.path().join("key.pem"), &key)?;
        fs::write(folder.path().join("both.pem"), certificate + &key)?;
        let (mut endpoints, mut running) = (Vec::new(), Vec::new());
        for number in 1..=ENDPOINTS {
            let (address, group) = endpoint(number).with_context(|| format!("endpoint {number} does not start"))?;
            endpoints.push(address);
            running.push(group);
        }
        Ok(Self { folder, endpoints, _running: running })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Path of a file of the stage, made or not.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the stage.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Each endpoint's `ip:port`, put into `form` for `{}`, with `between` between them.
    pub(crate) fn each_endpoint(&self, form: &str, between: &str) -> String {
        let each: Vec<_> = self.endpoints.iter().map(|endpoint| form.replace("{}", &endpoint.to_string())).collect();
        each.join(between)
    }
}

fn endpoint(number: usize) -> anyhow::Result<(SocketAddr, Group)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["endpoint", "--name", &number.to_string()]).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut group = Group::spawn(command)?;
    let mut line = String::new();
    BufReader::new(group.stdout().context("no output")?).read_line(&mut line)?;
    Ok((line.trim().parse().with_context(|| format!("not an address: {line:?}"))?, group))
}

/// A loopback port that no program listens on now.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
