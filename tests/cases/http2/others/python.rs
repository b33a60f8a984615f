//! Clients in Python: h2, which refuses what is not as it should be, and httpx.

use std::process::Command;

use tidegate_tests::{Ca, Gateway, Origin};

use super::TLS;

use super::program::{Program, python, script};
use crate::http2::conformance::{Held, hold};

/// A stream that nobody reads has its window and no more; its neighbours have theirs.
#[tokio::test]
async fn h2_gets_windows_in_few_pieces_and_beside_one_that_is_not_read() {
    let Some(program) = python(&["h2"]) else { return };
    let origin = Origin::named("a").start().await;
    let silent = Origin::raw(|mut raw| async move {
        raw.read_head().await;
        std::future::pending::<()>().await;
    });
    let silent = silent.start().await;
    let text = "[[route]]\npath = \"/never\"\nto = \"http://{raw}\"\n[[route]]\npath = \"/\"\nto = \"http://{a}\"\n";
    let gateway = Gateway::configure(text).origin(&origin).origin(&silent).start().await;

    let mut command = Command::new(program);
    command.arg(script("python/frames_client.py")).arg(gateway.address().port().to_string());
    Program::run(&mut command).await;

    assert_eq!(silent.connections(), 1);
}

#[tokio::test]
async fn httpx_by_tls() {
    let Some(program) = python(&["httpx", "h2"]) else { return };
    let origin = Origin::named("a").start().await;
    let text = format!("{TLS}[[route]]\npath = \"/\"\nto = \"http://{{a}}\"\n");
    let gateway = Gateway::configure(&text).origin(&origin).tls(&Ca::new(), &["localhost"]).start().await;

    let mut command = Command::new(program);
    command.arg(script("python/httpx_client.py"));
    command.arg(format!("https://localhost:{}/", gateway.address().port())).arg(gateway.folder().join("ca.pem"));
    Program::run(&mut command).await;

    // hpack splits cookies (RFC 9113 §8.2.3); an HTTP/1.1 endpoint gets one field.
    assert!(origin.seen().iter().all(|seen| seen.header("cookie") == Some("a=b; c=d")), "{:?}", origin.seen()[0]);
}

/// The package is strict about RFC 6455, and says with which code it fails a connection.
#[tokio::test]
async fn websockets_fail_as_it_fails_them() {
    let Some(program) = python(&["websockets"]) else { return };
    let endpoint = Program::start(Command::new(program).arg(script("python/websocket_endpoint.py")));
    let port: u16 = endpoint.says("listening ").await.parse().unwrap();
    let gateway = super::before(&format!("http://127.0.0.1:{port}"), "h1", "").start().await;

    hold(&Held::Ended, ([127, 0, 0, 1], port).into(), &gateway, 0).await;
}
