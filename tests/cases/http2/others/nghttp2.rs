//! nghttp2's programs: nghttp, which shows frames, and h2load.

use std::process::Command;

use tidegate_tests::{Ca, Gateway, Origin};

use super::TLS;
use super::program::{Program, found};

#[tokio::test]
async fn nghttp_sees_nothing_amiss() {
    let Some(program) = found("nghttp") else { return };
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let file = gateway.folder().join("upload");
    std::fs::write(&file, "u".repeat(300_000)).unwrap();
    let url = format!("http://{}/", gateway.address());

    let mut command = Command::new(program);
    command.args(["--verbose", "--no-dep", "--data"]).arg(&file).args([
        "--multiply=2",
        "--trailer",
        "x-trailer: a",
        &url,
    ]);
    let said = Program::run(&mut command).await;

    assert_eq!(said.matches(":status: 200").count(), 2, "{said}");
    assert!(!said.contains("RST_STREAM") && !said.contains("error_code=PROTOCOL_ERROR"), "{said}");
    assert!(origin.seen().iter().all(|seen| seen.body.len() == 300_000), "whole bodies");
}

#[tokio::test]
async fn every_request_of_h2load_succeeds() {
    let Some(program) = found("h2load") else { return };
    let origin = Origin::named("a").start().await;
    let text = format!("{TLS}[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    let gateway = Gateway::configure(&text).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;
    let [tls, plain] = gateway.inner().addresses()[..] else { panic!("two listeners") };
    let counted =
        |line: &str| format!("requests: {line} total, {line} started, {line} done, {line} succeeded, 0 failed");

    for url in [format!("https://localhost:{}/", tls.port()), format!("http://{plain}/")] {
        for streams in ["1", "100"] {
            let before = origin.seen().len();
            let mut command = Command::new(&program);
            command.args(["--requests", "1000", "--clients", "4", "--max-concurrent-streams", streams, &url]);
            let said = Program::run(&mut command).await;

            assert!(said.contains(&counted("1000")), "{url} with {streams}: {said}");
            assert!(said.contains("status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx"), "{url} with {streams}: {said}");
            assert_eq!(origin.seen().len() - before, 1000, "{url} with {streams}");
        }
    }
    assert_eq!(gateway.in_flight(&origin), 0);
}
