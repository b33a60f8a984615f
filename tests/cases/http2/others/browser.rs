//! Chromium without a window: what a page sees whose requests and websockets come over one HTTP/2 connection.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use serde_json::{Value, json};
use tidegate_tests::{Ca, Ending, Origin, eventually};

use super::TLS;
use super::program::{Program, found, python, script};
use crate::running::Running;

/// A browser that shows a page, and what the page has reported so far.
struct Page {
    browser: Program,
    reports: Origin,
    _profile: tempfile::TempDir,
}

/// An endpoint that serves the page, refuses a websocket on `/refused`, and echoes.
async fn site() -> Origin {
    let page = std::fs::read(script("browser/page.html")).unwrap();
    let answering = move |seen: &tidegate_tests::Seen| {
        let (status, body) = match seen.target.as_str() {
            "/page" => (200, Bytes::from(page.clone())),
            "/refused" => (403, Bytes::new()),
            _ => return None,
        };
        let response = Response::builder().status(status).header("content-type", "text/html");
        Some(response.body(Full::from(body)).unwrap())
    };
    Origin::named("a").answering(answering).start().await
}

impl Page {
    async fn show(browser: PathBuf, port: u16, scene: &str) -> Self {
        let reports = Origin::named("reports").start().await;
        let profile = tempfile::Builder::new().prefix("tidegate-browser-").tempdir().unwrap();
        let url = format!("https://localhost:{port}/page#{scene},http://{}", reports.address());
        let mut command = Command::new(browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--ignore-certificate-errors", "--disable-web-security", "--disable-background-networking"]);
        command.args(["--remote-debugging-port=0", &format!("--user-data-dir={}", profile.path().display()), &url]);
        Self { browser: Program::start(&mut command), reports, _profile: profile }
    }

    /// The detail of each report of that kind.
    fn all(&self, what: &str) -> Vec<Value> {
        let reports = self.reports.seen().into_iter().filter(|seen| seen.target == "/report");
        let reports = reports.map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap());
        reports.filter(|report| report["what"] == what).map(|report| report["detail"].clone()).collect()
    }

    /// Waits for the first report of that kind.
    async fn reported(&self, what: &str) -> Value {
        let mut found = None;
        eventually(&format!("the page to report {what:?}"), || {
            let failed = self.all("failed");
            assert!(failed.is_empty(), "{failed:?}\n{}", self.browser.said());
            found = self.all(what).first().cloned();
            found.is_some()
        })
        .await;
        found.unwrap()
    }
}

fn route(path: &str, to: &str) -> String {
    format!("[[route]]\npath = \"{path}\"\nto = \"{to}\"\n")
}

fn running(text: &str, site: &Origin) -> tidegate_tests::Setup {
    let text = format!("{TLS}[log]\naccess = \"stdout\"\n{text}");
    tidegate_tests::Gateway::configure(&text).origin(site).tls(&Ca::new(), &["localhost"])
}

#[tokio::test]
async fn a_page_has_its_requests_and_websockets_on_one_connection() {
    let Some(browser) = found("chromium-headless-shell") else { return };
    let site = site().await;
    let running = Running::start(running(&route("/", "http://{a}"), &site)).await;

    let page = Page::show(browser, running.address().port(), "everything").await;
    page.reported("done").await;

    assert_eq!(page.reported("fetches").await, true);
    assert_eq!(page.reported("posted").await, 200_000);
    assert_eq!(page.reported("subprotocol").await, "chat");
    assert_eq!(page.reported("binary").await, true);
    assert_eq!(page.reported("many").await, 30);
    assert_eq!(page.reported("closed").await, json!({ "code": 4000, "reason": "enough", "wasClean": true }));
    assert_eq!(page.reported("refused").await, "refused");
    eventually("a line for each tunnel", || tunnels(&running).len() == 31).await;
    let requests = lines(&running, "request");
    assert!(requests.iter().all(|line| field(line, "protocol") == "\"http/2\""), "{requests:?}");
    assert_on_connections_of(&tunnels(&running), &requests);
    let closed = |code| site.endings().iter().filter(|ending| **ending == Ending::Closed(Some(code))).count();
    assert_eq!((closed(4000), closed(1000)), (1, 30));
}

fn lines(running: &Running, kind: &str) -> Vec<String> {
    let kind = format!("kind={kind} ");
    running.process.stdout().into_iter().filter(|line| line.contains(&kind)).collect()
}

fn tunnels(running: &Running) -> Vec<String> {
    lines(running, "tunnel")
}

/// Each tunnel came on a connection that requests came on, too: over HTTP/1.1, it would have one of its own.
fn assert_on_connections_of(tunnels: &[String], requests: &[String]) {
    let clients: BTreeSet<_> = requests.iter().map(|line| field(line, "client")).collect();
    assert!(tunnels.iter().all(|line| clients.contains(&field(line, "client"))), "{tunnels:?}, {requests:?}");
}

fn field(line: &str, name: &str) -> String {
    let rest = line.split_once(&format!(" {name}=")).unwrap_or_else(|| panic!("no {name} in {line}")).1;
    rest.split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn compression_is_between_the_page_and_the_endpoint() {
    let Some(browser) = found("chromium-headless-shell") else { return };
    let Some(python) = python(&["websockets"]) else { return };
    let endpoint = Program::start(Command::new(python).arg(script("python/websocket_endpoint.py")));
    let port = endpoint.says("listening ").await;
    let site = site().await;
    let text = route("/deflate", &format!("ws://127.0.0.1:{port}")) + &route("/", "http://{a}");
    let running = Running::start(running(&text, &site)).await;

    let page = Page::show(browser, running.address().port(), "compressed").await;
    page.reported("done").await;

    let extensions = page.reported("extensions").await;
    assert!(extensions.as_str().unwrap().starts_with("permessage-deflate"), "{extensions}");
    assert_eq!(page.reported("subprotocol").await, "chat");
    assert_eq!(page.reported("closed").await, 1000);
    assert_eq!(endpoint.says("opened ").await, "PerMessageDeflate");
    eventually("a line for the tunnel", || tunnels(&running).len() == 1).await;
    assert_on_connections_of(&tunnels(&running), &lines(&running, "request"));
}

#[tokio::test]
async fn a_websocket_survives_swaps_and_reloads_and_ends_with_1001() {
    let Some(browser) = found("chromium-headless-shell") else { return };
    let site = site().await;
    let text =
        route("/", "balancer://pool") + "[cluster.pool]\nbalancer = \"bybusyness\"\nendpoints = [\"http://{a}\"]\n";
    let mut running = Running::start(running(&text, &site)).await;
    let page = Page::show(browser, running.address().port(), "held").await;
    let echoes = |page: &Page| page.all("echoes").len();
    page.reported("echoes").await;

    for (from, to) in [("\"bybusyness\"", "\"byrequests\""), ("path = \"/\"", "path = \"/\"\nreverse = false")] {
        running.swapped_by(|| running.edit(from, to)).await;
        let before = echoes(&page);
        eventually("more echoes", || echoes(&page) > before + 3).await;
    }
    assert_eq!(page.all("closed"), [Value::Null; 0], "neither ends it");
    running.process.signal("TERM");

    assert_eq!(page.reported("closed").await, json!({ "code": 1001, "wasClean": true }));
    let status = running.process.ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(site.endings(), [Ending::Closed(Some(1001))]);
}
