//! Vite: a page that is served while its sources change, and hears of it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tidegate_tests::{Gateway, LIMIT, Websocket};

use super::app::App;
use super::{asking, at, own_handshake, refusal, setup, tools};

/// Opens the websocket that updates come over, as Vite's own script does.
async fn updates(gateway: &Gateway) -> Websocket {
    let script = gateway.send(asking(gateway, "/@vite/client")).await.text();
    let token = script.split("const wsToken = \"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.unwrap_or_else(|| panic!("no token in {script}"));
    let mut request = own_handshake(gateway, &format!("/?token={token}"));
    request.headers_mut().insert("sec-websocket-protocol", "vite-hmr".parse().unwrap());
    gateway.try_websocket(request).await.unwrap()
}

#[tokio::test]
async fn a_page_hears_of_a_changed_file_and_gets_it() {
    let Some(folder) = tools::of_npm("Vite", "vite") else { return };
    let source = |word: &str| format!("export const word = \"{word}\";\nimport.meta.hot?.accept();\n");
    fs::write(folder.path().join("package.json"), r#"{ "type": "module" }"#).unwrap();
    fs::write(folder.path().join("index.html"), "<!doctype html><script type=module src=/main.js></script>\n").unwrap();
    fs::write(folder.path().join("main.js"), source("before")).unwrap();
    let mut command = Command::new("node");
    command.arg("../node_modules/vite/bin/vite.js").args(["--host", "127.0.0.1", "--port", "0"]);
    let mut app = App::start(command.env("NO_COLOR", "1").current_dir(folder.path()));
    let gateway = setup("vite", &[("127.0.0.1:5173", &at(app.address().await))]).start().await;

    let page = gateway.send(asking(&gateway, "/")).await.text();
    let mut socket = updates(&gateway).await;
    let connected = socket.next().await.unwrap();
    let before = gateway.send(asking(&gateway, "/main.js")).await.text();

    assert!(page.contains("/@vite/client"), "{page}");
    assert!(connected.to_text().unwrap().contains("\"connected\""), "{connected:?}");
    assert!(before.contains("\"before\""), "{before}");

    // Its watcher says to nobody from when on it watches, so the file changes until it has seen that.
    let limit = std::time::Instant::now() + LIMIT;
    let update = loop {
        fs::write(folder.path().join("main.js"), source("after")).unwrap();
        match tokio::time::timeout(Duration::from_secs(2), socket.next()).await {
            Ok(message) => break message.expect("an update"),
            Err(_nothing) => assert!(std::time::Instant::now() < limit, "no update: {app:?}"),
        }
    };
    let after = gateway.send(asking(&gateway, "/main.js?t=1")).await.text();

    let update: serde_json::Value = serde_json::from_str(update.to_text().unwrap()).unwrap();
    assert_eq!((&update["type"], &update["updates"][0]["path"]), (&"update".into(), &"/main.js".into()), "{update}");
    assert!(after.contains("\"after\""), "{after}");
    assert_eq!(refusal(&gateway, "/").await, 403, "a page of another site");
}
