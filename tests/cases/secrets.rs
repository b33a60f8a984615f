//! Secrets of plugins: handed over with the configuration, watched, and shown nowhere.

use serde_json::{Value, json};
use tidegate_tests::{Admin, Gateway, Process, Setup};

use crate::running::{Running, guest, replace};

const TEXT: &str = "[router]\nplugin = \"tell\"\n[plugin.tell]\nfile = \"tell.wat\"\n\
                    config = { issuer = \"a\" }\nsecrets = { key = \"key.txt\", more = \"more.txt\" }\n";
const ADMIN: &str = "[admin]\naddress = \"127.0.0.1:0\"\n";
const KEY: &str = "hunter2-of-the-first";
const MORE: &str = "line \"one\" of more\nline two of more";

fn setup(more: &str) -> Setup {
    let setup = Gateway::configure(&format!("{more}{TEXT}")).file("tell.wat", guest("tell"));
    setup.file("key.txt", format!("{KEY}\n")).file("more.txt", format!("{MORE}\n"))
}

/// What the plugin is configured with.
async fn told(running: &Running) -> Value {
    let mut raw = running.raw().await;
    raw.write(b"GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    serde_json::from_slice(&raw.read_answer().await.expect("an answer").body).unwrap()
}

fn shows_a_secret(text: &str) -> bool {
    [KEY, "hunter2", "of more"].iter().any(|secret| text.contains(secret))
}

#[tokio::test]
async fn a_secret_comes_with_the_configuration_and_another_one_makes_other_instances() {
    let running = Running::start(setup("")).await;
    assert_eq!(told(&running).await, json!({ "issuer": "a", "key": KEY, "more": MORE }));

    running.swapped_by(|| replace(&running.folder().join("key.txt"), b"hunter2-of-the-second")).await;

    assert_eq!(told(&running).await["key"], "hunter2-of-the-second");
    let line = running.said("generation is live").pop().unwrap();
    assert!(line.contains("secrets of plugin tell changed"), "{line}");
    for (content, sentence) in [
        (&b"\n"[..], "secret `key` of [plugin.tell]: "),
        (b"\n\n\xff", "it is not UTF-8 text: byte 3"),
        (&[b'x'; 65_537], "it is larger than 64 KiB"),
        (b"\r\n", "it is empty, expected a secret"),
    ] {
        let line = running.refused_after(|| replace(&running.folder().join("key.txt"), content)).await;

        assert!(line.contains(sentence) && line.contains("tidegate.toml:"), "{line}");
        assert_eq!(told(&running).await["key"], "hunter2-of-the-second");
    }
    let gone = || std::fs::remove_file(running.folder().join("key.txt")).unwrap();
    let line = running.refused_after(gone).await;
    assert!(line.contains("secret `key`: ") && line.contains("does not exist"), "{line}");
    running.swapped_by(|| replace(&running.folder().join("key.txt"), b"hunter2-of-the-third\r\n")).await;

    assert_eq!(told(&running).await["key"], "hunter2-of-the-third");
    let stderr = running.process.stderr().join("\n");
    assert!(stderr.contains("[secret]") && !shows_a_secret(&stderr), "{stderr}");
}

#[tokio::test]
async fn no_secret_is_shown_by_the_admin_server_nor_by_a_check() {
    let gateway = setup(ADMIN).start().await;
    let admin = Admin::of(gateway.inner());
    let mut shown = Vec::new();
    for path in ["clusters", "plugins", "generations", "changes"] {
        shown.push(admin.good("GET", &format!("/api/v1/{path}"), &Value::Null).await.to_string());
    }
    shown.push(admin.exactly("GET", "/metrics", &[], b"").await.text());
    shown.push(format!("{:?} {:?}", gateway.inner().generation(), gateway.inner().generation().config()));
    assert!(shown.iter().all(|text| !shows_a_secret(text)), "{shown:?}");

    let setup = setup("");
    let mut check = Process::start(&["check", setup.write().to_str().unwrap()]);
    assert_eq!(check.ended().await.code(), Some(0));
    let said = [check.stdout(), check.stderr()].concat().join("\n");
    assert!(said.contains("good: ") && !shows_a_secret(&said), "{said}");
}

#[tokio::test]
async fn what_a_plugin_has_against_a_secret_is_said_without_it() {
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://chat\"\n[cluster.chat]\nbalancer = \"mine\"\n\
                endpoints = [\"ws://127.0.0.1:9\"]\n[plugin.mine]\nfile = {file}\nsecrets = { table = \"key.txt\" }\n";
    let wasm = tidegate::gateway::shipped("consistent-hash").unwrap();
    let setup = Gateway::configure(text).put("file", "\"mine.wasm\"").file("mine.wasm", wasm).file("key.txt", KEY);

    let refused = setup.try_start().await.unwrap_err().to_string();

    assert!(refused.contains("found \"[secret]\"") && !shows_a_secret(&refused), "{refused}");
}
