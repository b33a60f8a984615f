use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Instant, UNIX_EPOCH};

use super::*;

fn record<'a>() -> AccessRecord<'a> {
    let time = UNIX_EPOCH + Duration::from_millis(1_795_395_758_123);
    let client = SocketAddr::from((Ipv6Addr::LOCALHOST, 5123));
    let listener = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 443));
    AccessRecord {
        method: "GET",
        path: "/websocket?x=1",
        status: Some(101),
        duration: Duration::from_micros(12_345),
        ..AccessRecord::new(AccessKind::Tunnel, time, client, listener)
    }
}

fn text(record: &AccessRecord<'_>, format: LineFormat) -> String {
    let mut out = String::new();
    line::format(&mut out, record, format);
    out
}

#[test]
fn text_line_is_stable() {
    let line = text(&record(), LineFormat::Text);

    assert_eq!(
        line,
        "time=2026-11-23T01:02:38.123Z kind=tunnel request_id=- client=[::1]:5123 listener=0.0.0.0:443 \
         protocol=\"http/1.1\" tls=- sni=- method=\"GET\" host=- path=\"/websocket?x=1\" status=101 \
         duration_ms=12.345 first_byte_ms=- bytes_in=0 bytes_out=0 route=- cluster=- endpoint=- attempts=0 plugins=- \
         generation=0 ending=- client_protocol=- grpc_status=- user=-\n"
    );
}

#[test]
fn notes_are_an_object_behind_all_else_and_cannot_add_a_field() {
    let notes = [("tenant", "blue"), ("a\" b=\n", "c\\\"")];
    let record = AccessRecord { notes: &notes, ..record() };

    let line = text(&record, LineFormat::Text);
    let json: serde_json::Value = serde_json::from_str(&text(&record, LineFormat::Json)).unwrap();

    assert_eq!(json["notes"], serde_json::json!({"tenant": "blue", "a\" b=\n": "c\\\""}));
    let (_, quoted) = line.split_once(" user=- notes=").unwrap();
    let object: String = serde_json::from_str(quoted).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&object).unwrap(), json["notes"]);
}

#[test]
fn nothing_from_outside_can_add_a_line_or_a_field() {
    let hostile = "/a\" status=200\r\nkind=request\\\u{1b}[2J\u{85}\u{202e}ü";
    let record = AccessRecord { path: hostile, host: Some("a\nb"), ..record() };

    let line = text(&record, LineFormat::Text);
    let json: serde_json::Value = serde_json::from_str(&text(&record, LineFormat::Json)).unwrap();

    assert_eq!(line.matches('\n').count(), 1, "{line}");
    assert!(!line.chars().any(|c| c != '\n' && c.is_control()), "{line}");
    assert!(line.contains(r#"path="/a\" status=200\u000d\u000akind=request\\\u001b[2J\u0085\u202eü" "#), "{line}");
    assert_eq!(json["path"], hostile, "JSON gives back what was asked for");
    assert_eq!(json["status"], 101);
    assert_eq!(json.get("sni"), None);
}

#[test]
fn lines_reach_the_file_and_the_reopened_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
    let log = AccessLog::open(&AccessTarget::File(path.clone()), LineFormat::Text).unwrap();

    log.write(&record());
    fs::rename(&path, &moved).unwrap();
    log.reopen();
    // The first line may be written after the replacement was left, but goes to the old file all the same.
    let limit = Instant::now() + Duration::from_secs(10);
    while fs::metadata(&moved).unwrap().len() == 0 && Instant::now() < limit {
        std::thread::yield_now();
    }
    log.write(&record());
    log.write(&record());
    drop(log);

    assert_eq!(fs::read_to_string(moved).unwrap().lines().count(), 1);
    assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 2);
}

#[test]
fn off_is_off() {
    let log = AccessLog::open(&AccessTarget::Off, LineFormat::Text).unwrap();

    log.write(&record());

    assert!(!log.is_on());
    assert_eq!(log.dropped(), 0);
    log.reopen();
}
