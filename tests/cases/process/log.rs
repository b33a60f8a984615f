//! The log: nobody waits for its reader, nobody fills it, and nothing in it acts.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::Instant;

use tidegate::text::is_unseen;
use tidegate_tests::{Gateway, LIMIT, Origin, OriginSetup, Process, Raw, eventually, within};

use crate::running::{Running, plain, replace};

const TEXT: &str = r#"
[gateway]
workers = 1
[[route]]
path = "/evil"
to = "http://{raw}"
[[route]]
path = "/good"
respond = { status = 200, body = "good" }
"#;

/// An endpoint that switches to a protocol that nobody asked for. Each time deserves a word in the log.
fn evil() -> OriginSetup {
    Origin::raw(|mut raw| async move {
        while raw.read_head().await.is_some() {
            raw.write(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: evil\r\n\r\n").await;
        }
    })
}

/// Status of a GET on a connection of its own.
async fn status(address: SocketAddr, path: &str) -> u16 {
    let mut raw = Raw::new(plain(address).await);
    raw.write(format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\n\r\n").as_bytes()).await;
    within("an answer", raw.read_answer()).await.expect("an answer").status.as_u16()
}

/// Reads lines until there is one of the gateway's listening, and stops to read.
fn heard(reader: PipeReader) -> (SocketAddr, SocketAddr, BufReader<PipeReader>) {
    let mut reader = BufReader::with_capacity(1, reader);
    let (mut admin, mut listener) = (None, None);
    while admin.is_none() || listener.is_none() {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "it ended");
        let address = || line.split_once("address=")?.1.split_whitespace().next()?.parse().ok();
        if line.contains("admin listening") {
            admin = address();
        } else if line.contains("listening") {
            listener = address();
        }
    }
    (listener.unwrap(), admin.unwrap(), reader)
}

/// Fills a pipe to the last byte.
fn fill(pipe: &PipeWriter) {
    // Opened anew: the other writers must not become ones that do not wait.
    let again = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    let mut again = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(again).unwrap();
    for piece in [&[b'x'; 4096][..], b"x"] {
        let full = loop {
            if let Err(error) = again.write(piece) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn a_reader_of_the_log_who_has_stopped_stops_neither_requests_nor_the_end() {
    let raw = evil().start().await;
    let config = Gateway::configure(&format!("{TEXT}[admin]\naddress = \"127.0.0.1:0\"\n")).origin(&raw);
    let path = config.write();
    let (reader, writer) = std::io::pipe().unwrap();
    let arguments = ["run", path.to_str().unwrap()];
    let mut process = Process::start_into(&arguments, Stdio::piped(), writer.try_clone().unwrap());
    let heard = tokio::task::spawn_blocking(move || heard(reader));
    let (listener, admin, unread) = within("the addresses", heard).await.unwrap();

    fill(&writer);

    for _ in 0..20 {
        assert_eq!(status(listener, "/evil").await, 502, "each leaves a line, or is counted");
    }
    process.signal("HUP");
    assert_eq!(status(listener, "/good").await, 200);
    assert_eq!(status(admin, "/healthz").await, 200);
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0));
    drop(unread);
}

#[tokio::test]
async fn a_reader_of_access_lines_who_has_stopped_stops_neither_requests_nor_the_end() {
    let text = format!("{TEXT}[log]\naccess = \"stdout\"\n");
    let config = Gateway::configure(&text).put("raw", "127.0.0.1:9");
    let path = config.write();
    let (unread, writer) = std::io::pipe().unwrap();
    let mut process =
        Process::start_into(&["run", path.to_str().unwrap()], writer.try_clone().unwrap(), Stdio::piped());
    eventually("the gateway to listen", || !process.addresses().is_empty()).await;
    let listener = process.addresses()[0];

    fill(&writer);

    for _ in 0..20 {
        assert_eq!(status(listener, "/good").await, 200);
    }
    process.signal("TERM");
    assert_eq!(process.ended().await.code(), Some(0));
    drop(unread);
}

#[tokio::test]
async fn lines_that_an_endpoint_can_cause_are_counted_instead_of_written() {
    let raw = evil().start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&raw)).await;
    let (limit, mut asked) = (Instant::now() + LIMIT, 0);

    while running.said("left_out=").is_empty() {
        assert!(Instant::now() < limit, "no line says what was left out:\n{}", running.process.stderr().join("\n"));
        assert_eq!(running.status("/evil").await, 502);
        asked += 1;
    }

    let told = running.said("left_out=");
    let number = told[0].split_once("left_out=").unwrap().1.split_whitespace().next().unwrap();
    assert!(number.parse::<usize>().unwrap() > 0, "{}", told[0]);
    let of_endpoint = running.said(&raw.address().to_string());
    assert!(of_endpoint.contains(&told[0]), "it names the endpoint: {}", told[0]);
    assert!(of_endpoint.len() < asked, "{of_endpoint:?}");
}

/// A key that clears the screen, shows itself backwards and begins a line.
const ACTS: &str = "\"\\u001b[2J\\u202etxt.exe\\u2028\\u009b\\nERROR\" = 1\n";

#[tokio::test]
async fn what_acts_on_a_terminal_is_shown_in_the_log() {
    let running = Running::start(Gateway::configure(TEXT).put("raw", "127.0.0.1:9")).await;

    let line = running.refused_after(|| running.edit("[gateway]\n", &format!("[gateway]\n{ACTS}"))).await;

    assert!(!line.contains(is_unseen), "{line:?}");
    assert!(line.contains(r"`\u{1b}[2J\u{202e}txt.exe\u{2028}\u{9b}\nERROR`"), "{line}");
}

#[tokio::test]
async fn what_acts_on_a_terminal_is_shown_in_lines_of_json() {
    let text = format!("{TEXT}[log]\nformat = \"json\"\n");
    let config = Gateway::configure(&text).put("raw", "127.0.0.1:9");
    let path = config.write();
    let process = Process::start(&["run", path.to_str().unwrap()]);
    let said = |text: &str| process.stderr().into_iter().find(|line| line.contains(text));
    eventually("the gateway to serve", || said("\"listening\"").is_some()).await;

    let written = std::fs::read_to_string(&path).unwrap();
    replace(&path, written.replace("[gateway]\n", &format!("[gateway]\n{ACTS}")).as_bytes());
    eventually("a refusal", || said("reload refused").is_some()).await;

    let line = said("reload refused").unwrap();
    assert!(!line.contains(is_unseen), "{line:?}");
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(json["message"].as_str().unwrap().contains("txt.exe"), "{line}");
}
