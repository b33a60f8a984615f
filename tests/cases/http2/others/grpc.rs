//! grpcio, the C core of gRPC, as client and as server.

use std::path::Path;
use std::process::Command;

use tidegate_tests::{Ca, Gateway, Setup, eventually};

use super::before;
use super::program::{Program, python, script};
use crate::running::Running;

fn client(address: impl ToString, ca: Option<&Path>, scene: &str) -> Option<Program> {
    let mut command = Command::new(python(&["grpc"])?);
    command.arg(script("python/grpc_client.py")).arg(address.to_string());
    Some(Program::client(command, ca, scene))
}

/// Its server, and the URL of it.
async fn endpoint(tls: Option<(&Path, &Path)>) -> Option<(Program, String)> {
    let mut command = Command::new(python(&["grpc"])?);
    command.arg(script("python/grpc_endpoint.py"));
    Some(Program::endpoint(command, tls).await)
}

#[tokio::test]
async fn calls_of_every_kind() {
    let Some((server, url)) = endpoint(None).await else { return };
    let gateway = before(&url, "h2", "").start().await;

    for scene in ["calls", "many", "deadline", "cancel"] {
        client(gateway.address(), None, scene).unwrap().done().await;
    }

    // A deadline and a cancellation are RST_STREAM, and reach the server.
    server.says("ended waits").await;
    eventually("all calls to end", || server.count("ended echoes") == 2 && crate::running::held(&gateway) == 0).await;
}

#[tokio::test]
async fn calls_of_every_kind_by_tls_on_both_sides() {
    let ca = Ca::new();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = ca.issue(&["localhost"]).write(folder.path(), "grpc");
    let Some((_server, url)) = endpoint(Some((&certificate, &key))).await else { return };
    for protocol in ["h2", "auto"] {
        let gateway = with_tls(&ca, &url, protocol).start().await;

        for scene in ["calls", "many", "deadline", "cancel"] {
            client(gateway.address(), Some(&gateway.folder().join("ca.pem")), scene).unwrap().done().await;
        }
    }
}

fn with_tls(ca: &Ca, url: &str, protocol: &str) -> Setup {
    let text = format!(
        "{}[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
         [cluster.pool]\nprotocol = \"{protocol}\"\nendpoints = [\"{url}\"]\ntls = {{ ca = \"ca.pem\" }}\n",
        super::TLS
    );
    Gateway::configure(&text).tls(ca, &["localhost"])
}

/// A stream under way sees nothing of a swap of the balancer or a reload, and a client that pings is no flood.
#[tokio::test]
async fn streams_survive_swaps_and_reloads() {
    let Some((_server, url)) = endpoint(None).await else { return };
    let running = Running::start(before(&url, "h2", "balancer = \"bybusyness\"")).await;
    let mut held = client(running.address(), None, "held").unwrap();
    held.says("open").await;

    running.swapped_by(|| running.edit("\"bybusyness\"", "\"byrequests\"")).await;
    held.tell("go");
    held.says("ok between").await;
    running.swapped_by(|| running.edit("path = \"/\"", "path = \"/\"\nreverse = false")).await;
    held.tell("go");
    held.tell("end");

    held.done().await;
}

#[tokio::test]
async fn an_endpoint_is_probed() {
    let Some((_server, url)) = endpoint(None).await else { return };
    // It resets the streams of requests that are no calls, so that a probe by HTTP would find it unhealthy.
    let probe = "[cluster.pool.health]\nprobe = \"tcp\"\ninterval = \"100ms\"\nrise = 1\nfall = 1";
    let gateway = before(&url, "h2", probe).start().await;

    let labels = format!("cluster=\"pool\",endpoint=\"{url}\",outcome=\"passed\"");
    let passed = || gateway.metric(&format!("tidegate_endpoint_probes_total{{{labels}}}"));
    eventually("a probe that passes", || passed() > 0.0).await;

    client(gateway.address(), None, "many").unwrap().done().await;
}

/// A gRPC client is told in its own words that no endpoint is there.
#[tokio::test]
async fn an_endpoint_that_is_not_there_is_unavailable() {
    let nobody = tidegate_tests::Origin::reserved();
    let gateway = before(&format!("http://{}", nobody.address()), "h2", "").start().await;

    let Some(client) = client(gateway.address(), None, "nobody") else { return };

    client.done().await;
}
