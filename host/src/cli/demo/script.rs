//! What the demo does, and says while it does it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

use super::super::terminal::say;
use super::stage::Stage;
use super::visitor::{DemoTunnel, Visitor};

use crate::gateway::Gateway;
use crate::telemetry::Counter;

/// Websockets that stay open all along.
const TUNNELS: usize = 6;

/// Longest wait for a reload. Where there are no file events the files are looked at every 2 s.
const RELOAD: Duration = Duration::from_secs(20);

/// Between two looks at whether it has happened.
const LOOK: Duration = Duration::from_millis(20);

/// Plays all of it.
///
/// # Errors
/// The first thing that did not go as it should.
pub(super) async fn play(stage: &Stage, gateway: &Gateway) -> anyhow::Result<()> {
    let (tls, plain) = addresses(gateway)?;
    say("Tidegate demo: a gateway with TLS before two echo endpoints, all in this process.\n");
    say(format_args!("  websocket   wss://localhost:{}/websocket", tls.port()));
    say(format_args!("              ws://localhost:{}/websocket    (plain)", plain.port()));
    say(format_args!(
        "  https       curl --cacert {} https://localhost:{}/",
        stage.certificate().display(),
        tls.port()
    ));
    say(format_args!("  browser     http://localhost:{}/", plain.port()));
    if let Some(admin) = gateway.admin_address() {
        say(format_args!("  admin       http://{admin}/api/v1/clusters"));
    }
    say(format_args!("  files       {}\n", stage.folder().display()));

    let visitor = Visitor::new(tls, stage.certificate())?;
    say(format_args!(
        "1. {TUNNELS} websockets over TLS, one after the other; they stay open. The balancer is `bybusyness`:"
    ));
    let mut held = open(&visitor, TUNNELS).await?;
    ensure!(count(&held, "a") == count(&held, "b"), "bybusyness must share them evenly");

    say("\n2. The balancer's file is replaced by one that always takes the last endpoint (`last.wat`):");
    swap(stage, gateway, "last.wasm").await?;
    still_open(&mut held).await?;
    let decided = open(&visitor, 3).await?;
    ensure!(count(&decided, "b") == decided.len(), "the new code must decide");
    close(decided).await;

    say("\n3. Now by a file that is no plugin at all:");
    let refused = gateway.metrics().total(Counter::ReloadRefused);
    stage.put(b"#!/bin/sh\necho not a plugin\n")?;
    wait("the refusal", || gateway.metrics().total(Counter::ReloadRefused) > refused).await?;
    say(format_args!("   refused; generation {} goes on serving, and the log says why.", gateway.generation().id()));
    still_open(&mut held).await?;

    say("\n4. And back to `bybusyness`:");
    swap(stage, gateway, "bybusyness.wasm").await?;
    still_open(&mut held).await?;
    say(format_args!("   in flight: {}", in_flight(gateway)));
    close(held).await;
    Ok(())
}

/// What to do with it once it only serves.
pub(super) fn invite(stage: &Stage, gateway: &Gateway) {
    let folder = stage.folder().display();
    say("\nServing until Ctrl-C. Try the addresses above; open a few websockets, then swap the balancer yourself:");
    say(format_args!("  cp {folder}/last.wasm {folder}/balancer.wasm"));
    say("or one of your own: tidegate plugin new my-balancer");
    if let Ok((_, plain)) = addresses(gateway) {
        say(format_args!("A websocket to talk through, in a browser: http://localhost:{}/", plain.port()));
    }
}

async fn open(visitor: &Visitor, count: usize) -> anyhow::Result<Vec<DemoTunnel>> {
    let mut tunnels = Vec::new();
    for number in 1..=count {
        let tunnel = visitor.open().await.with_context(|| format!("websocket {number} through the gateway"))?;
        say(format_args!("   websocket {number} ─▶ endpoint {}", tunnel.endpoint()));
        tunnels.push(tunnel);
    }
    Ok(tunnels)
}

async fn close(tunnels: Vec<DemoTunnel>) {
    for tunnel in tunnels {
        tunnel.close().await;
    }
}

fn count(tunnels: &[DemoTunnel], endpoint: &str) -> usize {
    tunnels.iter().filter(|tunnel| tunnel.endpoint() == endpoint).count()
}

/// Puts another balancer in place and waits until the gateway has taken it up, by watching its file.
async fn swap(stage: &Stage, gateway: &Gateway, file: &str) -> anyhow::Result<()> {
    let before = gateway.generation().id();
    let began = Instant::now();
    stage.play(file)?;
    wait("the new balancer", || gateway.generation().id() > before).await?;
    let (now, took) = (gateway.generation().id(), began.elapsed().as_millis());
    say(format_args!("   generation {before} ─▶ {now}, {took} ms after the file changed."));
    Ok(())
}

async fn still_open(tunnels: &mut [DemoTunnel]) -> anyhow::Result<()> {
    let all = tunnels.len();
    let mut open = 0;
    for tunnel in tunnels {
        open += usize::from(tunnel.echoes("still there?").await);
    }
    say(format_args!("   {open} of {all} websockets are still open and echo."));
    ensure!(open == all, "{} websockets were closed", all - open);
    Ok(())
}

async fn wait(what: &str, happened: impl Fn() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + RELOAD;
    while !happened() {
        ensure!(Instant::now() < deadline, "{what} did not come within {RELOAD:?}");
        sleep(LOOK).await;
    }
    Ok(())
}

/// What every endpoint holds now.
fn in_flight(gateway: &Gateway) -> String {
    let all = gateway.registry().all();
    let endpoints = all.iter().flat_map(|(_, endpoints)| endpoints);
    endpoints.map(|live| format!("{} {}", live.url(), live.in_flight())).collect::<Vec<_>>().join(", ")
}

/// The two addresses of the gateway: TLS, plain.
fn addresses(gateway: &Gateway) -> anyhow::Result<(std::net::SocketAddr, std::net::SocketAddr)> {
    match gateway.addresses().as_slice() {
        [tls, plain] => Ok((*tls, *plain)),
        other => anyhow::bail!("expected two listeners, found {}", other.len()),
    }
}
