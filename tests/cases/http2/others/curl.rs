//! curl: each way to HTTP/2, and away from it.

use std::path::Path;
use std::process::Command;

use tidegate_tests::{Ca, Gateway, Origin};

use super::TLS;
use super::program::{Program, found};

/// curl without a configuration of the user's.
fn curl(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(["-q", "--silent", "--show-error", "--max-time", "30"]).args(arguments);
    command
}

const VERSION: &str = "%{http_version} %{http_code}\\n";

#[tokio::test]
async fn over_tls_alpn_chooses_as_curl_asks() {
    let Some(program) = found("curl") else { return };
    let origin = Origin::named("a").start().await;
    let text = format!("{TLS}[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    let gateway = Gateway::configure(&text).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;
    let url = format!("https://localhost:{}/", gateway.address().port());
    let ca = gateway.folder().join("ca.pem");
    let ca = ca.to_str().unwrap();

    for (asked, expected) in [("--http2", "2 200"), ("--http1.1", "1.1 200"), ("--no-alpn", "1.1 200")] {
        let arguments = ["--cacert", ca, asked, "--output", "/dev/null", "--write-out", VERSION, &url];
        assert_eq!(Program::run(&mut curl(&program, &arguments)).await, expected, "{asked}");
    }
}

#[tokio::test]
async fn plain_connections_are_both() {
    let Some(program) = found("curl") else { return };
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let url = format!("http://{}/", gateway.address());

    // The third asks for `Upgrade: h2c`, which RFC 9113 §3.1 has taken back: it goes on in HTTP/1.1.
    for (asked, expected) in [("--http2-prior-knowledge", "2 200"), ("--http1.1", "1.1 200"), ("--http2", "1.1 200")] {
        let arguments = [asked, "--output", "/dev/null", "--write-out", VERSION, &url];
        assert_eq!(Program::run(&mut curl(&program, &arguments)).await, expected, "{asked}");
    }
}

#[tokio::test]
async fn uploads_and_many_at_once() {
    let Some(program) = found("curl") else { return };
    let origin = Origin::named("a").start().await;
    let text = format!("{TLS}[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    let gateway = Gateway::configure(&text).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;
    let file = gateway.folder().join("upload");
    std::fs::write(&file, "u".repeat(2 << 20)).unwrap();
    let upload = format!("@{}", file.display());
    let url = format!("https://localhost:{}/", gateway.address().port());
    let ca = gateway.folder().join("ca.pem");
    let ca = ca.to_str().unwrap();

    let expect = "Expect: 100-continue";
    let arguments = ["--cacert", ca, "--http2", "--header", expect, "--data-binary", &upload, &url];
    let said = Program::run(&mut curl(&program, &arguments)).await;
    let seen: tidegate_tests::Seen = serde_json::from_str(&said).unwrap();
    assert_eq!((seen.method.as_str(), seen.body.len()), ("POST", 2 << 20));

    let numbered = format!("{url}[1-100]");
    let arguments =
        ["--cacert", ca, "--http2", "--parallel", "--output", "/dev/null", "--write-out", VERSION, &numbered];
    let said = Program::run(&mut curl(&program, &arguments)).await;
    assert_eq!(said.lines().filter(|line| *line == "2 200").count(), 100, "{said}");
    assert_eq!(origin.seen().len(), 101);
}
