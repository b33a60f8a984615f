//! A gateway with an admin server and a balancer of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::peer::tidegate::{self, Setup};
use crate::peer::{Ports, START, listening};
use crate::process::Group;
use crate::stage::{Stage, free_port};

/// Two balancers that take turns at being the file.
const BALANCERS: [&str; 2] = [include_str!("../../../guests/first.wat"), include_str!("../../../guests/last.wat")];

/// Longest wait for a response of the admin server. A reload compiles.
const RESPONSE: Duration = Duration::from_secs(30);

/// It runs until this is dropped.
pub(super) struct Gateway {
    group: Group,
    plain: SocketAddr,
    admin: SocketAddr,
    balancer: PathBuf,
    swaps: usize,
}

impl Gateway {
    pub(super) async fn start(stage: &Stage, program: &Path, workers: usize) -> anyhow::Result<Self> {
        let ports = Ports::free()?;
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let [first, _] = BALANCERS;
        let balancer = stage.write("balancer.wat", first)?;
        let tables = format!("[plugin.own]\nfile = {balancer:?}\n[admin]\naddress = \"{admin}\"\n");
        let setup = Setup { workers, cluster: "balancer = \"own\"\n", tables: &tables, ..Setup::default() };
        let mut command = Command::new(program);
        tidegate::configure(&mut command, stage, ports, &setup)?;
        let group = listening(command, &stage.path("own.log"), ports.plain, START).await?;
        Ok(Self { group, plain: ports.plain(), admin, balancer, swaps: 0 })
    }

    pub(super) fn process(&self) -> u32 {
        self.group.id()
    }

    pub(super) fn address(&self) -> String {
        self.plain.to_string()
    }

    /// Replaces the balancer by a file that was never seen before, so that it is compiled, and has it taken up.
    pub(super) async fn swap(&mut self) -> anyhow::Result<()> {
        self.swaps += 1;
        let text = BALANCERS.iter().cycle().nth(self.swaps % BALANCERS.len()).copied().unwrap_or_default();
        let beside = self.balancer.with_extension("new");
        std::fs::write(&beside, format!("{text}\n;; {}\n", self.swaps))?;
        std::fs::rename(&beside, &self.balancer)?;
        let response = self.admin("POST", "/api/v1/reload").await?;
        ensure!(response.starts_with("HTTP/1.1 200"), "swap {}: {response}", self.swaps);
        Ok(())
    }

    /// Samples of a metric, in the order in which the gateway lists them.
    pub(super) async fn metric(&self, name: &str) -> anyhow::Result<Vec<f64>> {
        let text = self.admin("GET", "/metrics").await?;
        let lines =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        lines.map(|line| Ok(line.rsplit(' ').next().unwrap_or_default().parse()?)).collect()
    }

    async fn admin(&self, method: &str, path: &str) -> anyhow::Result<String> {
        let asked = async {
            let mut stream = TcpStream::connect(self.admin).await?;
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await?;
            let mut response = String::new();
            stream.read_to_string(&mut response).await?;
            anyhow::Ok(response)
        };
        tokio::time::timeout(RESPONSE, asked)
            .await
            .with_context(|| format!("no response to {path} within {RESPONSE:?}"))?
    }
}
