//! What `tidegate plugin check`, `bench` and `dev` give a plugin: its table, its secrets, the clusters that it names.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tidegate_tests::Process;
use tidegate_tests::guests::wat;

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn guest(name: &str) -> String {
    fs::read_to_string(wat(name)).unwrap()
}

/// Exit code, and all that `tidegate plugin` says. Where an argument has `@`, a file of the folder is meant.
async fn plugin(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let at = format!("{}/", folder.display());
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.replace('@', &at)).collect();
    let words: Vec<_> = ["plugin"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let mut process = Process::start(&words);
    let status = process.ended().await;
    (status.code().unwrap(), [process.stdout(), process.stderr()].concat().join("\n"))
}

/// A router that traps if the table has the path without its first "/".
fn traps_at_a_key() -> String {
    let text = guest("lookup");
    let found = "(if (i32.load8_u (i32.const 32))\n      (then";
    assert!(text.contains(found));
    text.replace(found, &format!("{found} unreachable"))
}

#[tokio::test]
async fn a_plugin_finds_in_its_trial_what_is_in_the_table_and_its_want_of_one_is_said() {
    let files =
        [("p.wat", traps_at_a_key()), ("mine.tsv", "b\tc\nother\td\n".to_owned()), ("key.tsv", "a\tb\n".to_owned())];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&[&files[..], &[("first.wat", &guest("first"))]].concat());

    for (arguments, code, said) in [
        (&["check", "@p.wat"][..], 0, "table       empty; --table FILE gives it one"),
        (&["check", "@p.wat"], 0, "warning: it imports `table` and was given an empty one, in which it finds nothing"),
        (&["check", "@p.wat", "--table", "@mine.tsv"], 0, "mine.tsv, 2 keys"),
        (&["check", "@p.wat", "--table", "@key.tsv"], 1, "with the request POST /a"),
        (&["bench", "@p.wat"], 0, "router: it imports `table` and was given an empty one"),
        (&["bench", "@p.wat", "--table", "@key.tsv"], 1, "with the request POST /a"),
        (
            &["check", "@first.wat", "--table", "@mine.tsv"],
            0,
            "warning: it does not import `table`, and so does not look",
        ),
    ] {
        let (found, text) = plugin(folder.path(), arguments).await;

        assert!(found == code && text.contains(said), "{arguments:?}: {found}: {text}");
    }
}

#[tokio::test]
async fn a_broken_table_or_secret_is_refused_with_its_sentence() {
    let tell = guest("tell");
    let folder = folder(&[("p.wat", &tell), ("bad.tsv", "a\tb\nc\n"), ("void.txt", "\n"), ("key.txt", "hunter2\n")]);

    for (arguments, code, said) in [
        (&["--table", "@none.tsv"][..], 1, "none.tsv: No such file"),
        (&["--table", "@bad.tsv"], 1, "bad.tsv: line 2 has no TAB, expected a key, a TAB and a value"),
        (&["--secret", "key=@none.txt"], 1, "secret `key`: "),
        (&["--secret", "key=@void.txt"], 1, "void.txt: it is empty, expected a secret"),
        (&["--secret", "key"], 2, "expected the key of a secret, = and the name of its file"),
        (&["--secret", "routes=@key.txt"], 2, "a secret `routes` would take the place of the [[route]] list"),
        (&["--secret", "a=@key.txt", "--secret", "a=@void.txt"], 1, "two files are given for the secret `a`"),
        (
            &["--config", "{\"a\":1}", "--secret", "a=@key.txt"],
            1,
            "`a` is in the configuration and among the secrets, expected one of them",
        ),
        (&["--config", "7", "--secret", "a=@key.txt"], 1, "the configuration is no object, expected one, which gets"),
        (&["--cluster", ""], 2, "bad cluster name \"\""),
        (&["--cluster", "a", "--cluster", "a"], 1, "cluster `a` is named twice"),
        (&["--cluster", "a b"], 2, "bad cluster name \"a b\""),
    ] {
        for command in ["check", "bench"] {
            let (found, text) = plugin(folder.path(), &[&[command, "@p.wat"], arguments].concat()).await;

            assert!(found == code && text.contains(said), "{command} {arguments:?}: {found}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_secret_reaches_configure_and_nobody_who_reads() {
    let folder = folder(&[("p.wat", &guest("tell")), ("key.txt", "hunter2\n")]);

    let (code, text) = plugin(folder.path(), &["check", "@p.wat", "--secret", "key=@key.txt"]).await;

    assert!(code == 0 && text.contains(r#""key":"[secret]""#) && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_router_is_tried_with_the_clusters_that_are_named_and_a_refusal_says_how() {
    let folder = folder(&[]);
    fs::write(folder.path().join("p.wasm"), tidegate::gateway::shipped("prefix").unwrap()).unwrap();
    let routes = r#"{"routes":[{"path":"/","action":{"forward":{"cluster":"new","path":"/"}}}]}"#;
    let tried = |command: &'static str, named: &'static [&'static str]| {
        let folder = folder.path();
        async move { plugin(folder, &[&[command, "@p.wasm", "--config", routes], named].concat()).await }
    };

    for command in ["check", "bench"] {
        let (refused, text) = tried(command, &[]).await;
        let hint = "hint: it was tried without secrets (--secret KEY=FILE) and with the one cluster `chat` (--cluster NAME, \
                    once for each that it names)";
        assert!(refused == 1 && text.contains(hint), "{command}: {text}");

        let (found, text) = tried(command, &["--cluster", "old", "--cluster", "New"]).await;
        assert!(found == 0 && !text.contains("hint"), "{command}: {text}");
    }
    let (_, text) = tried("check", &["--cluster", "old", "--cluster", "New"]).await;
    assert!(text.contains("configured with 2 clusters"), "{text}");
    let (_, text) = tried("check", &["--cluster", "New"]).await;
    assert!(text.contains("configured with a cluster `new`"), "{text}");
    let (code, text) = tried("check", &["--conformance", "--cluster", "New"]).await;
    assert!(code == 0 && text.contains("passed  router: many clusters"), "{text}");
}
