//! The admin server of a process that is short of everything.

use std::net::SocketAddr;

use tidegate_tests::{Gateway, Process, Raw, eventually, within};
use tokio::net::TcpStream;

use crate::running::plain;

const TEXT: &str = r#"
[gateway]
workers = 1
[[listen]]
address = "127.0.0.1:0"
limits = { head_timeout = "1h" }
[admin]
address = "127.0.0.1:0"
token_file = "token"
[[route]]
path = "/"
respond = { status = 200 }
"#;

async fn status(address: SocketAddr, request: &str) -> u16 {
    let mut raw = Raw::new(plain(address).await);
    raw.write(format!("{request}\r\nHost: gateway.test\r\n\r\n").as_bytes()).await;
    within("an answer", raw.read_answer()).await.expect("an answer").status.as_u16()
}

#[tokio::test]
async fn clients_who_take_every_descriptor_keep_neither_a_probe_nor_the_operator_out() {
    const DESCRIPTORS: usize = 128;
    let setup = Gateway::configure(TEXT).file("token", "right\n");
    let process = Process::run_within(DESCRIPTORS, &setup.write()).await;
    let said = |text: &str| process.stderr().into_iter().filter(|line| line.contains(text)).collect::<Vec<_>>();
    eventually("both to listen", || process.addresses().len() == 2).await;
    let address = |what: &str| {
        let line = said(what).remove(0);
        line.split_once("address=").unwrap().1.split_whitespace().next().unwrap().parse::<SocketAddr>().unwrap()
    };
    let (admin, listener) = (address("admin listening"), address(": listening"));

    let mut clients = Vec::new();
    for _ in 0..DESCRIPTORS {
        clients.push(within("a connection", TcpStream::connect(listener)).await.unwrap());
    }
    eventually("the descriptors to be used up", || !said("accept failed").is_empty()).await;

    for _ in 0..20 {
        assert_eq!(status(admin, "GET /healthz HTTP/1.1").await, 200);
        assert_eq!(status(admin, "GET /metrics HTTP/1.1\r\nAuthorization: Bearer right").await, 200);
    }
    drop(clients);
}
