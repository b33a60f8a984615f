//! socket.io in two processes, by its own client: long polling, websockets, and the change from one to the other.

use std::fs;
use std::path::Path;
use std::process::Command;

use tidegate_tests::Gateway;

use super::app::{App, ran};
use super::{at, setup, tools};

/// Two servers, and a gateway before them whose configuration has these edits.
async fn two(folder: &Path, edits: &[(&str, &str)]) -> (Gateway, [App; 2]) {
    for file in ["server.mjs", "client.mjs"] {
        fs::copy(tools::source("socket-io").join(file), folder.join(file)).unwrap();
    }
    let server = |name: &str| App::start(Command::new("node").arg("server.mjs").arg(name).current_dir(folder));
    let mut servers = [server("one"), server("two")];
    let [one, two] = &mut servers;
    let (one, two) = (at(one.address().await), at(two.address().await));
    let mut all = vec![("10.0.0.1:3000", one.as_str()), ("10.0.0.2:3000", &two)];
    all.extend(edits);
    (setup("socket-io", &all).start().await, servers)
}

/// What a client that begins with the first of these transports heard.
async fn client(folder: &Path, gateway: &Gateway, transports: &str) -> Result<serde_json::Value, String> {
    let mut command = Command::new("node");
    command.arg("client.mjs").arg(gateway.address().port().to_string()).arg(transports).current_dir(folder);
    command.env("NODE_EXTRA_CA_CERTS", gateway.folder().join("ca.pem"));
    let said = ran(command).await?;
    Ok(serde_json::from_str(&said).unwrap())
}

#[tokio::test]
async fn every_transport_of_a_client_stays_with_the_process_that_knows_it() {
    let Some(folder) = tools::of_npm("socket.io", "socket.io-client") else { return };
    let (gateway, _servers) = two(folder.path(), &[]).await;

    for (transports, last) in [("polling", "polling"), ("websocket", "websocket"), ("polling,websocket", "websocket")] {
        let heard = client(folder.path(), &gateway, transports).await.unwrap();

        let answers =
            ["one", "two", "three"].map(|word| format!("{} heard {word}", heard["welcome"].as_str().unwrap()));
        assert_eq!(heard["answers"], serde_json::json!(answers));
        assert_eq!(heard["transport"], last);
    }
}

#[tokio::test]
async fn without_stickiness_long_polling_reaches_a_process_that_knows_nothing() {
    let Some(folder) = tools::of_npm("socket.io", "socket.io-client") else { return };
    let edits = [("sticky = { cookie = \"ROUTEID\", issue = {} }", ""), ("\"bybusyness\"", "\"byrequests\"")];
    let (gateway, _servers) = two(folder.path(), &edits).await;

    let polling = client(folder.path(), &gateway, "polling").await;
    let websocket = client(folder.path(), &gateway, "websocket").await;

    assert!(polling.is_err(), "the second request of a client is the other process's: {polling:?}");
    assert!(websocket.is_ok(), "a websocket is one request: {websocket:?}");
}
