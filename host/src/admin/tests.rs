//! The server over real sockets, with a gateway that is made up.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::config::{AdminConfig, Edit, MemberChange, Said};
use crate::control::{
    ChangedView, ChangesView, ClusterView, ControlError, EndpointView, FaultView, GenerationState, GenerationView,
    Inspect, Operate, PluginView, Push, PushError, Readiness, ResetEndpoint, ResetView, TableView,
};

mod callers;
mod tables;

const JSON: &str = "Content-Type: application/json";

#[derive(Default)]
struct Fake {
    draining: AtomicBool,
}

impl Inspect for Fake {
    fn readiness(&self) -> Readiness {
        if self.draining.load(Relaxed) { Readiness::Draining } else { Readiness::Serving(7) }
    }

    fn metrics(&self) -> Result<String, fmt::Error> {
        Ok("tidegate_generation 7\n# EOF\n".to_owned())
    }

    fn clusters(&self) -> Vec<ClusterView> {
        let ready = EndpointView {
            url: "ws://192.0.2.1:80".to_owned(),
            found_by: None,
            state: "ready",
            protocol: Some("h2"),
            health: "healthy",
            health_since: "2026-11-23T01:02:38.123Z".to_owned(),
            health_reason: None,
            weight: Some(1.5),
            group: Some(0),
            in_flight: 3,
            picks: 9,
            bytes_sent: 10,
            bytes_received: 20,
            failures: 1,
            ejections: 0,
            probes_passed: 0,
            probes_failed: 0,
            latency_us: Some(812.5),
            signals: BTreeMap::new(),
        };
        let removed = EndpointView { state: "removed", weight: None, group: None, latency_us: None, ..ready.clone() };
        vec![ClusterView {
            name: "chat".to_owned(),
            balancer: Some("bybusyness".to_owned()),
            protocol: Some("h2"),
            endpoints: vec![ready, removed],
        }]
    }

    fn plugins(&self) -> Vec<PluginView> {
        vec![PluginView {
            name: "bybusyness".to_owned(),
            role: Some("balancer"),
            file: Some("shipped".to_owned()),
            digest: Some("ab12".to_owned()),
            generation: Some(7),
            instances: 1,
            calls: 64,
            faults: BTreeMap::from([("trap", 2)]),
            time_per_call_ns: Some(240),
            aside: 0,
            last_fault: Some("trap: unreachable".to_owned()),
            last_refusal: None,
            table: None,
        }]
    }

    fn generations(&self) -> Vec<GenerationView> {
        vec![GenerationView {
            id: 7,
            since: "2026-11-23T01:02:38.123Z".to_owned(),
            digest: "cd34".to_owned(),
            changes: vec!["start".to_owned()],
            state: GenerationState::Live,
        }]
    }

    fn changes(&self) -> ChangesView {
        ChangesView { persist: None, changes: Vec::new(), dropped: Vec::new() }
    }

    fn folder(&self) -> PathBuf {
        PathBuf::new()
    }
}

impl Operate for Fake {
    fn push(&self, cluster: &str, push: &Push) -> Result<usize, PushError> {
        let cluster = if cluster == "ws://192.0.2.1:80" { "chat" } else { cluster };
        match (cluster, push.endpoint.as_str(), push.signals.first_key_value()) {
            ("chat", "ws://192.0.2.1:80", Some((name, _))) if name == "queue" => Ok(push.signals.len()),
            ("chat", "ws://192.0.2.1:80", _) => {
                Err(PushError::Signal { signal: "free".to_owned(), why: "the cluster has no such signal".to_owned() })
            }
            ("chat", ..) => Err(PushError::NoEndpoint),
            _ => Err(PushError::NoCluster),
        }
    }

    fn reload(&self) -> Result<GenerationView, ControlError> {
        let fault = FaultView { message: "a.toml:1:1: unknown key".to_owned(), hint: Some("leave it out".to_owned()) };
        Err(ControlError::Faults(vec![fault]))
    }

    fn rollback(&self) -> Result<GenerationView, ControlError> {
        Err(ControlError::NoEarlier)
    }

    fn change(&self, cluster: &str, edit: &Edit) -> Result<ChangedView, ControlError> {
        let (Edit::Remove(url) | Edit::Set(url, _)) = edit else {
            return Err(ControlError::Conflict { error: "no".to_owned(), hint: Some("why") });
        };
        if cluster != "chat" {
            return Err(ControlError::Unknown { error: "no cluster".to_owned(), known: vec!["chat".to_owned()] });
        }
        let said = |state| Some(Said { state, weight: 1.5, group: 0 });
        let (before, after) = (said("ready"), said("drain"));
        let changed = vec![MemberChange { cluster: cluster.to_owned(), endpoint: url.clone(), before, after }];
        Ok(ChangedView { generation: 8, persisted: false, changed })
    }

    fn undo(&self) -> Result<ChangedView, ControlError> {
        Ok(ChangedView { generation: 9, persisted: true, changed: Vec::new() })
    }

    fn fill_table(&self, plugin: &str, lines: Vec<u8>) -> Result<TableView, ControlError> {
        if plugin != "tenants" {
            let hint = Some("write `table`");
            return Err(ControlError::Conflict { error: format!("plugin `{plugin}` has no `table`"), hint });
        }
        Ok(TableView {
            file: "tenants.tsv".to_owned(),
            version: "ab".to_owned(),
            entries: lines.iter().filter(|byte| **byte == b'\n').count(),
            memory_bytes: lines.len(),
            since: "2026-11-23T01:02:38.123Z".to_owned(),
            swaps: 1,
            last_refusal: None,
        })
    }

    fn reset(&self, _cluster: &str, _url: Option<&str>) -> Result<ResetView, ControlError> {
        let endpoint = "ws://192.0.2.1:80".to_owned();
        Ok(ResetView { generation: 7, reset: vec![ResetEndpoint { endpoint, before: "unhealthy", after: "healthy" }] })
    }
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        assert!(self.head.contains("content-type: application/json\r\n"), "{}", self.head);
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn call(address: SocketAddr, head: &str) -> Reply {
    call_with(address, head, "").await
}

async fn call_with(address: SocketAddr, head: &str, body: &str) -> Reply {
    call_exactly(address, &format!("{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n{body}")).await
}

async fn call_exactly(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: format!("{}\r\n", head.to_lowercase()), body: body.to_owned() }
}

fn serve(token_file: Option<PathBuf>) -> (Server, Arc<Fake>) {
    let config = AdminConfig { address: ([127, 0, 0, 1], 0).into(), token_file, persist: None };
    let server = Server::bind(&config, None).unwrap();
    let fake = Arc::new(Fake::default());
    server.start(fake.clone());
    (server, fake)
}

#[tokio::test]
async fn every_page_has_its_shape() {
    let (server, fake) = serve(None);
    let at = server.address();

    let health = call(at, "GET /healthz HTTP/1.1").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok"));
    assert_eq!(call(at, "GET /readyz HTTP/1.1").await.body, "ready, generation 7\n");
    let metrics = call(at, "GET /metrics HTTP/1.1").await;
    assert!(metrics.head.contains("content-type: application/openmetrics-text"), "{}", metrics.head);
    let endpoint = json!({
        "url": "ws://192.0.2.1:80", "found_by": null, "state": "ready", "protocol": "h2", "health": "healthy",
        "weight": 1.5, "group": 0, "in_flight": 3,
        "health_since": "2026-11-23T01:02:38.123Z", "health_reason": null, "picks": 9, "bytes_sent": 10,
        "bytes_received": 20, "failures": 1, "ejections": 0, "probes_passed": 0, "probes_failed": 0, "latency_us": 812.5,
    });
    let clusters = call(at, "GET /api/v1/clusters HTTP/1.1").await;
    assert!(clusters.body.starts_with("[\n  {\n"), "pretty: {}", clusters.body);
    assert_eq!(clusters.json()[0]["name"], "chat");
    assert_eq!(clusters.json()[0]["endpoints"][0], endpoint);
    assert_eq!(clusters.json()[0]["endpoints"][1]["weight"], Value::Null);
    assert_eq!(
        call(at, "GET /api/v1/plugins HTTP/1.1").await.json(),
        json!([{
            "name": "bybusyness", "role": "balancer", "file": "shipped", "digest": "ab12", "generation": 7,
            "instances": 1, "calls": 64, "faults": { "trap": 2 }, "time_per_call_ns": 240, "aside": 0,
            "last_fault": "trap: unreachable", "last_refusal": null,
        }])
    );
    assert_eq!(
        call(at, "GET /api/v1/generations HTTP/1.1").await.json(),
        json!([{
            "id": 7, "since": "2026-11-23T01:02:38.123Z", "digest": "cd34", "changes": ["start"], "state": "live",
        }])
    );
    let reload = call(at, "POST /api/v1/reload HTTP/1.1").await;
    assert_eq!(reload.status, 422);
    let faults = json!([{ "message": "a.toml:1:1: unknown key", "hint": "leave it out" }]);
    assert_eq!(reload.json()["faults"], faults);
    let rollback = call(at, "POST /api/v1/rollback HTTP/1.1").await;
    assert_eq!((rollback.status, rollback.json()), (409, json!({ "error": "no earlier generation to return to" })));

    fake.draining.store(true, Relaxed);

    let ready = call(at, "GET /readyz HTTP/1.1").await;
    assert_eq!((ready.status, ready.body.as_str()), (503, "draining\n"));
}

#[tokio::test]
async fn a_report_that_is_posted_is_taken_or_refused_with_a_reason() {
    let (server, _fake) = serve(None);
    let at = server.address();
    let good = r#"{"endpoint":"ws://192.0.2.1:80","signals":{"queue":3}}"#;
    let long = format!(r#"{{"endpoint":"{}","signals":{{}}}}"#, "x".repeat(16 * 1024));

    for (cluster, body, status, word) in [
        ("chat", good, 200, r#""taken": 1"#),
        ("ws:%2F%2F192.0.2.1:80", good, 200, r#""taken": 1"#),
        ("web", good, 404, "no such cluster"),
        ("chat", r#"{"endpoint":"ws://192.0.2.9:80","signals":{"queue":3}}"#, 404, "no such endpoint"),
        ("chat", r#"{"endpoint":"ws://192.0.2.1:80","signals":{"free":3}}"#, 422, "no such signal"),
        ("chat", r#"{"endpoint":"ws://192.0.2.1:80","signals":{"queue":"3"}}"#, 400, "invalid type"),
        ("chat", r#"{"endpoint":"ws://192.0.2.1:80","signals":{"queue":1e999}}"#, 400, "out of range"),
        ("chat", r#"{"endpoint":"ws://192.0.2.1:80","signal":{"queue":3}}"#, 400, "unknown field"),
        ("chat", r#"{"endpoint":"ws://192.0.2.1:80"}"#, 400, "missing field"),
        ("chat", "", 400, "EOF"),
        ("chat", &long, 413, "at most 16 KiB"),
        ("", good, 404, "no such path"),
        ("a/b", good, 404, "no such path"),
    ] {
        let head =
            format!("POST /api/v1/clusters/{cluster}/signals HTTP/1.1\r\nContent-Length: {}\r\n{JSON}", body.len());
        let reply = call_with(at, &head, body).await;

        assert_eq!(reply.status, status, "{cluster} {body}: {}", reply.body);
        assert!(reply.body.contains(word), "{cluster} {body}: {}", reply.body);
    }
    for kind in ["", "\r\nContent-Type: text/plain", "\r\nContent-Type: application/x-www-form-urlencoded"] {
        let head = format!("POST /api/v1/clusters/chat/signals HTTP/1.1\r\nContent-Length: {}{kind}", good.len());
        let reply = call_with(at, &head, good).await;

        assert_eq!(reply.status, 415, "{kind}: {}", reply.body);
        assert!(reply.body.contains("content-type: application/json"), "{}", reply.body);
    }
    let got = call(at, "GET /api/v1/clusters/chat/signals HTTP/1.1").await;
    assert_eq!(got.status, 405);
    assert!(got.head.contains("allow: post\r\n"), "{}", got.head);
    let foreign = "POST /api/v1/clusters/chat/signals HTTP/1.1\r\nOrigin: https://attacker.example";
    assert_eq!(call(at, foreign).await.status, 403);
}

#[tokio::test]
async fn what_is_not_there_or_not_taken_says_what_is() {
    let (server, _fake) = serve(None);
    let at = server.address();

    let head = call(at, "HEAD /api/v1/clusters HTTP/1.1").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let whole = call(at, "GET /api/v1/clusters HTTP/1.1").await.body.len();
    assert!(head.head.contains(&format!("content-length: {whole}\r\n")), "{}", head.head);
    let unknown = call(at, "GET /api/v2 HTTP/1.1").await;
    assert_eq!(unknown.status, 404);
    let paths = unknown.json()["paths"].as_array().unwrap().clone();
    assert_eq!(paths.len(), 13);
    assert!(paths.contains(&json!("/api/v1/clusters/{name}/signals")), "{paths:?}");
    for (head, status, word) in [
        ("DELETE /api/v1/clusters HTTP/1.1", 405, "allow: get, head\r\n"),
        ("POST /healthz HTTP/1.1", 405, "allow: get, head\r\n"),
        ("GET /api/v1/reload HTTP/1.1", 405, "allow: post\r\n"),
        ("POST /api/v1/reload HTTP/1.1\r\nContent-Length: 65537", 413, "connection: close\r\n"),
        ("POST /api/v1/reload HTTP/1.1\r\nContent-Length: 2\r\nX: {}", 422, ""),
        ("PUT /api/v1/plugins/tenants/table HTTP/1.1\r\nContent-Length: 268435457", 413, "connection: close\r\n"),
        ("POST /api/v1/reload HTTP/1.1\r\nOrigin: https://attacker.example", 403, "connection: close\r\n"),
        ("GET http://rebound.example/api/v1/clusters HTTP/1.1", 403, "connection: close\r\n"),
        ("GET /api/v1/clusters HTTP/1.1\r\nHost: localhost", 400, ""),
    ] {
        let reply = call(at, head).await;

        assert_eq!(reply.status, status, "{head}");
        assert!(reply.head.contains(word), "{head}: {}", reply.head);
    }
}

#[tokio::test]
async fn members_are_changed_by_documents_that_no_page_can_send() {
    let (server, _fake) = serve(None);
    let at = server.address();
    let body = |text: &str| format!("Content-Length: {}\r\nX: y\r\n\r\n{text}", text.len());
    let good = format!("{JSON}\r\n{}", body("{\"state\":\"drain\"}"));
    let path = "/api/v1/clusters/chat/endpoints?url=ws://192.0.2.1:80";
    let send = async |head: &str, rest: &str| {
        let host = format!("Host: {at}\r\nConnection: close");
        call_exactly(at, &format!("{head} HTTP/1.1\r\n{host}\r\n{rest}")).await
    };

    let changed = send(&format!("PATCH {path}"), &good).await;
    let said = |state: &str| json!({ "state": state, "weight": 1.5, "group": 0 });
    let change = json!({
        "cluster": "chat", "endpoint": "ws://192.0.2.1:80", "before": said("ready"), "after": said("drain"),
    });
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json(), json!({ "generation": 8, "persisted": false, "changed": [change] }));
    assert_eq!(send("DELETE /api/v1/changes", "\r\n").await.json()["generation"], 9);
    assert_eq!(send("POST /api/v1/clusters/chat/endpoints/reset", "\r\n").await.json()["reset"][0]["after"], "healthy");
    let long = "x".repeat(65_537);
    let chunked = format!("{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n{long}\r\n0\r\n\r\n");
    for (head, rest, status, word) in [
        (format!("PATCH {path}"), body("{}"), 415, "application/json"),
        (format!("PATCH {path}"), good.replace("application/json", "text/plain"), 415, "application/json"),
        (format!("PATCH {path}"), format!("Origin: https://attacker.example\r\n{good}"), 403, "another origin"),
        (format!("PATCH {path}"), format!("Sec-Fetch-Site: cross-site\r\n{good}"), 403, "another origin"),
        (format!("PATCH {path}"), format!("Sec-Fetch-Site: same-origin\r\n{good}"), 200, "drain"),
        (format!("PATCH {path}"), good.replace("state", "stat_"), 400, "did you mean `state`?"),
        (format!("PATCH {path}"), format!("{JSON}\r\n{}", body("{\"state\": ")), 400, "no JSON"),
        (format!("PATCH {path}"), format!("{JSON}\r\n{}", body("[1]")), 400, "a list"),
        (format!("PATCH {path}"), format!("{JSON}\r\n{}", body("{}")), 400, "nothing to change"),
        (format!("PATCH {path}"), format!("{JSON}\r\n{}", body("{\"weight\":200}")), 400, "0.01 to 100"),
        (format!("PATCH {path}"), chunked, 413, "64 KiB"),
        ("PATCH /api/v1/clusters/chat/endpoints".to_owned(), good.clone(), 400, "url"),
        ("PATCH /api/v1/clusters/chta/endpoints?url=a".to_owned(), good.clone(), 404, "\"chat\""),
        ("PUT /api/v1/clusters/chat/endpoints".to_owned(), good.clone(), 405, "PATCH"),
        ("POST /api/v1/clusters/chat/endpoints".to_owned(), good.clone(), 400, "`url` is missing"),
        ("GET /api/v1/clusters/none/endpoints".to_owned(), "\r\n".to_owned(), 404, "chat"),
        ("DELETE /api/v1/changes?url=a".to_owned(), "\r\n".to_owned(), 400, "cluster"),
        ("DELETE /api/v1/changes?x=a".to_owned(), "\r\n".to_owned(), 400, "unknown key"),
    ] {
        let reply = send(&head, &rest).await;

        assert_eq!(reply.status, status, "{head} {}: {}", rest.get(..60).unwrap_or(&rest), reply.body);
        assert!(reply.body.contains(word), "{head}: {}", reply.body);
    }
}
