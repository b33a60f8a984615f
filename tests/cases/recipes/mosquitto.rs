//! mosquitto, by a client of MQTT over websockets.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use super::app::{App, ran};
use super::{at, refusal, setup, tools};

/// A broker, and where it listens. It takes no port 0; a port that was free a moment ago is tried until one still is.
async fn broker(program: &Path, folder: &Path) -> (App, SocketAddr) {
    for _ in 0..10 {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let config = folder.join("mosquitto.conf");
        // Version 2.0.11 does not start with nothing but listeners of websockets. `user` counts if root starts it: who
        // it becomes else may not write to this folder.
        let text = format!(
            "user root\nallow_anonymous true\nlistener 0 {}\nlistener {} 127.0.0.1\nprotocol websockets\n",
            folder.join("sock").display(),
            address.port()
        );
        fs::write(&config, text).unwrap();
        let mut app = App::start(Command::new(program).arg("-c").arg(config));
        if app.listens(address).await {
            return (app, address);
        }
    }
    panic!("mosquitto does not start");
}

#[tokio::test]
async fn what_is_published_over_a_websocket_reaches_who_has_subscribed_over_another() {
    let Some(program) = tools::of_system("mosquitto", "mosquitto") else { return };
    let Some(python) = tools::of_pypi("mosquitto", "python") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (_broker, address) = broker(&program, folder.path()).await;
    let gateway = setup("mosquitto", &[("10.0.0.1:9001", &at(address))]).start().await;

    let mut client = Command::new(python);
    client.arg(tools::source("mosquitto/client.py")).arg(gateway.address().port().to_string());
    client.arg(gateway.folder().join("ca.pem"));
    let came = ran(client).await;

    assert_eq!(came.as_deref(), Ok("one,two,three\n"));
    assert_eq!(refusal(&gateway, "/mqtt").await, 403, "a page of another site");
}
