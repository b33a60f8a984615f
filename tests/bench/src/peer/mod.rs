//! The proxies: how each is found, configured and started in front of the stage's endpoints.

mod apache;
mod envoy;
mod haproxy;
mod nginx;
pub(crate) mod tidegate;
mod web;

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use tokio::net::TcpStream;

use crate::load::dialer::Version;
use crate::process::Group;
use crate::scene::{Load, Scene};
use crate::stage::{Stage, free_port};

/// Workers or threads of every proxy whose configuration has a number for them.
pub(crate) const WORKERS: usize = 2;

/// How long a proxy may take to listen.
pub(crate) const START: Duration = Duration::from_secs(15);

/// How long it may take to calm down after that.
const SETTLE: Duration = Duration::from_millis(300);

/// Between two looks whether it listens.
const LOOK: Duration = Duration::from_millis(10);

/// Free ports are found and then bound by others; another program may take them in between.
const TRIES: usize = 3;

/// Who stands in front of the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Peer {
    /// Nobody: the endpoints themselves
    Direct,
    /// A bare forwarder of bytes
    Forwarder,
    /// This gateway
    Tidegate,
    /// nginx
    Nginx,
    /// HAProxy
    Haproxy,
    /// Apache httpd
    Apache,
    /// Envoy
    Envoy,
    /// Traefik
    Traefik,
    /// Caddy
    Caddy,
}

/// Where a proxy is to listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    /// HTTP/2 by prior knowledge. Not every proxy finds out on one port which version a client speaks.
    pub(crate) http2: u16,
    pub(crate) tls: u16,
}

impl Ports {
    /// Three that no program listens on now.
    pub(crate) fn free() -> io::Result<Self> {
        Ok(Self { plain: free_port()?, http2: free_port()?, tls: free_port()? })
    }

    /// Where to find the proxy that listens there.
    pub(crate) fn plain(self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.plain).into()
    }

    /// The same for what clients of this scene speak.
    pub(crate) fn address(self, scene: &Scene) -> SocketAddr {
        let port = match scene.version {
            _ if scene.tls => self.tls,
            Version::Http1 => self.plain,
            Version::Http2 => self.http2,
        };
        (Ipv4Addr::LOCALHOST, port).into()
    }
}

/// A proxy that serves.
#[derive(Debug)]
pub(crate) enum Running {
    /// The endpoint itself, which speaks both versions where it listens.
    Endpoint(SocketAddr),
    Proxy(Group, Ports),
}

impl Peer {
    /// As written on the command line and in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Forwarder => "forwarder",
            Self::Tidegate => "tidegate",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
            Self::Caddy => "caddy",
        }
    }

    /// Its program; none if it is not installed. [`Self::Direct`] has none to look for.
    pub(crate) fn program(self, gateway: &Path) -> Option<PathBuf> {
        use crate::process::program;
        match self {
            Self::Direct | Self::Forwarder => std::env::current_exe().ok(),
            Self::Tidegate => Some(gateway.to_owned()).filter(|path| path.is_file()),
            Self::Nginx => program("NGINX", &["nginx"]),
            Self::Haproxy => program("HAPROXY", &["haproxy"]),
            Self::Apache => program("APACHE", &["apache2", "httpd"]),
            Self::Envoy => program("ENVOY", &["envoy"]),
            Self::Traefik => program("TRAEFIK", &["traefik"]),
            Self::Caddy => program("CADDY", &["caddy"]),
        }
    }

    /// Why it does not take part in a scene; none if it does.
    pub(crate) fn cannot(self, scene: &Scene) -> Option<&'static str> {
        let http2 = scene.version == Version::Http2;
        let tunnels = matches!(scene.load, Load::Echo { .. } | Load::Connect { .. } | Load::Idle { .. });
        let can = match self {
            Self::Direct => !scene.tls,
            Self::Forwarder => http2 || !scene.tls,
            // HTTP/2 with endpoints is in its versions from 1.29.4 on.
            Self::Nginx => !http2 || !(tunnels || scene.both),
            // From the seventh tunnel of a connection on it has them wait until others end.
            Self::Apache if http2 && tunnels => return Some("6 at most"),
            // They could; how they are to be configured was not tried.
            Self::Traefik | Self::Caddy if http2 && !scene.tls => return Some("not set up"),
            _ => true,
        };
        (!can).then_some("cannot")
    }

    /// Writes its configuration, and returns what to run.
    fn command(self, program: &Path, stage: &Stage, ports: Ports) -> anyhow::Result<Command> {
        let mut command = Command::new(program);
        match self {
            Self::Direct => {}
            Self::Forwarder => {
                let Ports { plain, http2, tls } = ports;
                command.args(["forward", "--to", &stage.each_endpoint("{}", ",")]);
                for (option, port) in [("--listen", plain), ("--http2", http2), ("--http2-tls", tls)] {
                    command.arg(option).arg(format!("127.0.0.1:{port}"));
                }
                command.arg("--certificate").arg(stage.path("cert.pem")).arg("--key").arg(stage.path("key.pem"));
            }
            Self::Tidegate => tidegate::configure(&mut command, stage, ports, &tidegate::Setup::default())?,
            Self::Nginx => nginx::configure(&mut command, stage, ports)?,
            Self::Haproxy => haproxy::configure(&mut command, stage, ports)?,
            Self::Apache => apache::configure(&mut command, stage, ports)?,
            Self::Envoy => envoy::configure(&mut command, stage, ports)?,
            Self::Traefik => web::traefik(&mut command, stage, ports)?,
            Self::Caddy => web::caddy(&mut command, stage, ports)?,
        }
        Ok(command)
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn start(self, program: &Path, stage: &Stage) -> anyhow::Result<Running> {
        if self == Self::Direct {
            let plain = *stage.endpoints.first().context("no endpoint")?;
            return Ok(Running::Endpoint(plain));
        }
        let log = stage.path(&format!("{}.log", self.name()));
        let mut tries = TRIES;
        loop {
            let ports = Ports::free()?;
            let command = self.command(program, stage, ports)?;
            match listening(command, &log, ports.plain, START).await {
                Ok(group) => return Ok(Running::Proxy(group, ports)),
                Err(error) if tries == 1 => return Err(error.context(self.name())),
                Err(_once_more) => tries -= 1,
            }
        }
    }
}

impl Running {
    /// Where it takes the connections of a scene.
    pub(crate) fn address(&self, scene: &Scene) -> SocketAddr {
        match self {
            Self::Endpoint(address) => *address,
            Self::Proxy(_, ports) => ports.address(scene),
        }
    }

    /// Its process; none if there is none to look at.
    pub(crate) fn process(&self) -> Option<u32> {
        match self {
            Self::Endpoint(_) => None,
            Self::Proxy(group, _) => Some(group.id()),
        }
    }
}

/// Runs `command`, its output in `log`, and waits until something listens on `port`.
pub(crate) async fn listening(mut command: Command, log: &Path, port: u16, limit: Duration) -> anyhow::Result<Group> {
    let output = File::create(log)?;
    command.stdout(output.try_clone()?).stderr(output);
    let mut group = Group::spawn(command)?;
    let deadline = Instant::now() + limit;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        if let Some(status) = group.ended()? {
            bail!("ended at once, {status}: {}", last_lines(log));
        }
        if Instant::now() > deadline {
            bail!("does not listen after {limit:?}: {}", last_lines(log));
        }
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(SETTLE).await;
    Ok(group)
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
