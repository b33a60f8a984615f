//! The binary as a person meets it: exit codes, and what is said.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

fn tidegate(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_tidegate")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_demo_plays_to_its_end() {
    let folder = tempfile::tempdir().unwrap();

    let (code, said, complained) = tidegate(&["demo", "--once", "--log", "off"], folder.path());

    assert_eq!(code, Some(0), "{said}\n{complained}");
    assert_eq!(said.matches("6 of 6 websockets are still open").count(), 3, "{said}");
    assert!(said.contains("refused; generation 2 goes on serving"), "{said}");
    assert_eq!(complained, "");
}

#[test]
fn without_arguments_it_helps() {
    let (code, _, help) = tidegate(&[], Path::new("."));

    assert_eq!(code, Some(2), "wrong usage");
    assert!(help.contains("tidegate demo"), "{help}");
}

#[test]
fn a_missing_configuration_is_refused_with_the_way_on() {
    let folder = tempfile::tempdir().unwrap();

    for command in ["run", "check"] {
        let (code, _, told) = tidegate(&[command], folder.path());

        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("tidegate.toml: there is no such file") && told.contains("[[listen]]"), "{told}");
    }
}

#[test]
fn check_tells_warnings_and_what_would_be_served() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("tidegate.toml"),
        "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/a/\"\nto = \"http://127.0.0.1:9\"\n\
         [cluster.spare]\nendpoints = [\"http://127.0.0.1:9\"]\n",
    )
    .unwrap();

    let (code, said, told) = tidegate(&["check"], folder.path());

    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains("good: 1 listeners"), "{said}");
    assert!(told.contains("warning: tidegate.toml:6:10: cluster `spare` is not used"), "{told}");
}

#[test]
fn plugin_check_says_what_a_file_is_or_why_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.wat"), include_str!("../src/cli/demo/last.wat")).unwrap();
    std::fs::write(folder.path().join("bad.wat"), "(module)").unwrap();

    let (code, said, told) = tidegate(&["plugin", "check", "good.wat"], folder.path());
    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains("balancer") && said.contains("sha256"), "{said}");

    let (code, _, told) = tidegate(&["plugin", "check", "bad.wat"], folder.path());
    assert_eq!(code, Some(1));
    assert!(told.contains("expected an export"), "{told}");

    let (code, _, told) = tidegate(&["plugin", "check", "good.wat", "--config", "{"], folder.path());
    assert_eq!(code, Some(2), "wrong usage: {told}");
}

#[test]
fn plugin_check_ends_with_1_where_a_test_of_the_contract_fails() {
    let folder = tempfile::tempdir().unwrap();
    let last = include_str!("../src/cli/demo/last.wat");
    // Refuses whoever is not alone once there are so many that no self-test offers them.
    let bad = last.replacen(
        "(i32.store8 (i32.const 16) (i32.const 1))",
        "(i32.store8 (i32.const 16) (i32.lt_u (local.get $count) (i32.const 1000)))",
        1,
    );
    assert_ne!(bad, last);
    std::fs::write(folder.path().join("bad.wat"), bad).unwrap();

    let (code, said, told) = tidegate(&["plugin", "check", "bad.wat"], folder.path());
    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains("not there: describe") || said.contains("not there: feedback"), "{said}");

    let (code, said, told) = tidegate(&["plugin", "check", "--conformance", "bad.wat"], folder.path());
    assert_eq!(code, Some(1), "{said}{told}");
    assert!(said.contains("FAILED  balancer: 4,096 endpoints") && said.contains(", 1 failed,"), "{said}");

    let (code, said, _) = tidegate(&["plugin", "check", "--json", "bad.wat"], folder.path());
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["trials"][0]["role"]), (Some(0), &serde_json::json!("balancer")), "{said}");
}

#[test]
fn plugin_check_takes_what_a_section_would_say() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.wat"), include_str!("../src/cli/demo/last.wat")).unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    let check = |options: &[&str]| tidegate(&[&["plugin", "check", "good.wat"], options].concat(), folder.path());

    let (code, said, told) = check(&[
        "--config",
        "@config.json",
        "--memory",
        "1MiB",
        "--deadline",
        "5ms",
        "--allow",
        "",
        "--role",
        "balancer",
    ]);
    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains("of 1.0 MiB") && said.contains("decisions a second for one cluster"), "{said}");

    let (code, _, told) = check(&["--role", "router"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("expected a router, found a balancer"), "{told}");
    for (option, value) in
        [("--memory", "1KiB"), ("--deadline", "0s"), ("--allow", "logs"), ("--role", "king"), ("--config", "@none")]
    {
        let (code, _, told) = check(&[option, value]);
        assert_eq!(code, Some(2), "wrong usage: {told}");
        assert!(told.contains("expected"), "{told}");
    }
}

#[test]
fn plugin_inspect_runs_nothing_and_compares_versions() {
    let folder = tempfile::tempdir().unwrap();
    let last = include_str!("../src/cli/demo/last.wat");
    let endless = last.replacen("(module", "(module (func $start (loop (br 0))) (start $start)", 1);
    std::fs::write(folder.path().join("last.wat"), last).unwrap();
    std::fs::write(folder.path().join("endless.wat"), endless).unwrap();

    let (code, said, told) = tidegate(&["plugin", "inspect", "endless.wat"], folder.path());
    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains(".wat text") && said.contains("roles       balancer"), "{said}");

    let (code, said, _) = tidegate(&["plugin", "inspect", "endless.wat", "--against", "last.wat"], folder.path());
    assert_eq!(code, Some(0));
    assert!(said.contains("bytes (+"), "{said}");

    let (code, _, told) = tidegate(&["plugin", "inspect", "."], folder.path());
    assert_eq!(code, Some(1));
    assert!(told.contains("name the .wasm or .wat file itself"), "{told}");
}

#[test]
fn plugin_new_writes_a_crate_once() {
    let folder = tempfile::tempdir().unwrap();

    let (code, said, told) = tidegate(&["plugin", "new", "my-balancer"], folder.path());
    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains("my-balancer.wasm"), "{said}");
    assert!(folder.path().join("my-balancer/sdk/wit/v0.1/balancer.wit").exists());

    let (code, _, told) = tidegate(&["plugin", "new", "my-balancer"], folder.path());
    assert_eq!(code, Some(1), "what is there is not overwritten");
    assert!(told.contains("not empty"), "{told}");
}

#[test]
fn every_shell_gets_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = tidegate(&["completions", shell], Path::new("."));

        assert_eq!(code, Some(0));
        assert!(script.contains("tidegate"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn more_connections_than_descriptors_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[listen]]\naddress = \"127.0.0.1:0\"\nlimits = { connections = 400 }\n\
                [[route]]\npath = \"/\"\nrespond = { status = 204 }\n";
    std::fs::write(folder.path().join("tidegate.toml"), text).unwrap();
    let check = |descriptors: u32| {
        // The shell's limit is inherited.
        let limited = format!("ulimit -n {descriptors} && exec \"$0\" check");
        let output =
            Command::new("sh").args(["-c", &limited, env!("CARGO_BIN_EXE_tidegate")]).current_dir(&folder).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };

    let (few, enough) = (check(500), check(800));

    assert_eq!((few.0, enough), (Some(0), (Some(0), String::new())), "{}", few.1);
    assert!(few.1.contains("400 clients, which take 800") && few.1.contains("to 250 in all"), "{}", few.1);
}

#[test]
fn what_this_user_may_not_read_is_refused_by_an_import_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode| std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::create_dir_all(path("apache2/sites-enabled")).unwrap();
    std::fs::write(path("apache2/sites-enabled/a.conf"), "Listen 8080\nProxyPass / http://127.0.0.1:9/\n").unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_tidegate"), path("tidegate")).unwrap();
    let import = || {
        let mut command = Command::new(path("tidegate"));
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            // Root may read everything.
            command.uid(65534).gid(65534);
        }
        let Output { status, stderr, .. } = command.args(["import", "apache"]).arg(path("apache2")).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    mode(".", 0o755);
    assert_eq!(import().0, Some(0), "{}", import().1);

    let denied =
        |said: &str| said.contains("Permission denied") && said.contains("do: import as a user that may read it");
    for closed in ["apache2/sites-enabled/a.conf", "apache2/sites-enabled"] {
        mode(closed, 0o000);
        let (code, said) = import();
        assert!(code == Some(1) && said.contains(&format!("{closed}:1: refused: ")) && denied(&said), "{said}");

        // As the main file names them.
        std::fs::write(path("apache2/apache2.conf"), "Listen 80\nIncludeOptional sites-enabled/*.conf\n").unwrap();
        let (code, said) = import();
        assert!(code == Some(1) && said.contains("apache2.conf:2: refused: Include: `") && denied(&said), "{said}");
        std::fs::remove_file(path("apache2/apache2.conf")).unwrap();
        mode(closed, 0o755);
    }
}
