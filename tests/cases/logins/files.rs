//! Files of passwords that change, are wrong, or are not there.

use tidegate_tests::{Gateway, Http, Origin, Process, Setup, Websocket};

use super::{USERS, asking, basic, handshake};
use crate::running::{Running, plain, replace};

const TEXT: &str = r#"
[[route]]
path = "/"
to = "http://{a}"
basic_auth = { file = "users.htpasswd" }
"#;

#[tokio::test]
async fn a_changed_file_holds_at_once_and_a_wrong_one_is_refused_with_its_line() {
    let a = Origin::named("a").start().await;
    let running = Running::start(Gateway::configure(TEXT).origin(&a).file("users.htpasswd", USERS)).await;
    let file = running.folder().join("users.htpasswd");
    let status = async |login: &str| {
        let mut http = Http::new(plain(running.address()).await).await;
        http.send(asking("/", Some(&basic(login)))).await.status.as_u16()
    };
    let open = Websocket::open(plain(running.address()).await, handshake("/", Some(&basic("ann:open sesame")))).await;
    let mut held = open.unwrap().greeted().await;
    assert_eq!([status("ann:open sesame").await, status("cid:sha pass").await], [200, 200]);

    // ann gets cid's password, and cid is taken out.
    let hash = USERS.lines().find_map(|line| line.strip_prefix("cid:")).unwrap();
    running.swapped_by(|| replace(&file, format!("ann:{hash}\n").as_bytes())).await;
    let live = running.process.stderr().into_iter().rfind(|line| line.contains("generation is live"));
    assert!(live.as_ref().is_some_and(|line| line.contains("passwords changed")), "{live:?}");
    assert_eq!([status("ann:open sesame").await, status("cid:sha pass").await], [401, 401]);
    assert_eq!(status("ann:sha pass").await, 200);
    held.echo("a tunnel that is open stays open").await;

    let line = running.refused_after(|| replace(&file, b"ann:$2y$05$hunter2\n")).await;
    assert!(line.contains("users.htpasswd:1: what stands behind the name `ann` is no whole hash of bcrypt"), "{line}");
    let all = running.process.stderr().join("\n");
    assert!(all.contains("htpasswd -B FILE ann") && !all.contains("hunter2"), "{all}");
    assert_eq!([status("ann:sha pass").await, status("ann:open sesame").await], [200, 401], "as before");

    running.swapped_by(|| replace(&file, USERS.as_bytes())).await;
    assert_eq!([status("ann:open sesame").await, status("ann:sha pass").await], [200, 401]);
    held.echo("still there").await;
}

/// What `tidegate check` says, and whether it finds nothing wrong.
async fn check(setup: Setup, more: &[&str]) -> (bool, String) {
    let config = setup.write();
    let mut process = Process::start(&[&["check", config.to_str().unwrap()], more].concat());
    let ended = process.ended().await;
    (ended.success(), [process.stdout(), process.stderr()].concat().join("\n"))
}

#[tokio::test]
async fn check_says_what_is_wrong_with_a_file_and_whom_it_lacks() {
    let text = TEXT.replace("users.htpasswd\"", "users.htpasswd\", users = [\"ann\", \"zoe\"]");
    let setup = |content: Option<&str>| {
        let setup = Gateway::configure(&text).put("a", "127.0.0.1:9");
        content.into_iter().fold(setup, |setup, content| setup.file("users.htpasswd", content))
    };

    let (good, said) = check(setup(Some(&format!("{USERS}ann:{{SHA}}KvPXpIScDQubdcQXyPXUdUCmoqA=\n"))), &[]).await;
    assert!(good, "{said}");
    assert!(said.contains("users.htpasswd:8: user `ann` is there before: the first line counts"), "{said}");
    assert!(said.contains("`users` of the route /: there is no \"zoe\" in "), "{said}");

    let (good, said) = check(setup(Some("# nobody yet\n")), &[]).await;
    assert!(good && said.contains("users.htpasswd has no users: the route / lets nobody in"), "{said}");

    for (content, part) in [
        ("ann:hunter2\n", "users.htpasswd:1: what stands behind the name `ann` is no hash of a kind that is taken"),
        (
            "\nann:$2y$17$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC\n",
            "users.htpasswd:2: what stands behind the name `ann` is a bcrypt hash of cost 17, expected at most 14",
        ),
    ] {
        let (good, said) = check(setup(Some(content)), &[]).await;
        assert!(!good && said.contains(part) && said.contains("htpasswd -B"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("iYjGs"), "{said}");
    }

    let (good, said) = check(setup(None), &[]).await;
    assert!(!good && said.contains("users.htpasswd does not exist"), "{said}");
    let (good, said) = check(setup(None), &["--without-files"]).await;
    assert!(good && said.contains("users.htpasswd does not exist; checked without it"), "{said}");
}
