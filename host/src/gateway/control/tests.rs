//! A whole gateway, seen through its admin server.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::config;
use crate::gateway::Gateway;
use crate::policy::{ExchangeEffects, RequestFacts, Scheme};

async fn call(address: SocketAddr, line: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn json(address: SocketAddr, line: &str) -> Value {
    let (status, body) = call(address, line).await;
    assert_eq!(status, 200, "{line}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn write(path: &Path, endpoints: &[&str]) {
    let text = format!(
        "[gateway]\nworkers = 1\ncache = \"off\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n\
         [[route]]\npath = \"/\"\nto = \"balancer://chat/\"\n[cluster.chat]\nendpoints = {endpoints:?}\n\
         [log]\naccess = \"off\"\n[admin]\naddress = \"127.0.0.1:0\"\n"
    );
    std::fs::write(path, text).unwrap();
}

fn facts() -> RequestFacts {
    RequestFacts {
        method: http::Method::GET,
        scheme: Scheme::Http,
        authority: "gateway.example".parse().ok(),
        path: "/".to_owned(),
        query: None,
        upgrade: None,
        client: None,
        sni: None,
        headers: std::sync::Arc::default(),
        connection: None,
        effects: ExchangeEffects::default(),
        body: None,
    }
}

#[tokio::test]
async fn what_is_shown_and_done_is_the_gateways_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidegate.toml");
    write(&path, &["ws://127.0.0.1:1", "ws://127.0.0.1:2"]);
    let gateway = Gateway::build(config::load(&path).unwrap()).unwrap();
    gateway.start_admin();
    let at = gateway.admin_address().unwrap();
    assert_eq!(call(at, "GET /readyz").await, (503, "starting\n".to_owned()));
    gateway.start();
    assert_eq!(call(at, "GET /readyz").await, (200, "ready, generation 1\n".to_owned()));
    assert_eq!(call(at, "POST /api/v1/rollback").await.0, 409);
    let members = gateway.generation().clusters().next().unwrap().clone();
    let facts = facts();
    let held = members.select(&facts, &crate::cluster::Tried::default(), tokio::time::Instant::now()).unwrap();
    drop(members);

    write(&path, &["ws://127.0.0.1:2"]);
    let reloaded = json(at, "POST /api/v1/reload").await;
    assert_eq!((&reloaded["id"], &reloaded["state"]), (&2.into(), &"live".into()));
    let clusters = json(at, "GET /api/v1/clusters").await;
    let states: Vec<_> = clusters[0]["endpoints"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["ready", "removed"], "{clusters}");
    assert_eq!(clusters[0]["endpoints"][1]["in_flight"], 1);
    drop(held);
    let clusters = json(at, "GET /api/v1/clusters").await;
    assert_eq!(clusters[0]["endpoints"].as_array().unwrap().len(), 1, "nothing is held there any more");

    std::fs::write(&path, "[gateway]\nworker = 1\n").unwrap();
    let (status, body) = call(at, "POST /api/v1/reload").await;
    assert_eq!(status, 422);
    assert!(body.contains("unknown key `worker`"), "{body}");
    assert_eq!(json(at, "POST /api/v1/rollback").await["id"], 1);
    let generations = json(at, "GET /api/v1/generations").await;
    let live: Vec<_> = generations.as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(live, ["retired", "retired", "live"]);
    let plugins = json(at, "GET /api/v1/plugins").await;
    let balancer = plugins.as_array().unwrap().iter().find(|one| one["role"] == "balancer").unwrap();
    assert_eq!((&balancer["file"], &balancer["generation"]), (&"shipped".into(), &1.into()));

    let (_, metrics) = call(at, "GET /metrics").await;
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("tidegate_"), "{line}");
    }
    for series in [
        "tidegate_endpoint_picks_total{cluster=\"chat\",endpoint=\"ws://127.0.0.1:1\"} 1",
        "tidegate_endpoint_bytes_total{cluster=\"chat\",endpoint=\"ws://127.0.0.1:2\",direction=\"to_client\"} 0",
        "tidegate_plugin_calls_total{plugin=\"bybusyness\",role=\"balancer\"}",
        "tidegate_plugin_faults_total{plugin=\"prefix\",role=\"router\",kind=\"trap\"} 0",
        "tidegate_plugin_refused{plugin=\"reverse\"} 0",
        "tidegate_worker_connections{worker=\"0\"} 0",
        "tidegate_listener_connections{listener=\"127.0.0.1:",
        "tidegate_process_start_time_seconds ",
    ] {
        assert!(metrics.contains(&format!("\n{series}")), "{series} in {metrics}");
    }
    gateway.stop(std::time::Duration::ZERO).await;
    assert!(TcpStream::connect(at).await.is_err(), "the admin server ends last");
}
