//! The real binary: its log, its signals, its exit codes.

use tidegate_tests::{Ca, Gateway, Origin, Process, Raw, Setup, Websocket, eventually, upgrade_request};
use tokio::net::TcpStream;

fn before(origin: &Origin) -> Setup {
    Gateway::configure("[[route]]\npath = \"/\"\nto = \"ws://{origin}\"\n").put("origin", origin.address())
}

async fn connect(process: &Process) -> TcpStream {
    TcpStream::connect(process.addresses()[0]).await.unwrap()
}

async fn websocket(process: &Process) -> Websocket {
    Websocket::open(Box::new(connect(process).await), upgrade_request("/")).await.unwrap().greeted().await
}

#[tokio::test]
async fn sigterm_closes_websockets_with_1001_and_ends_well() {
    let origin = Origin::named("a").start().await;
    let setup = before(&origin);
    let mut process = Process::run(&setup.write()).await;
    let mut held = websocket(&process).await;
    held.echo("through the real binary").await;

    process.signal("TERM");
    let code = held.ended().await;
    drop(held);
    let status = process.ended().await;

    assert_eq!(code, Some(1001));
    assert!(status.success(), "{status}: {:#?}", process.stderr());
    assert!(process.stderr().iter().any(|line| line.contains("draining") && line.contains("SIGTERM")));
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n";
    let origin = Origin::saying(switched).start().await;
    let setup = Gateway::configure(
        "[gateway]\ndrain = \"1h\"\n[[route]]\npath = \"/\"\nto = \"ws://{raw}\"\nupgrade = [\"any\"]\n",
    )
    .origin(&origin);
    let mut process = Process::run(&setup.write()).await;
    let mut raw = Raw::new(Box::new(connect(&process).await));
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n").await;
    raw.read_head().await.unwrap();

    process.signal("INT");
    eventually("the drain to begin", || process.stderr().iter().any(|line| line.contains("draining"))).await;
    process.signal("INT");
    let status = process.ended().await;

    assert!(status.success(), "{status}");
    assert_eq!(raw.read_to_end().await, b"");
}

#[tokio::test]
async fn sighup_rereads_and_no_websocket_notices() {
    let origin = Origin::named("a").start().await;
    let setup = before(&origin);
    let path = setup.write();
    let process = Process::run(&path).await;
    let mut held = websocket(&process).await;
    let text = std::fs::read_to_string(&path).unwrap().replace("path = \"/\"", "path = \"/moved\"");
    std::fs::write(&path, text).unwrap();

    process.signal("HUP");
    eventually("the next generation", || process.stderr().iter().any(|line| line.contains("generation is live"))).await;

    let mut raw = Raw::new(Box::new(connect(&process).await));
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(raw.read_answer().await.unwrap().status, 404, "new requests follow the new file");
    held.echo("still here").await;
}

#[tokio::test]
async fn a_failed_check_of_an_endpoints_certificate_is_explained() {
    let ca = Ca::new();
    let origin = Origin::named("s").tls(&ca.issue(&["other.example"])).start().await;
    let setup = Gateway::configure(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
         [cluster.pool]\nendpoints = [\"wss://localhost:{port}\"]\ntls = { ca = \"ca.pem\" }\n",
    )
    .put("port", origin.address().port())
    .file("ca.pem", ca.pem());
    let process = Process::run(&setup.write()).await;

    let mut raw = Raw::new(Box::new(connect(&process).await));
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let answer = raw.read_answer().await.unwrap();

    assert_eq!(answer.status, 503);
    let explained =
        |line: &String| line.contains("other.example") && line.contains("localhost") && line.contains("server_name");
    eventually("an explanation", || process.stderr().iter().any(explained)).await;
    assert!(!answer.text().contains("other.example"), "which is not the client's business: {}", answer.text());
}

#[tokio::test]
async fn a_client_that_offers_no_protocol_of_its_listener_is_a_warning_with_the_remedy() {
    let (origin, ca) = (Origin::named("a").start().await, Ca::new());
    let setup = Gateway::configure(
        "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"h2\"\n\
         tls = { certificate = \"cert.pem\", key = \"cert-key.pem\" }\n\
         [[route]]\npath = \"/\"\nto = \"ws://{origin}\"\n",
    )
    .put("origin", origin.address())
    .tls(&ca, &["localhost"]);
    let process = Process::run(&setup.write()).await;

    let refused = ca.connect(&["http/1.1"], "localhost", connect(&process).await).await;
    assert!(refused.is_err(), "the handshake fails");

    let warned = |line: &String| line.contains("WARN") && line.contains("ALPN") && line.contains("`protocol` of the");
    eventually("a warning", || process.stderr().iter().any(warned)).await;
}

#[tokio::test]
async fn a_plugin_that_traps_is_logged_with_its_own_backtrace() {
    let origin = Origin::named("a").start().await;
    let setup = Gateway::configure(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\nbalancer = \"guest\"\nconfig = {}\n\
         endpoints = [\"ws://{a}\", \"ws://{a}/other\"]\n[plugin.guest]\nfile = {file}\n",
    )
    .origin(&origin)
    .put("file", format!("{:?}", tidegate_tests::guests::PANICS_FILE));
    let process = Process::run(&setup.write()).await;

    let _first = websocket(&process).await;
    let _second = websocket(&process).await;

    let said = |word: &str| process.stderr().join("\n").contains(word);
    eventually("the panic's place", || said("the tide table for")).await;
    eventually("the plugin's own functions", || said("lose_the_tide_table")).await;
}

#[tokio::test]
async fn exit_codes_say_what_was_wrong() {
    let origin = Origin::named("a").start().await;
    let good = before(&origin);
    let bad = Gateway::configure("[[route]]\npaht = \"/\"\nto = \"ws://{origin}\"\n").put("origin", origin.address());
    let (good_file, bad_file) = (good.write(), bad.write());
    let (good_file, bad_file) = (good_file.to_str().unwrap(), bad_file.to_str().unwrap());
    for (arguments, code, word) in [
        (&["check", good_file][..], 0, ""),
        (&["check", bad_file], 1, "did you mean"),
        (&["run", bad_file], 1, "did you mean"),
        (&["run", "/nowhere/tidegate.toml"], 1, "no such file"),
        (&["frobnicate"], 2, "unrecognized"),
    ] {
        let mut process = Process::start(arguments);

        let status = process.ended().await;

        assert_eq!(status.code(), Some(code), "{arguments:?}: {:?}", process.stderr());
        assert!(process.stderr().join("\n").contains(word), "{arguments:?}: {:?}", process.stderr());
    }
}
