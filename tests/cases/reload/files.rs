//! The real binary reads its files again: because they changed, or because it is told to.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tidegate_tests::guests::wat;
use tidegate_tests::{Gateway, LIMIT, Origin, Process, eventually};

use crate::running::{Running, guest, replace};

const TEXT: &str = r#"
[[route]]
path = "/other"
respond = { status = 201 }
[[route]]
path = "/"
to = "ws://{a}"
"#;

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_file_and_line_and_nothing_changes() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&a)).await;
    let mut held = running.websocket("/").await;
    let faults = [
        ("respond = {", "respnd = {", "unknown key `respnd` in [[route]]", "did you mean `respond`?"),
        ("status = 201", "status = 601", "601", ""),
        ("path = \"/other\"", "path = \"/other", "tidegate.toml", ""),
        ("to = \"ws://", "to = \"balancer://nowhere", "nowhere", ""),
    ];

    for (good, bad, said, hint) in faults {
        let line = running.refused_after(|| running.edit(good, bad)).await;

        let at = line.split_once("tidegate.toml:").unwrap_or_else(|| panic!("no file and line in {line}")).1;
        let place: Vec<&str> = at.split(':').take(2).collect();
        assert!(place.iter().all(|number| number.parse::<usize>().is_ok()), "line and column in {line}");
        assert!(line.contains(said), "expected {said:?} in {line}");
        assert!(running.process.stderr().join("\n").contains(hint), "the hint {hint:?}");
        assert_eq!(running.status("/other").await, 201, "{bad}: served as before");
        held.echo(bad).await;
        // Back to what is served: not a change, and neither a swap nor a refusal.
        running.told("nothing has changed", || running.edit(bad, good)).await;
    }

    running.swapped_by(|| running.edit("status = 201", "status = 202")).await;
    assert_eq!(running.status("/other").await, 202);
    held.echo("still there").await;
}

#[tokio::test]
async fn a_change_while_the_gateway_starts_is_not_lost() {
    let a = Origin::named("a").start().await;
    let setup = Gateway::configure(&format!("{TEXT}[log]\naccess = \"access.log\"\n")).origin(&a);
    let (config, log) = (setup.write(), setup.folder().join("access.log"));
    let text = std::fs::read_to_string(&config).unwrap();
    let process = Process::start(&["run", config.to_str().unwrap()]);

    // The configuration has been read when the access log is there. Plugins are compiled after that.
    let limit = std::time::Instant::now() + LIMIT;
    while !log.exists() {
        assert!(std::time::Instant::now() < limit, "{:?}", process.stderr());
        std::thread::yield_now();
    }
    replace(&config, text.replace("status = 201", "status = 202").as_bytes());
    // Who reloads a service does not know how far it is.
    process.signal("HUP");

    let said = |text: &str| process.stderr().iter().any(|line| line.contains(text));
    eventually("the second generation", || said("generation is live") && said("routes changed")).await;
}

#[tokio::test]
async fn a_hangup_rereads_the_files_and_opens_the_access_log_anew() {
    let a = Origin::named("a").start().await;
    let text = format!("{TEXT}[log]\naccess = \"access.log\"\n");
    let running = Running::start(Gateway::configure(&text).origin(&a)).await;
    let log = running.folder().join("access.log");
    let lines = || std::fs::read_to_string(&log).unwrap_or_default().lines().count();
    assert_eq!(running.status("/").await, 200);
    eventually("a line", || lines() == 1).await;

    std::fs::rename(&log, running.folder().join("access.log.1")).unwrap();
    running.told("nothing has changed", || running.process.signal("HUP")).await;
    assert_eq!(running.said("rereading").len(), 1, "{:?}", running.process.stderr());
    assert_eq!(running.status("/").await, 200);
    eventually("a line in the new file", || lines() == 1).await;

    running
        .swapped_by(|| {
            running.edit("status = 201", "status = 202");
            running.process.signal("HUP");
        })
        .await;
    assert_eq!(running.status("/other").await, 202);
}

/// A configuration may arrive before what it names; nobody has to touch it again.
#[tokio::test]
async fn a_refused_configuration_is_taken_when_the_file_it_waits_for_arrives() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(&format!("{TEXT}\n# more\n")).origin(&a)).await;
    let good = std::fs::read(wat("first")).unwrap();
    let more = "[cluster.own]\nbalancer = \"own\"\nendpoints = [\"ws://127.0.0.1:9\"]\n\
                [plugin.own]\nfile = \"own.wat\"\n";

    running.refused_after(|| running.edit("# more\n", more)).await;
    running.swapped_by(|| replace(&running.folder().join("own.wat"), &good)).await;

    // The same for a file that is there and wrong: it is watched although nothing serves it.
    let worse = "[cluster.other]\nbalancer = \"other\"\nendpoints = [\"ws://127.0.0.1:9\"]\n\
                 [plugin.other]\nfile = \"other.wat\"\n";
    replace(&running.folder().join("other.wat"), b"not a plugin");
    running.refused_after(|| running.edit("[cluster.own]", &format!("{worse}[cluster.own]"))).await;
    running.swapped_by(|| replace(&running.folder().join("other.wat"), &good)).await;
}

/// Puts something in the place of a file that is none.
type Spoil = fn(&Path);

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn endless(path: &Path) {
    symlink("/dev/zero", path).unwrap();
}

fn sparse(path: &Path) {
    File::create(path).unwrap().set_len(40 << 30).unwrap();
}

#[tokio::test]
async fn what_is_no_file_is_refused_and_the_file_is_taken_up_by_itself_when_it_is_back() {
    let text = "[[route]]\npath = \"/\"\nto = \"balancer://one\"\n[cluster.one]\nbalancer = \"mine\"\n\
                endpoints = [\"ws://{a}\"]\n[plugin.mine]\nfile = \"mine.wat\"\n";
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(text).origin(&a).file("mine.wat", guest("first"))).await;
    let mut held = running.websocket("/").await;
    let cases: [(&str, Spoil, &str); 6] = [
        ("tidegate.toml", fifo, "it is a FIFO, expected a regular file"),
        ("tidegate.toml", endless, "it is a device, expected a regular file"),
        ("tidegate.toml", sparse, "it is larger than 4 MiB"),
        ("mine.wat", fifo, "it is a FIFO, expected a regular file"),
        ("mine.wat", endless, "it is a device, expected a regular file"),
        ("mine.wat", sparse, "it is larger than 64 MiB"),
    ];

    for (number, (name, spoil, said)) in cases.into_iter().enumerate() {
        let (path, beside) = (running.folder().join(name), running.folder().join("beside"));
        let good = std::fs::read_to_string(&path).unwrap();
        let spoilt = || {
            spoil(&beside);
            std::fs::rename(&beside, &path).unwrap();
        };
        let line = running.refused_after(spoilt).await;

        assert!(line.contains(said), "{name}: expected {said:?} in {line}");
        assert_eq!(running.status("/").await, 200, "{name}: {said}: served as before");
        held.echo(said).await;
        let more = match name {
            "mine.wat" => format!(";; {number}\n"),
            _ => format!("[[route]]\npath = \"/{number}\"\nrespond = {{ status = 200 }}\n"),
        };
        running.swapped_by(|| replace(&path, (good + &more).as_bytes())).await;
    }
}
