//! What the command line refuses, and how.

use tidegate_tests::{Ca, Gateway, Origin, Process};

use crate::running::Running;

const GOOD: &str = "[[route]]\npath = \"/\"\nto = \"ws://127.0.0.1:9\"\n";

/// Runs `tidegate ARGUMENTS` to its end.
async fn run(arguments: &[&str]) -> (i32, Process) {
    let mut process = Process::start(arguments);
    let status = process.ended().await;
    (status.code().expect("an exit code"), process)
}

#[tokio::test]
async fn check_of_a_good_configuration_says_what_it_would_serve() {
    let setup = Gateway::configure(GOOD);

    let (code, process) = run(&["check", setup.write().to_str().unwrap()]).await;

    assert_eq!((code, process.stderr()), (0, vec![]));
    let said = process.stdout().join("\n");
    assert!(said.contains("good: 1 listeners, 1 routes, 1 clusters"), "{said}");
}

#[tokio::test]
async fn check_says_what_is_spoken_with_whom() {
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\nprotocol = \"h2\"\n[[route]]\npath = \"/\"\nto = \"balancer://calls\"\n\
                [[route]]\npath = \"/web\"\nto = \"balancer://web\"\n\
                [cluster.calls]\nendpoints = [\"http://127.0.0.1:9\"]\nprotocol = \"h2\"\n\
                [cluster.web]\nendpoints = [\"http://127.0.0.1:9\"]\n";
    let setup = Gateway::configure(text);

    let (code, process) = run(&["check", setup.write().to_str().unwrap()]).await;

    let said = process.stdout().join("\n");
    assert_eq!(code, 0, "{:?}", process.stderr());
    let spoken = "; clients may speak h2 (127.0.0.1:0); endpoints are spoken to in h1 (web), h2 (calls)";
    assert!(said.contains(spoken), "{said}");
}

#[tokio::test]
async fn check_says_what_run_would_warn_of_in_files() {
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = { certificate = \"old.pem\", key = \"old-key.pem\" }\n\
                [[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                [cluster.pool]\nendpoints = [\"wss://localhost:9\"]\ntls = { ca = \"nameless.pem\" }\n";
    let old = Ca::new().issue_until(&["a.test"], 2020);
    let setup = Gateway::configure(text)
        .file("old.pem", &old.certificate)
        .file("old-key.pem", &old.key)
        .file("nameless.pem", Ca::own(&[]).certificate);

    let (code, process) = run(&["check", setup.write().to_str().unwrap()]).await;

    let said = process.stderr();
    assert_eq!(code, 0, "{said:?}");
    for word in
        ["old.pem expired on 2020-01-01", "cluster pool: the certificate of localhost in `ca` has no subjectAltName"]
    {
        assert!(said.iter().any(|line| line.starts_with("warning: ") && line.contains(word)), "{word} in {said:?}");
    }
}

#[tokio::test]
async fn check_of_a_wrong_configuration_says_each_fault_on_its_own_line() {
    let text = "[[route]]\npath = \"no-slash\"\nto = \"ftp://x\"\n[[route]]\npath = \"/\"\nto = \"balancer://none\"\n";
    let setup = Gateway::configure(text);
    let path = setup.write();

    let (code, process) = run(&["check", path.to_str().unwrap()]).await;

    let faults: Vec<_> = process.stderr().into_iter().filter(|line| line.contains("tidegate.toml:")).collect();
    assert_eq!((code, faults.len()), (1, 3), "{:?}", process.stderr());
    for (fault, word) in faults.iter().zip(["no-slash", "ftp", "none"]) {
        assert!(fault.starts_with(&format!("{}:", path.display())) && fault.contains(word), "{word}: {fault}");
    }
    assert_eq!(process.stdout(), Vec::<String>::new());
}

#[tokio::test]
async fn check_of_a_plugin_that_cannot_be_used_says_what_run_would_say() {
    let text = format!("{GOOD}[plugin.mine]\nfile = \"mine.wasm\"\n");
    let setup = Gateway::configure(&text).file("mine.wasm", b"\0asm\x01\0\0\0");
    let path = setup.write();

    let (code, checked) = run(&["check", path.to_str().unwrap()]).await;
    let (ran, served) = run(&["run", path.to_str().unwrap()]).await;

    assert_eq!((code, ran), (1, 1));
    for process in [checked, served] {
        let said = process.stderr().join("\n");
        assert!(said.contains("plugin mine") && said.contains("expected an export of"), "{said}");
    }
}

#[tokio::test]
async fn wrong_usage_is_told_apart_from_a_refusal() {
    for arguments in [&["serve"][..], &["run", "--no-such-flag"], &["check", "one", "two"], &[]] {
        let (code, process) = run(arguments).await;

        let said = process.stderr().join("\n");
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains("Usage:"), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn run_without_a_file_names_the_file_that_is_not_there() {
    let (code, process) = run(&["run"]).await;

    let said = process.stderr().join("\n");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("tidegate.toml"), "which file: {said}");
    assert!(said.contains("no such file"), "what is wrong with it: {said}");
}

#[tokio::test]
async fn a_second_instance_on_the_same_port_is_refused_and_the_first_serves_on() {
    let a = Origin::named("a").start().await;
    let first = Running::start(Gateway::configure("[[route]]\npath = \"/\"\nto = \"ws://{a}\"\n").origin(&a)).await;
    let mut held = first.websocket("/").await;
    let address = first.address();
    let second = Gateway::configure(&format!("[[listen]]\naddress = \"{address}\"\n{GOOD}"));
    let path = second.write();

    let (code, process) = run(&["run", path.to_str().unwrap()]).await;

    let said = process.stderr().join("\n");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("cannot listen on {address}")) && said.contains("ss -ltnp"), "{said}");
    let (code, process) = run(&["check", path.to_str().unwrap()]).await;
    assert_eq!(code, 0, "a check beside a running gateway is the usual thing: {:?}", process.stderr());
    assert!(process.stdout().join("").contains("is in use"), "{:?}", process.stdout());
    for _ in 0..10 {
        assert_eq!(first.status("/").await, 200, "every connection still goes to the first");
    }
    held.echo("still there").await;
}

#[tokio::test]
async fn what_acts_on_a_terminal_is_shown_by_check() {
    // A key and a value that clear the screen and show themselves backwards; and a file that is called so.
    let text =
        "[gateway]\n\"\\u001b[2J\\u202ekey\" = 1\n[[route]]\npath = \"\\u001b[2J\\u202e\"\nto = \"\\u0007\\u009b\"\n";
    let setup = Gateway::configure(text);
    let named = setup.folder().join("\u{1b}[2J\u{202e}.toml");
    std::fs::copy(setup.write(), &named).unwrap();
    let plugin = setup.folder().join("\u{1b}[2J.wasm");
    std::fs::write(&plugin, "\u{1b}[2J no plugin").unwrap();

    for arguments in [["check", named.to_str().unwrap()].as_slice(), &["plugin", "check", plugin.to_str().unwrap()]] {
        let (code, process) = run(arguments).await;

        let said = process.stderr();
        assert_eq!(code, 1, "{said:?}");
        assert!(said.iter().all(|line| !line.contains(tidegate::text::is_unseen)), "{said:?}");
        assert!(arguments[0] == "plugin" || said.join("").contains(r"`\u{1b}[2J\u{202e}key`"), "{said:?}");
    }
}

#[tokio::test]
async fn a_configuration_that_is_no_file_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());

    for (path, kind) in [(fifo.to_str().unwrap(), "a FIFO"), ("/dev/zero", "a device"), ("/", "a folder")] {
        for command in ["run", "check"] {
            let (code, process) = run(&[command, path]).await;

            let said = process.stderr().join("\n");
            assert_eq!(code, 1, "{said}");
            assert!(said.contains(&format!("it is {kind}, expected a regular file")), "{said}");
        }
    }
}
