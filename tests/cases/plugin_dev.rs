//! `tidegate plugin dev`: from an edit to the version that serves.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use tidegate_tests::guests::{ACTS_FILE, wat};
use tidegate_tests::{Gateway, Origin, Process, Raw, Websocket, eventually, upgrade_request, within};
use tokio::net::TcpStream;

use crate::running::plain;

fn guest(name: &str) -> String {
    fs::read_to_string(wat(name)).unwrap()
}

fn develop(arguments: &[&str]) -> Process {
    Process::start(&[&["plugin", "dev"], arguments].concat())
}

/// Waits until a line of standard output after the first `seen` has all of `words`, and returns how many there are then.
async fn said_after(process: &Process, seen: usize, words: &[&str]) -> usize {
    eventually(&format!("a line with {words:?}"), || {
        let lines = process.stdout();
        let mut new = lines.iter().skip(seen);
        new.any(|line| words.iter().all(|word| line.contains(word)))
    })
    .await;
    process.stdout().len()
}

async fn complained(process: &Process, word: &str) {
    eventually(word, || process.stderr().join("\n").contains(word)).await;
}

/// Where the gateway says that it serves.
async fn address(process: &Process) -> SocketAddr {
    said_after(process, 0, &["serving "]).await;
    let lines = process.stdout();
    let line = lines.iter().find(|line| line.starts_with("serving ")).unwrap();
    let url = line.split_whitespace().nth(1).unwrap();
    url.trim_start_matches("http://").trim_end_matches([';', ',']).trim_end_matches('/').parse().unwrap()
}

async fn websocket(address: SocketAddr) -> Websocket {
    let io = Box::new(TcpStream::connect(address).await.unwrap());
    let mut websocket = Websocket::open(io, upgrade_request("/websocket")).await.unwrap();
    websocket.next().await.unwrap();
    websocket
}

/// Name of the demo's endpoint that the next websocket gets to.
async fn next_endpoint(address: SocketAddr) -> String {
    websocket(address).await.headers()["x-endpoint"].to_str().unwrap().to_owned()
}

async fn ends_well(mut process: Process) {
    process.signal("INT");
    let status = process.ended().await;
    assert!(status.success(), "{status}: {:#?}", process.stderr());
}

#[tokio::test]
async fn each_edit_is_live_with_its_decisions_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("mine.wat");
    fs::write(&source, guest("first")).unwrap();
    let process = develop(&[folder.path().to_str().unwrap()]);
    let address = address(&process).await;
    let seen = said_after(&process, 0, &["pick ", "eligible 0 1 2", "busy ", "→ 0 ws://"]).await;
    let mut held = websocket(address).await;

    fs::write(&source, guest("last")).unwrap();
    let seen = said_after(&process, seen, &["live ", "generation 2"]).await;
    said_after(&process, seen, &["pick ", "→ 2 ws://"]).await;
    held.echo("over a swap").await;

    fs::write(&source, "(module (func (export \"pick\") (result i32)").unwrap();
    complained(&process, "not swapped: ").await;
    complained(&process, "generation 2, sha256 ").await;
    assert_eq!(next_endpoint(address).await, "c", "the version before goes on");

    let seen = process.stdout().len();
    fs::write(&source, guest("first")).unwrap();
    said_after(&process, seen, &["live ", "generation 3"]).await;
    assert_eq!(next_endpoint(address).await, "a");
    said_after(&process, seen, &["3 of 3 websockets", "still open"]).await;
    held.echo("over all of them").await;
    ends_well(process).await;
}

#[tokio::test]
async fn a_build_script_is_run_at_each_edit_and_one_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = "echo built >> builds\nif grep -q wrong mine.c; then echo 'mine.c is wrong' >&2; exit 3; fi\n\
                  cp mine.c mine.wasm\n";
    fs::write(folder.join("build.sh"), script).unwrap();
    fs::write(folder.join("mine.c"), guest("first")).unwrap();
    let process = develop(&[folder.to_str().unwrap()]);
    let address = address(&process).await;

    fs::write(folder.join("mine.c"), "wrong").unwrap();
    complained(&process, "mine.c is wrong").await;
    complained(&process, "`sh build.sh` failed (exit status: 3)").await;
    complained(&process, "generation 1, sha256").await;
    assert_eq!(next_endpoint(address).await, "a");

    let seen = process.stdout().len();
    fs::write(folder.join("mine.c"), guest("last")).unwrap();
    said_after(&process, seen, &["live ", "generation 2"]).await;
    assert_eq!(next_endpoint(address).await, "c");
    ends_well(process).await;
}

#[tokio::test]
async fn the_end_takes_a_build_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid.log");
    fs::write(folder.path().join("build.sh"), "sleep 1000 &\necho $! > pid.new && mv pid.new pid.log\nwait\n").unwrap();
    let process = develop(&[folder.path().to_str().unwrap()]);
    eventually("the build to run", || pid.exists()).await;
    let pid = fs::read_to_string(&pid).unwrap();

    ends_well(process).await;

    let status = format!("/proc/{}/stat", pid.trim());
    // Whoever takes over orphans may never look at one that has ended.
    eventually("the build's own processes to end", || {
        fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "))
    })
    .await;
}

#[tokio::test]
async fn an_edit_ends_a_build_that_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let script = "if grep -q hangs mine.c; then echo > hangs.log; sleep 1000; fi\ncp mine.c mine.wasm\n";
    fs::write(folder.join("build.sh"), script).unwrap();
    fs::write(folder.join("mine.c"), "hangs").unwrap();
    let process = develop(&[folder.to_str().unwrap()]);
    eventually("the build to hang", || folder.join("hangs.log").exists()).await;

    fs::write(folder.join("mine.c"), guest("last")).unwrap();

    said_after(&process, 0, &["changed ", "mine.c", "during the build"]).await;
    said_after(&process, 0, &["live ", "generation 1"]).await;
    ends_well(process).await;
}

#[tokio::test]
async fn routers_and_rewriters_are_seen_deciding_and_failing() {
    let router = develop(&[&wat("router-trap")]);
    let at = address(&router).await;
    said_after(&router, 0, &["route ", "GET localhost", "→ demo"]).await;
    let mut raw = Raw::new(plain(at).await);
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\nx-misbehave: yes\r\n\r\n").await;
    said_after(&router, 0, &["route ", "FAULT (trap): "]).await;
    ends_well(router).await;

    let passing = develop(&[ACTS_FILE]);
    said_after(&passing, 0, &["route ", "localhost", "→ next"]).await;
    ends_well(passing).await;

    let rewriter = develop(&[&wat("rewriter-remove")]);
    said_after(&rewriter, 0, &["rewrite ", "302 of /moved from ws://", "location: /inner/place"]).await;
    ends_well(rewriter).await;
}

const CONFIG: &str = r#"
[[listen]]
address = "127.0.0.1:0"
[[route]]
path = "/"
to = "balancer://pair"
[cluster.pair]
balancer = "mine"
endpoints = ["ws://{a}", "ws://{b}"]
[plugin.mine]
file = "project/mine.wasm"
[admin]
address = "127.0.0.1:0"
"#;

/// A project beside a configuration that names what it builds.
fn project(config: &Path, source: &str) -> std::path::PathBuf {
    let project = config.parent().unwrap().join("project");
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("build.sh"), "cp mine.c mine.wasm\n").unwrap();
    fs::write(project.join("mine.c"), source).unwrap();
    project
}

async fn to_origin(address: SocketAddr) -> String {
    let io = Box::new(TcpStream::connect(address).await.unwrap());
    Websocket::open(io, upgrade_request("/")).await.unwrap().greeted().await.endpoint().to_owned()
}

#[tokio::test]
async fn a_configuration_is_served_with_the_plugin_in_it_and_may_be_edited_too() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(CONFIG).origin(&a).origin(&b);
    let config = setup.write();
    let project = project(&config, &guest("first"));
    let process = develop(&[project.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    let address = address(&process).await;
    assert_eq!(to_origin(address).await, "a");
    let seen = said_after(&process, 0, &["pick ", "pair", "eligible 0 1", "→ 0 ws://"]).await;

    fs::write(project.join("mine.c"), guest("last")).unwrap();
    let seen = said_after(&process, seen, &["live ", "generation 2"]).await;
    assert_eq!(to_origin(address).await, "b");

    let text = fs::read_to_string(&config).unwrap().replace("path = \"/\"", "path = \"/moved\"");
    fs::write(&config, text).unwrap();
    said_after(&process, seen, &["live ", "generation 3", "the same file as before"]).await;
    let mut raw = Raw::new(plain(address).await);
    raw.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(raw.read_answer().await.unwrap().status, 404, "the configuration is another");
    ends_well(process).await;
}

#[tokio::test]
async fn a_gateway_that_runs_already_gets_what_was_built() {
    let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
    let setup = Gateway::configure(CONFIG).origin(&a).origin(&b);
    let config = setup.write();
    let project = project(&config, &guest("first"));
    fs::write(project.join("mine.wasm"), guest("first")).unwrap();
    let gateway = Process::run(&config).await;
    eventually("both to listen", || gateway.addresses().len() == 2).await;
    let said = gateway.stderr();
    let admin = said.iter().find(|line| line.contains("admin listening")).unwrap();
    let admin = admin.split_once("address=").unwrap().1.split_whitespace().next().unwrap();
    let listener = *gateway.addresses().iter().find(|address| address.to_string() != admin).unwrap();
    let text = fs::read_to_string(&config).unwrap().replace("[admin]\naddress = \"127.0.0.1:0\"", "[admin]\nADMIN");
    fs::write(&config, text.replace("ADMIN", &format!("address = \"{admin}\""))).unwrap();

    let process = develop(&[project.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    said_after(&process, 0, &["runs already", admin]).await;
    let seen = said_after(&process, 0, &["live ", "generation "]).await;
    assert_eq!(to_origin(listener).await, "a");
    fs::write(project.join("mine.c"), guest("last")).unwrap();
    said_after(&process, seen, &["live ", "generation "]).await;

    assert_eq!(to_origin(listener).await, "b");
    ends_well(process).await;
    assert_eq!(to_origin(listener).await, "b", "the gateway goes on");
}

/// What the table says of `blue`.
async fn value(raw: &mut Raw) -> String {
    raw.write(b"GET /blue HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
    raw.read_answer().await.expect("an answer").text()
}

#[tokio::test]
async fn a_table_is_looked_into_as_it_is_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/mine.wat"), guest("lookup")).unwrap();
    let table = folder.path().join("t.tsv");
    fs::write(&table, "blue\ta\n").unwrap();
    let project = folder.path().join("mine");
    let process = develop(&[project.to_str().unwrap(), "--table", table.to_str().unwrap()]);
    let address = address(&process).await;
    let mut raw = Raw::new(plain(address).await);
    assert_eq!(value(&mut raw).await, "a");

    fs::write(&table, "blue\tb\n").unwrap();
    within("the other version", async { while value(&mut raw).await != "b" {} }).await;

    ends_well(process).await;
}

#[tokio::test]
async fn what_cannot_be_developed_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["empty", "one", "both"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::write(path("one/one.wat"), guest("first")).unwrap();
    fs::write(path("both/p.wat"), guest("first")).unwrap();
    fs::write(path("both/q.wasm"), guest("first")).unwrap();
    let listen = "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nrespond = { status = 200 }\n";
    fs::write(path("none.toml"), listen).unwrap();
    fs::write(
        path("two.toml"),
        format!("{listen}[plugin.r]\nfile = \"both/p.wat\"\n[plugin.q]\nfile = \"both/q.wasm\"\n"),
    )
    .unwrap();
    for (arguments, words) in [
        (&[path("nowhere")][..], "there is no such folder or file"),
        (&[path("empty")], "nothing to build; expected a build.sh"),
        (&[path("none.toml")], "expected a folder, a .wat or a .wasm file"),
        (&[path("one"), "--config".to_owned(), path("none.toml")], "write a section for it:\n\n[plugin.one]"),
        (&[path("both"), "--config".to_owned(), path("two.toml")], "found `q`, `r`"),
        (&[path("one"), "--config".to_owned(), path("nowhere.toml")], "there is no such file"),
        (
            &[path("one"), "--secret".to_owned(), "a=b".to_owned(), "--secret".to_owned(), "a=c".to_owned()],
            "two files are given for the secret `a`",
        ),
    ] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut process = develop(&arguments);

        let status = process.ended().await;

        assert_eq!(status.code(), Some(1), "{arguments:?}: {:?}", process.stderr());
        assert!(process.stderr().join("\n").contains(words), "{arguments:?}: {:?}", process.stderr());
    }
}
