//! One line per request and per tunnel.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Command;

use tidegate_tests::{Gateway, Origin, eventually, within};

use crate::running::{Running, plain, websocket};

const TEXT: &str = r#"
[log]
access = "stdout"
[[route]]
path = "/app"
to = "balancer://pair/app"
[cluster.pair]
endpoints = ["ws://{a}"]
"#;

/// The fields of a text line; quotes are taken off, as no value here has a blank.
fn fields(line: &str) -> HashMap<String, String> {
    let field = |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.replace('"', "")));
    line.split(' ').filter_map(field).collect()
}

#[tokio::test]
async fn a_request_and_a_tunnel_have_a_line_each_with_who_what_and_how_much() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&a)).await;
    running.swapped_by(|| running.edit("path = \"/app\"", "path = \"/app\"\nreverse = false")).await;

    let mut raw = running.raw().await;
    raw.write(b"POST /app/x?y=1 HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 5\r\n\r\nhello").await;
    let answer = raw.read_answer().await.unwrap();
    eventually("a line for the request", || running.process.stdout().len() == 1).await;
    let request = fields(&running.process.stdout()[0]);

    let mut tunnel = websocket(plain(running.address()).await, "/app/ws").await;
    tunnel.echo("x".repeat(1000)).await;
    assert_eq!(running.process.stdout().len(), 1, "a tunnel has its line when it ends");
    tunnel.close().await;
    eventually("a line for the tunnel", || running.process.stdout().len() == 2).await;
    let tunnel = fields(&running.process.stdout()[1]);

    let endpoint = format!("ws://{}", a.address());
    for (line, fields, expected) in [
        ("request", &request, [("kind", "request"), ("method", "POST"), ("path", "/app/x?y=1"), ("status", "200")]),
        ("tunnel", &tunnel, [("kind", "tunnel"), ("method", "GET"), ("path", "/app/ws"), ("status", "101")]),
    ] {
        let common = [
            ("host", "gateway.test"),
            ("cluster", "pair"),
            ("endpoint", &endpoint),
            ("plugins", "bybusyness"),
            ("generation", "2"),
            ("attempts", "1"),
        ];
        for (name, value) in expected.into_iter().chain(common) {
            assert_eq!(fields.get(name).map(String::as_str), Some(value), "{line}: {name} in {fields:?}");
        }
        assert!(fields["client"].starts_with("127.0.0.1:"), "{fields:?}");
        assert!(fields["duration_ms"].parse::<f64>().unwrap() > 0.0, "{fields:?}");
        assert!(fields["time"].ends_with('Z'), "{fields:?}");
    }
    let number = |fields: &HashMap<String, String>, name: &str| fields[name].parse::<usize>().unwrap();
    assert_eq!((number(&request, "bytes_in"), number(&request, "bytes_out")), (5, answer.body.len()));
    // A message of 1,000 bytes has a head of 8 with a mask and of 4 without, a close without a reason 6 and 2; and the
    // greeting "hello from a" comes as well.
    assert_eq!((number(&tunnel, "bytes_in"), number(&tunnel, "bytes_out")), (1008 + 6, 14 + 1004 + 2), "{tunnel:?}");
    assert_eq!(tunnel["ending"], "complete", "{tunnel:?}");
}

#[tokio::test]
async fn what_is_refused_has_a_line_with_what_could_be_read_of_it() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&a)).await;
    let table: &[(&[u8], &str, &str, &str)] = &[
        (b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/a#b", "400"),
        (b"GET /x\x1b[2J HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/x\\u001b[2J", "400"),
        (b"PUT /y HTTP/1.1\r\nno colon\r\n\r\n", "PUT", "/y", "400"),
        (b"GET /z HTTP/2.0\r\nHost: h\r\n\r\n", "GET", "/z", "505"),
        (b"POST /w HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "POST", "/w", "400"),
        (b"GET /v/../.. HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/v/../..", "400"),
        (b"\x16\x03\x01\x00", "-", "", "400"),
    ];
    for (number, (request, method, path, status)) in table.iter().enumerate() {
        let mut raw = running.raw().await;
        raw.write(request).await;
        raw.read_answer().await.unwrap_or_else(|| panic!("no answer to {}", request.escape_ascii()));

        eventually("a line", || running.process.stdout().len() == number + 1).await;
        let line = fields(&running.process.stdout()[number]);
        for (name, value) in
            [("kind", "request"), ("method", method), ("path", path), ("status", status), ("ending", "refused")]
        {
            assert_eq!(line.get(name).map(String::as_str), Some(value), "{name} of {}", request.escape_ascii());
        }
    }
}

#[tokio::test]
async fn what_the_gateway_answers_itself_has_a_line_too() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&a)).await;

    assert_eq!(running.status("/nowhere").await, 404);

    eventually("a line", || running.process.stdout().len() == 1).await;
    let line = fields(&running.process.stdout()[0]);
    assert_eq!((line["status"].as_str(), line["endpoint"].as_str(), line["attempts"].as_str()), ("404", "-", "0"));
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_has_a_word_of_its_own() {
    let big = bytes::Bytes::from(vec![b'x'; 64 << 20]);
    let answering = move |_: &_| Some(hyper::Response::new(http_body_util::Full::new(big.clone())));
    let a = Origin::named("a").answering(answering).start().await;
    let text = "[log]\naccess = \"stdout\"\n[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = { idle_timeout = \"300ms\" }\n\
                [[route]]\npath = \"/\"\nto = \"http://{a}\"\n";
    let running = Running::start(Gateway::configure(text).origin(&a)).await;
    let mut raw = running.raw().await;

    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;

    eventually("a line", || running.process.stdout().len() == 1).await;
    let line = fields(&running.process.stdout()[0]);
    assert_eq!((line["status"].as_str(), line["ending"].as_str()), ("200", "client-stalled"));
}

#[tokio::test]
async fn a_fifo_needs_no_reader_and_keeps_lines_for_the_next_one() {
    let a = Origin::named("a").start().await;
    let setup = Gateway::configure(&TEXT.replace("\"stdout\"", "\"fifo\"")).origin(&a);
    let fifo = setup.folder().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut running = Running::start(setup).await;

    assert_eq!(running.status("/nowhere/1").await, 404);
    running.told("nothing has changed", || running.process.signal("HUP")).await;
    assert_eq!(running.status("/nowhere/2").await, 404);

    let read = |count| {
        let fifo = fifo.clone();
        tokio::task::spawn_blocking(move || {
            let lines = BufReader::new(File::open(fifo).unwrap()).lines();
            lines.take(count).map(|line| fields(&line.unwrap())["path"].clone()).collect::<Vec<_>>()
        })
    };
    assert_eq!(within("two lines", read(2)).await.unwrap(), ["/nowhere/1", "/nowhere/2"]);
    assert_eq!(running.status("/nowhere/3").await, 404, "the reader has left");
    assert_eq!(within("a line", read(1)).await.unwrap(), ["/nowhere/3"], "and another comes");
    running.process.signal("TERM");
    assert_eq!(running.process.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_file_that_may_not_grow_costs_lines_and_no_tunnel() {
    let a = Origin::named("a").start().await;
    let setup = Gateway::configure(&TEXT.replace("\"stdout\"", "\"access.log\"")).origin(&a);
    let file = setup.folder().join("access.log");
    let mut running = Running::start(setup).await;
    let mut tunnel = running.websocket("/app/ws").await;
    let lines = || std::fs::read_to_string(&file).unwrap();
    let limit = |bytes: &str| {
        let process = running.process.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={bytes}:")]).status().unwrap();
        assert!(set.success(), "the limit is {bytes}");
    };

    limit("1000");
    for number in 0..20 {
        assert_eq!(running.status(&format!("/nowhere/{number}")).await, 404);
    }
    eventually("the file to be full", || lines().len() == 1000).await;
    tunnel.echo("still here").await;

    limit("unlimited");
    assert_eq!(running.status("/nowhere/again").await, 404);
    eventually("a line of its own", || lines().lines().any(|line| line.starts_with("time=") && line.contains("again")))
        .await;
    running.process.signal("TERM");
    tunnel.close().await;
    assert_eq!(running.process.ended().await.code(), Some(0));
}
