//! Sockets that another gateway goes on with.

use serde_json::Value;
use tidegate::gateway::BuildOptions;
use tidegate_tests::{Admin, Gateway, Http, LIMIT, Origin, eventually, get};
use tokio::net::UdpSocket;

use crate::running::plain;

const ROUTES: &str =
    "[[route]]\npath = \"/who\"\nrespond = { status = {status} }\n[[route]]\npath = \"/\"\nto = \"ws://{a}\"\n";

#[tokio::test]
async fn a_gateway_that_stops_leaves_its_port_to_the_next_and_no_connection_is_refused() {
    let a = Origin::named("a").start().await;
    let first = Gateway::configure(ROUTES).origin(&a).put("status", 201).start().await;
    let address = first.address();
    let mut held = first.websocket("/").await;

    let text = format!("[[listen]]\naddress = \"{address}\"\n{ROUTES}");
    let sockets = first.inner().listening_sockets().unwrap();
    let second = Gateway::configure(&text)
        .origin(&a)
        .put("status", 202)
        .start_with(BuildOptions { sockets, ..BuildOptions::default() })
        .await;
    assert_eq!(second.address(), address);
    held.echo("both are there").await;
    let stopping = tokio::spawn(first.stop(LIMIT));
    let mut asked = 0;
    while asked < 100 || !stopping.is_finished() {
        let status = Http::new(plain(address).await).await.send(get("/who")).await.status;
        assert!([201, 202].contains(&status.as_u16()), "{status}");
        asked += 1;
    }

    assert_eq!(stopping.await.unwrap().cut, 0);
    assert_eq!(held.ended().await, Some(1001), "a tunnel ends with the gateway that holds it");
    assert_eq!(
        first.inner().listening_sockets().unwrap().listeners.len(),
        0,
        "a socket would listen as long as it is kept"
    );
    for _ in 0..20 {
        let status = Http::new(plain(address).await).await.send(get("/who")).await.status;
        assert_eq!(status, 202, "all connections come to the one that is left");
    }
    second.websocket("/").await.echo("it serves all that the first did").await;
}

#[tokio::test]
async fn the_admin_server_and_heartbeats_go_on_as_well() {
    const LOCAL: &str = "127.0.0.1:0";
    let text = |admin: &str, heartbeat: &str| {
        format!("{ROUTES}[admin]\naddress = \"{admin}\"\n[heartbeat]\nlisten = \"{heartbeat}\"\n")
    };
    let a = Origin::named("a").start().await;
    let first = Gateway::configure(&text(LOCAL, LOCAL)).origin(&a).put("status", 201).start().await;
    let admin = first.inner().admin_address().unwrap();
    first.inner().start_admin();
    let heartbeat = first.inner().heartbeat_address().unwrap();

    let sockets = first.inner().listening_sockets().unwrap();
    let text = text(&admin.to_string(), &heartbeat.to_string());
    let options = BuildOptions { sockets, ..BuildOptions::default() };
    let second = Gateway::configure(&text).origin(&a).put("status", 202).start_with(options).await;
    let admin = Admin::of(second.inner());
    assert_eq!(second.inner().heartbeat_address(), Some(heartbeat));
    first.stop(LIMIT).await;
    let left = first.inner().listening_sockets().unwrap();
    assert!(left.admin.is_none() && left.heartbeat.is_none(), "a socket would be bound as long as it is kept");

    assert_eq!(admin.send("GET", "/healthz", &Value::Null).await.status, 200);
    let sender = UdpSocket::bind(LOCAL).await.unwrap();
    sender.send_to(b"no heartbeat", heartbeat).await.unwrap();
    let ignored = || second.metric("tidegate_reports_ignored_total{source=\"heartbeat\"}");
    eventually("a datagram to be read", || ignored() == 1.0).await;
}
