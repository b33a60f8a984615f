//! Listeners that come and go.

use tidegate_tests::{BoxedIo, Gateway, Origin, Raw, eventually};
use tokio::net::TcpStream;

use crate::running::{plain, websocket};

const LISTEN: &str = "[[listen]]\naddress = \"127.0.0.1:0\"\n";
const ROUTE: &str = "[[route]]\npath = \"/\"\nto = \"ws://{a}\"\n";

#[tokio::test]
async fn a_new_listener_serves_and_a_removed_one_refuses_while_its_tunnels_stay() {
    let a = Origin::named("a").start().await;
    let mut gateway = Gateway::configure(&format!("{LISTEN}{ROUTE}")).origin(&a).start().await;
    let mut first = gateway.websocket("/").await;

    gateway.rewrite(&format!("{LISTEN}{LISTEN}{ROUTE}"));
    gateway.inner().reload().unwrap();
    let [old, new] = gateway.inner().addresses()[..] else { panic!("two listeners") };
    assert_eq!(old, gateway.address(), "the socket that stays is not touched");
    let mut second = websocket(plain(new).await, "/").await;

    gateway.rewrite(&format!("{LISTEN}{ROUTE}"));
    gateway.inner().reload().unwrap();
    assert_eq!(gateway.inner().addresses(), [old]);
    closed(new).await;
    second.echo("its listener is gone").await;
    first.echo("its listener is not").await;
    assert_eq!(gateway.get("/").await.status, 200);
    assert_eq!(gateway.in_flight(&a), 2);
}

#[tokio::test]
async fn a_port_in_use_refuses_the_whole_reload() {
    let a = Origin::named("a").start().await;
    let text = format!("{LISTEN}{ROUTE}");
    let mut gateway = Gateway::configure(&text).origin(&a).start().await;
    let mut held = gateway.websocket("/").await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let more = format!("{LISTEN}{LISTEN}[[listen]]\naddress = \"{address}\"\n");

    gateway.rewrite(&format!("{more}[[route]]\npath = \"/new\"\nrespond = {{ status = 201 }}\n{ROUTE}"));
    let error = gateway.inner().reload().unwrap_err().to_string();

    assert!(error.contains(&format!("cannot listen on {address}")), "{error}");
    assert!(error.contains("ss -ltnp"), "the remedy: {error}");
    assert_eq!(gateway.inner().generation().id(), 1);
    assert_eq!(gateway.inner().addresses().len(), 1, "not one of the new sockets may stay open");
    assert_eq!(gateway.get("/new").await.status, 200, "routes are as before too");
    held.echo("still there").await;

    drop(taken);
    gateway.inner().reload().unwrap();
    assert_eq!(gateway.inner().addresses().len(), 3);
    assert_eq!(gateway.get("/new").await.status, 201);
}

/// Waits until nobody listens at `address`.
async fn closed(address: std::net::SocketAddr) {
    let (mut open, limit) = (true, std::time::Instant::now() + tidegate_tests::LIMIT);
    while open {
        assert!(std::time::Instant::now() < limit, "{address} still takes connections");
        // What was accepted in the very last moment is served; what comes later is refused.
        open = match TcpStream::connect(address).await {
            Ok(stream) => {
                let io: BoxedIo = Box::new(stream);
                Raw::new(io).finish().await;
                true
            }
            // It was in the queue of the socket that closed.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => true,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
                false
            }
        };
        eventually("another look", || true).await;
    }
}
