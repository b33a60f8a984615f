//! Why a client got a 502 is in the log, at the level that is the default.

use tidegate_tests::{Ca, Gateway, Origin, Process, Setup, eventually, within};

use super::{Script, ask, scripted};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// The lines of the log that speak of an endpoint's failure.
fn faults(process: &Process) -> Vec<String> {
    process.stderr().into_iter().filter(|line| line.contains("endpoint failed a request")).collect()
}

/// The binary behind `setup`, asked for each of `targets` on a connection of its own.
async fn asked(setup: &Setup, targets: &[String]) -> Process {
    let process = Process::run(&setup.write()).await;
    for target in targets {
        let stream = tokio::net::TcpStream::connect(process.addresses()[0]).await.unwrap();
        let mut raw = tidegate_tests::Raw::new(Box::new(stream));
        ask(&mut raw, "GET", target).await;
        within("an answer", raw.read_head()).await;
    }
    process
}

#[tokio::test]
async fn every_kind_of_bad_answer_is_told_with_endpoint_route_cluster_and_remedy() {
    let kinds: Vec<(Script, &str, &str)> = vec![
        (
            Script::open(format!("{OK}{}\r\n", "x: 1\r\n".repeat(1120))),
            "its answer has 1120 fields, at most 1000 are taken",
            "head_fields",
        ),
        (Script::open(format!("{OK}x: {}\r\n\r\n", "1".repeat(420_000))), "longer than 400 KiB", "`head`"),
        (Script::open(format!("{OK}X: a\r\n b\r\n\r\n")), "obs-fold", "endpoint"),
        (Script::open(format!("{OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")), "differ: 1 and 2", "endpoint"),
        (Script::open(format!("{OK}Content-Length: \x1b[31mx\r\n\r\n")), "bad value of the field", "endpoint"),
        (Script::open(format!("{OK}Content-Length: 0x5\r\n\r\n")), "no number: `0x5`", "endpoint"),
        (Script::open("SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP: it begins with `SSH-2.0-OpenSSH_9.2`", "port"),
        (Script::open(b"\x15\x03\x03\x00\x02\x02\x46"), "a TLS record where plain HTTP was expected", "https://"),
        (Script::open("HTTP/2.0 200 OK\r\n\r\n"), "version `HTTP/2.0`", "HTTP/1.1"),
        (Script::closing(""), "closed the connection before it answered", "log"),
        (Script::closing(format!("{OK}Content-Le")), "within the head of its answer", "log"),
        (
            Script::open("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "HTTP/1.0 does not know",
            "endpoint",
        ),
        (Script::open(format!("{OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")), "gzip, chunked", "chunked"),
        (Script::open(format!("{OK}Transfer-Encoding: chunked\r\n\r\nx\r\n")), "first chunks", "endpoint"),
        (Script::closing(format!("{OK}Content-Length: 10\r\n\r\nabc")), "7 bytes of its Content-Length", "log"),
        (Script::open(format!("{OK}Bad Name: 1\r\n\r\n")), "bad field name: `Bad Name`", "endpoint"),
        (Script::open("HTTP/1.1 20 OK\r\n\r\n"), "status line is malformed: `HTTP/1.1 20 OK`", "endpoint"),
        (
            Script::open("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
            "without being asked",
            "Upgrade",
        ),
    ];
    let scripts: Vec<_> = kinds.iter().map(|(script, ..)| script.clone()).collect();
    let origin = scripted(move |target| scripts[target[5..].parse::<usize>().unwrap()].clone()).start().await;
    let text = "[log]\naccess = \"stdout\"\n[[route]]\npath = \"/app\"\nto = \"balancer://pool/app\"\n\
                [cluster.pool]\nendpoints = [\"http://{origin}\"]\n";
    let setup = Gateway::configure(text).put("origin", origin.address());
    let targets: Vec<_> = (0..kinds.len()).map(|number| format!("/app/{number}")).collect();

    let process = asked(&setup, &targets).await;

    eventually("a line for each", || faults(&process).len() >= kinds.len()).await;
    let lines = faults(&process);
    assert_eq!(lines.len(), kinds.len());
    let endpoint = format!("endpoint=\"http://{}\"", origin.address());
    for (_, why, remedy) in &kinds {
        // What breaks behind its head is logged when the next request may be under way: the order says nothing.
        let line = lines.iter().find(|line| line.contains(why)).unwrap_or_else(|| panic!("{why} in {lines:#?}"));
        for part in [&*endpoint, "route=\"/app\"", "cluster=\"pool\"", remedy, "WARN"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains('\x1b') && line.len() < 1000, "{line:?}");
    }
    eventually("all access lines", || process.stdout().len() == kinds.len()).await;
    for (word, count) in [("ending=\"unreadable\"", 14), ("ending=\"switch-refused\"", 1)] {
        assert_eq!(process.stdout().iter().filter(|line| line.contains(word)).count(), count, "{:?}", process.stdout());
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_all_the_time_does_not_fill_the_log() {
    let origin = scripted(|_| Script::open("nonsense\r\n")).start().await;
    let setup =
        Gateway::configure("[[route]]\npath = \"/\"\nto = \"http://{origin}\"\n").put("origin", origin.address());

    let process = asked(&setup, &vec!["/".to_owned(); 300]).await;

    eventually("a line", || !faults(&process).is_empty()).await;
    assert!(faults(&process).len() < 100, "{}", faults(&process).len());
}

#[tokio::test]
async fn plain_http_where_tls_was_expected_and_the_other_way_round() {
    let ca = Ca::new();
    let plain = Origin::named("plain").start().await;
    let tls = Origin::named("tls").tls(&ca.issue(&["localhost"])).start().await;
    let setup = Gateway::configure(
        "[[route]]\npath = \"/a\"\nto = \"https://{plain}\"\n[[route]]\npath = \"/b\"\nto = \"http://{tls}\"\n",
    );
    let setup = setup.put("plain", plain.address()).put("tls", tls.address());

    let process = asked(&setup, &["/a".to_owned(), "/b".to_owned()]).await;

    for (part, remedy) in [
        (format!("{}", plain.address()), "is this https:// or wss:// to a plain port?"),
        (format!("{}", tls.address()), "is the endpoint https:// or wss://?"),
    ] {
        eventually(remedy, || process.stderr().iter().any(|line| line.contains(&part) && line.contains(remedy))).await;
    }
}
