//! What plugins look up: taken from a file or a call, swapped whole, and kept where what comes is broken.

use std::fs::File;

use serde_json::Value;
use tidegate_tests::{Admin, Gateway, Setup};

use crate::running::{Running, guest, replace};

const TEXT: &str = "[router]\nplugin = \"tenants\"\n\
                    [plugin.tenants]\nfile = \"lookup.wat\"\ntable = \"tenants.tsv\"\n";
const ADMIN: &str = "[admin]\naddress = \"127.0.0.1:0\"\n";
const TABLE: &str = "/api/v1/plugins/tenants/table";
const TSV: (&str, &str) = ("content-type", "text/tab-separated-values");

fn gateway(more: &str, table: &str) -> Setup {
    let text = format!("{more}{TEXT}");
    Gateway::configure(&text).file("lookup.wat", guest("lookup")).file("tenants.tsv", table)
}

/// A hundred thousand tenants, each in the cluster of this name.
fn tenants(cluster: &str) -> String {
    (0..100_000).map(|tenant| format!("tenant-{tenant}\t{cluster}\n")).collect()
}

/// What the table says of `blue`.
async fn value(running: &Running) -> String {
    let mut raw = running.raw().await;
    raw.write(b"GET /blue HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    raw.read_answer().await.expect("an answer").text()
}

async fn shown(admin: &Admin) -> Value {
    let plugins = admin.good("GET", "/api/v1/plugins", &Value::Null).await;
    let tenants = plugins.as_array().unwrap().iter().find(|plugin| plugin["name"] == "tenants");
    tenants.unwrap()["table"].clone()
}

#[tokio::test]
async fn a_call_fills_the_table_and_the_file_without_another_generation_or_instance() {
    let gateway = gateway(ADMIN, "blue\ta\n").start().await;
    let admin = Admin::of(gateway.inner());
    assert_eq!(gateway.get("/blue").await.text(), "a");
    let (before, generation) = (shown(&admin).await, gateway.inner().generation().id());

    let answer = admin.exactly("PUT", TABLE, &[TSV], b"blue\tb\nred\tc\n").await;

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!((gateway.get("/blue").await.text(), gateway.get("/red").await.text()), ("b".into(), "c".into()));
    assert_eq!(gateway.get("/green").await.status, 404);
    let after = shown(&admin).await;
    assert_eq!(after, serde_json::from_slice::<Value>(&answer.body).unwrap());
    assert_eq!((&before["entries"], &after["entries"], &after["swaps"]), (&1.into(), &2.into(), &1.into()));
    assert_ne!(before["version"], after["version"]);
    assert_eq!(gateway.inner().generation().id(), generation);
    assert_eq!(std::fs::read_to_string(gateway.folder().join("tenants.tsv")).unwrap(), "blue\tb\nred\tc\n");
    let plugin = "{plugin=\"tenants\"}";
    assert_eq!(gateway.metric(&format!("tidegate_plugin_table_entries{plugin}")), 2.0);
    assert_eq!(gateway.metric(&format!("tidegate_plugin_table_swaps_total{plugin}")), 1.0);
    let version = u64::from_str_radix(&after["version"].as_str().unwrap()[..12], 16).unwrap();
    assert_eq!(gateway.metric(&format!("tidegate_plugin_table_version{plugin}")), version as f64);
}

#[tokio::test]
async fn a_call_that_cannot_be_taken_says_why_and_changes_nothing() {
    let gateway = gateway(ADMIN, "blue\ta\n").start().await;
    let admin = Admin::of(gateway.inner());
    let before = shown(&admin).await;
    let json = ("content-type", "application/json");

    for (path, field, body, status, word) in [
        (TABLE, TSV, &b"blue\tb\nred\n"[..], 422, "line 2 has no TAB"),
        (TABLE, TSV, b"a\tb\na\tb\n", 422, "line 2 has the same key as line 1"),
        (TABLE, TSV, b"a\t\xff\n", 422, "line 1 is not UTF-8 text: its byte 3"),
        (TABLE, TSV, b"a\tb", 422, "line 1, its last, has no newline"),
        (TABLE, json, b"a\tb\n", 415, "content-type: text/tab-separated-values"),
        ("/api/v1/plugins/prefix/table", TSV, b"a\tb\n", 404, "no plugin `prefix`"),
        ("/api/v1/plugins/bybusyness/table", TSV, b"a\tb\n", 404, "no plugin"),
        ("/api/v1/plugins/reverse/table", TSV, b"a\tb\n", 409, "plugin `reverse` has no `table`"),
        ("/api/v1/plugins/tenants/table?a=b", TSV, b"a\tb\n", 400, "unknown key `a`"),
    ] {
        let answer = admin.exactly("PUT", path, &[field], body).await;

        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.text().contains(word), "{path}: {}", answer.text());
    }
    assert_eq!(shown(&admin).await, before);
    assert_eq!(gateway.get("/blue").await.text(), "a");
}

#[tokio::test]
async fn a_broken_table_stops_a_start_where_it_is_written() {
    let refused = gateway("", "blue\ta\nred\n").try_start().await.unwrap_err().to_string();

    assert!(refused.contains("tidegate.toml:") && refused.contains("`table` of [plugin.tenants]"), "{refused}");
    assert!(refused.ends_with("tenants.tsv: line 2 has no TAB, expected a key, a TAB and a value"), "{refused}");
}

#[tokio::test]
async fn a_hundred_thousand_tenants_change_under_traffic_and_every_answer_is_of_one_version() {
    let running = Running::start(gateway("", &tenants("old"))).await;
    let file = running.folder().join("tenants.tsv");
    let mut raw = running.raw().await;
    let mut answers = Vec::new();
    let live = || running.said("table is live").len();
    let generations = running.said("generation is live");

    for cluster in ["new", "newer"] {
        let before = live();
        replace(&file, tenants(cluster).as_bytes());
        while live() == before {
            raw.write(b"GET /tenant-99999 HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
            answers.push(raw.read_answer().await.expect("an answer").text());
        }
        raw.write(b"GET /tenant-1 HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
        assert_eq!(raw.read_answer().await.expect("an answer").text(), cluster);
    }

    answers.dedup();
    assert!(answers.iter().all(|answer| ["old", "new", "newer"].contains(&answer.as_str())), "{answers:?}");
    assert_eq!(running.said("generation is live"), generations, "no generation for a table");
}

#[tokio::test]
async fn a_watched_file_that_breaks_or_vanishes_leaves_the_table_and_is_taken_when_it_is_good() {
    let running = Running::start(gateway("", "blue\ta\n")).await;
    let (file, beside) = (running.folder().join("tenants.tsv"), running.folder().join("beside"));
    let large = || {
        File::create(&beside).unwrap().set_len(2 << 30).unwrap();
        std::fs::rename(&beside, &file).unwrap();
    };
    let cases: [(&str, &dyn Fn()); 4] = [
        ("line 3 has the same key as line 1", &|| replace(&file, b"blue\tx\nred\tx\nblue\tx\n")),
        ("line 1 is not UTF-8 text", &|| replace(&file, b"\xff\tx\n")),
        ("it is larger than 256 MiB", &large),
        ("No such file", &|| std::fs::remove_file(&file).unwrap()),
    ];

    for (sentence, spoil) in cases {
        let line = running.told("table refused", spoil).await;

        assert!(line.contains(sentence), "{line}");
        assert_eq!(value(&running).await, "a", "{sentence}");
        running.told("the file of the table is again what it was", || replace(&file, b"blue\ta\n")).await;
    }
    running.told("table is live", || replace(&file, b"blue\tb\n")).await;

    assert_eq!(value(&running).await, "b");
    assert!(running.said("reload refused").is_empty());
}

#[tokio::test]
async fn another_deadline_makes_another_plugin_that_looks_into_the_same_table() {
    let running = Running::start(gateway("", "blue\ta\n")).await;
    let file = running.folder().join("tenants.tsv");
    running.told("table is live", || replace(&file, b"blue\tb\n")).await;

    running.swapped_by(|| running.edit("table = ", "deadline = \"30ms\"\ntable = ")).await;
    running.told("table is live", || replace(&file, b"blue\tc\n")).await;

    assert_eq!(value(&running).await, "c");
}
