//! What plugins get through imports, from a request to the log, the next decision and `/metrics`.

use std::fmt::Write as _;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tidegate_tests::{Ca, Gateway, Origin, Raw, get, within};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::running::{guest, replace};

/// A balancer that counts, sets and observes under the label in `x-label`.
fn measuring() -> String {
    let imports = r#"(module
  (import "tidegate" "header" (func $header (param i32 i32 i32)))
  (import "tidegate" "count" (func $count (param i32 i32 i32 i32 f64)))
  (import "tidegate" "level" (func $level (param i32 i32 i32 i32 f64)))
  (import "tidegate" "observe" (func $observe (param i32 i32 i32 i32 f64)))
  (data (i32.const 64) "x-labelhits")"#;
    let pick = r#"
    (i64.store (i32.const 36) (i64.const 0))
    (call $header (i32.const 64) (i32.const 7) (i32.const 32))
    (call $count (i32.const 71) (i32.const 4) (i32.load (i32.const 36)) (i32.load (i32.const 40)) (f64.const 1.5))
    (call $level (i32.const 71) (i32.const 4) (i32.load (i32.const 36)) (i32.load (i32.const 40)) (f64.const -2))
    (call $observe (i32.const 71) (i32.const 4) (i32.load (i32.const 36)) (i32.load (i32.const 40)) (f64.const 20))
    ;; some(first eligible)"#;
    guest("first").replacen("(module", imports, 1).replace("\n    ;; some(first eligible)", pick)
}

async fn labelled(gateway: &Gateway, label: &str) {
    let mut request = get("/");
    request.headers_mut().insert("x-label", label.parse().unwrap());
    gateway.send(request).await;
}

#[tokio::test]
async fn what_a_plugin_measures_is_in_the_metrics_bounded_readable_and_kept_over_swaps() {
    let origin = Origin::named("a").start().await;
    let setup = Gateway::configure(
        "[[route]]\npath = \"/\"\nto = \"balancer://one\"\n[cluster.one]\nbalancer = \"mine\"\n\
         endpoints = [\"http://{a}\"]\n[plugin.mine]\nfile = \"mine.wat\"\n",
    );
    let gateway = setup.origin(&origin).file("mine.wat", measuring()).start().await;
    let series = |family: &str, label: &str| format!("{family}{{plugin=\"mine\",name=\"hits\",label=\"{label}\"}}");
    let exposed = || gateway.inner().metrics().expose().unwrap();
    assert!(!exposed().contains("hits"), "its self-test is not counted");

    labelled(&gateway, "a\"b\\c{}").await;
    labelled(&gateway, "a\"b\\c{}").await;
    replace(&gateway.folder().join("mine.wat"), format!("{}\n", measuring()).as_bytes());
    gateway.inner().reload().unwrap();
    labelled(&gateway, "a\"b\\c{}").await;

    let label = "a\\\"b\\\\c{}";
    assert_eq!(gateway.metric(&series("tidegate_plugin_count_total", label)).to_bits(), 4.5_f64.to_bits());
    assert_eq!(gateway.metric(&series("tidegate_plugin_level", label)).to_bits(), (-2.0_f64).to_bits());
    assert_eq!(gateway.metric(&series("tidegate_plugin_observed_count", label)).to_bits(), 3_f64.to_bits());
    assert_eq!(gateway.metric(&series("tidegate_plugin_observed_sum", label)).to_bits(), 60_f64.to_bits());
    let dropped = || gateway.metric("tidegate_plugin_metrics_dropped_total{plugin=\"mine\"}");
    assert_eq!(dropped().to_bits(), 0);

    for number in 0..100 {
        labelled(&gateway, &number.to_string()).await;
    }
    labelled(&gateway, &"x".repeat(129)).await;

    let mut kept = String::new();
    for line in exposed().lines().filter(|line| line.starts_with("tidegate_plugin_") && line.contains("\"hits\"")) {
        if !line.contains("_bucket{") && !line.contains("_sum{") {
            writeln!(kept, "{line}").unwrap();
        }
    }
    assert_eq!(kept.lines().count(), 64, "{kept}");
    // Three for each of 101 labels, of which 61 found room.
    assert_eq!(dropped().to_bits(), 242_f64.to_bits());
    assert_eq!(gateway.metric("tidegate_plugin_faults_total{plugin=\"mine\",role=\"balancer\",kind=\"answer\"}"), 0.0);
}

/// A balancer that counts under what it learns of the connection and the request line.
fn curious() -> String {
    let imports = r#"(module
  (import "tidegate" "listener" (func $listener (param i32)))
  (import "tidegate" "certificate" (func $certificate (param i32)))
  (import "tidegate" "line" (func $line (param i32)))
  (import "tidegate" "count" (func $count (param i32 i32 i32 i32 f64)))
  (func $say (param $at i32) (param $length i32) (param $text i32)
    (call $count (local.get $at) (local.get $length)
      (i32.load (local.get $text)) (i32.load (i32.add (local.get $text) (i32.const 4))) (f64.const 1)))
  (data (i32.const 64) "listenersubjectfingerprintpath")"#;
    let pick = r#"
    (call $listener (i32.const 128))
    (if (i32.load8_u (i32.const 128)) (then (call $say (i32.const 64) (i32.const 8) (i32.const 132))))
    (call $certificate (i32.const 128))
    (if (i32.load8_u (i32.const 128)) (then
      (call $say (i32.const 72) (i32.const 7) (i32.const 132))
      (call $say (i32.const 79) (i32.const 11) (i32.const 140))))
    (call $line (i32.const 128))
    (if (i32.load8_u (i32.const 128)) (then (call $say (i32.const 90) (i32.const 4) (i32.const 152))))
    ;; some(first eligible)"#;
    guest("first").replacen("(module", imports, 1).replace("\n    ;; some(first eligible)", pick)
}

#[tokio::test]
async fn a_balancer_learns_the_listener_the_certificate_and_the_request_line() {
    let (origin, ca) = (Origin::named("a").start().await, Ca::new());
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\nname = \"inner\"\n\
         tls = { certificate = \"cert.pem\", key = \"cert-key.pem\", client_ca = \"ca.pem\", \
         client_certificate = \"optional\" }\n\
         [[route]]\npath = \"/\"\nto = \"balancer://one\"\n[cluster.one]\nbalancer = \"mine\"\n\
         endpoints = [\"http://{a}\"]\n[plugin.mine]\nfile = \"mine.wat\"\n";
    let setup = Gateway::configure(text).origin(&origin).tls(&ca, &["localhost"]).file("ca.pem", ca.pem());
    let gateway = setup.file("mine.wat", curious()).start().await;
    let lines = || {
        let text = gateway.inner().metrics().expose().unwrap();
        let mut lines: Vec<_> = text.lines().filter(|line| line.starts_with("tidegate_plugin_count")).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    let ask = async |client: Arc<ClientConfig>, path: &str| {
        let stream = TcpStream::connect(gateway.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = within("a handshake", TlsConnector::from(client).connect(name, stream)).await.unwrap();
        let mut raw = Raw::new(Box::new(stream));
        raw.write(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().status.as_u16(), 200);
    };

    ask(ca.client_config(), "/stranger").await;
    assert!(!lines().contains("fingerprint"), "{}", lines());
    ask(ca.client_config_as(&ca.issue(&["client.example"])), "/member?a=b").await;

    let lines = lines();
    assert!(lines.contains("name=\"listener\",label=\"inner\"} 2"), "{lines}");
    assert!(lines.contains("name=\"path\",label=\"/member\"} 1"), "{lines}");
    assert!(lines.contains("name=\"subject\",label=\"CN="), "{lines}");
    let fingerprint = lines.split("name=\"fingerprint\",label=\"").nth(1).and_then(|rest| rest.split('"').next());
    let fingerprint = fingerprint.expect("a fingerprint");
    assert!(fingerprint.len() == 64 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()), "{lines}");
}
