//! The real gateway, and a plugin's file that is replaced under it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tidegate_tests::{Admin, Answer, Http, Origin, Process, Websocket, eventually, upgrade_request};
use tokio::net::TcpStream;

/// The plugin that runs before: it gives everything to the last endpoint.
const LAST: &str = include_str!("../../../host/src/cli/demo/last.wat");

/// How long a swap may take: a binary without optimisations compiles interpreters for that long.
const SWAPPED: Duration = Duration::from_secs(300);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a gateway, and puts `plugin` in place of what it began with. Websockets that were open before must stay, and what
/// comes after must be decided by the new plugin.
pub(crate) async fn swap(tidegate: PathBuf, role: String, plugin: Vec<u8>) -> anyhow::Result<()> {
    let [a, b] = [origin("a").await, origin("b").await];
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mine.wasm");
    let config = folder.path().join("tidegate.toml");
    std::fs::write(&config, configuration(&role, &a, &b, false))?;
    if role == "balancer" {
        std::fs::write(&file, LAST)?;
    }
    let gateway = Running::start(&tidegate, &config).await?;

    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(gateway.websocket().await?);
    }
    if role == "balancer" {
        expect("before the swap", &held, "bbb")?;
    }
    replace(&file, &plugin)?;
    if role != "balancer" {
        // What ran before came with the binary: the configuration names the file now.
        std::fs::write(&config, configuration(&role, &a, &b, true))?;
        gateway.process.signal("HUP");
    }
    gateway.until_live(&format!("{:x}", Sha256::digest(&plugin))).await?;

    for (at, websocket) in held.iter_mut().enumerate() {
        websocket.echo(format!("still there {at}")).await;
    }
    if role == "balancer" {
        // b has twice the weight, and holds three: a is least busy; then both are equal, and it is b's turn; then a.
        let mut new = Vec::new();
        for _ in 0..3 {
            new.push(gateway.websocket().await?);
        }
        expect("after the swap", &new, "aba")?;
    } else {
        let answer = gateway.get("/chat/hello").await?;
        if !answer.status.is_success() {
            bail!("GET /chat/hello: {} {}", answer.status, answer.text());
        }
    }
    gateway.expect_no_faults(&role).await
}

/// An endpoint whose responses have what rewriters look at.
async fn origin(name: &str) -> Origin {
    let responding = Origin::named(name).answering(|seen| {
        if seen.headers.iter().any(|(name, _)| name == "upgrade") {
            return None;
        }
        let headers = [("server", "old/1.0"), ("location", "http://gateway.test/next"), ("set-cookie", "id=1; Path=/")];
        let response = headers.iter().fold(Response::builder(), |all, (name, value)| all.header(*name, *value));
        response.body(Full::new(Bytes::from_static(b"good"))).ok()
    });
    responding.start().await
}

/// A balancer is there from the beginning; a router or rewriter once it is `named`.
fn configuration(role: &str, a: &Origin, b: &Origin, named: bool) -> String {
    let (a, b) = (a.address(), b.address());
    let plugin = "[plugin.mine]\nfile = \"mine.wasm\"\n";
    let (balancer, rest) = match (role, named) {
        ("balancer", _) => ("balancer = \"mine\"\n", plugin.to_owned()),
        (_, true) => ("", format!("[{role}]\nplugin = \"mine\"\n{plugin}")),
        (_, false) => ("", String::new()),
    };
    format!(
        "[gateway]\nworkers = 2\ncache = \"off\"\n[log]\naccess = \"off\"\n[admin]\naddress = \"127.0.0.1:0\"\n\
         [[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://chat\"\n\
         [cluster.chat]\n{balancer}endpoints = [\"ws://{a}\", {{ url = \"ws://{b}\", weight = 2 }}]\n{rest}"
    )
}

/// As an author does it: written beside, and renamed.
fn replace(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = file.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(beside, file).context("rename")
}

fn expect(when: &str, websockets: &[Websocket], expected: &str) -> anyhow::Result<()> {
    let went: String = websockets.iter().map(Websocket::endpoint).collect();
    if went != expected {
        bail!("{when} websockets went to {went}, expected {expected}");
    }
    Ok(())
}

/// A gateway that serves.
struct Running {
    process: Process,
    admin: Admin,
    address: std::net::SocketAddr,
}

impl Running {
    async fn start(tidegate: &Path, config: &Path) -> anyhow::Result<Self> {
        let process = Process::run_as(tidegate, config).await;
        // The admin server and the listener come up in either order.
        let address = |admin: bool| {
            let lines = process.stderr();
            let mut lines = lines.iter().filter(|line| line.contains("listening"));
            let line = lines.find(|line| line.contains("admin listening") == admin)?;
            line.split_once("address=")?.1.split_whitespace().next()?.parse().ok()
        };
        eventually("two addresses in the log", || address(true).is_some() && address(false).is_some()).await;
        let (Some(admin), Some(address)) = (address(true), address(false)) else {
            bail!("expected two addresses in the log: {:#?}", process.stderr());
        };
        Ok(Self { process, admin: Admin::at(admin), address })
    }

    async fn connect(&self) -> anyhow::Result<TcpStream> {
        TcpStream::connect(self.address).await.context("connect")
    }

    async fn websocket(&self) -> anyhow::Result<Websocket> {
        let websocket = Websocket::open(Box::new(self.connect().await?), upgrade_request("/chat/room")).await;
        Ok(websocket.context("a websocket")?.greeted().await)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let request = Request::get(path).header("host", "gateway.test").body(Full::new(Bytes::new()))?;
        Ok(Http::new(Box::new(self.connect().await?)).await.send(request).await)
    }

    /// What the admin server says of the plugin.
    async fn plugins(&self) -> Vec<Value> {
        let plugins = self.admin.good("GET", "/api/v1/plugins", &Value::Null).await;
        let plugins = plugins.as_array().cloned().unwrap_or_default();
        plugins.into_iter().filter(|plugin| plugin["name"] == "mine").collect()
    }

    async fn until_live(&self, digest: &str) -> anyhow::Result<()> {
        let limit = Instant::now() + SWAPPED;
        loop {
            let plugins = self.plugins().await;
            if plugins.iter().any(|plugin| plugin["digest"] == digest) {
                return Ok(());
            }
            if let Some(refusal) = plugins.iter().find_map(|plugin| plugin["last_refusal"].as_str()) {
                bail!("refused: {refusal}");
            }
            if Instant::now() > limit {
                bail!("not swapped in within {SWAPPED:?}: {:#?}", self.process.stderr());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// It was called, and did well.
    async fn expect_no_faults(&self, role: &str) -> anyhow::Result<()> {
        let plugins = self.plugins().await;
        let of_role: Vec<_> = plugins.iter().filter(|plugin| plugin["role"] == role).collect();
        let calls: u64 = of_role.iter().filter_map(|plugin| plugin["calls"].as_u64()).sum();
        let faults = of_role.iter().filter_map(|plugin| plugin["faults"].as_object());
        let faults: u64 = faults.flat_map(|faults| faults.values()).filter_map(Value::as_u64).sum();
        if calls == 0 || faults > 0 {
            bail!("expected calls and no faults: {plugins:#?}\n{:#?}", self.process.stderr());
        }
        Ok(())
    }
}
