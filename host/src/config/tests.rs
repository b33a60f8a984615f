//! Every case folder in `tests/config`, every sample in `config/`, and what a configuration becomes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::*;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Walks a kind of case; `UPDATE_EXPECTED=1` writes what came out instead of comparing.
fn walk(kind: &str, outcome: impl Fn(Result<Config, FileFaults>) -> Option<String>) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for folder in fs::read_dir(top().join("tests/config").join(kind)).unwrap() {
        let folder = folder.unwrap().path();
        let Some(text) = outcome(load(&folder.join("tidegate.toml"))) else {
            wrong.push(format!("{}: not {kind}", folder.display()));
            continue;
        };
        let output = text.replace(&format!("{}/", folder.display()), "") + "\n";
        let expected = folder.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &output).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != output {
            wrong.push(format!("{}:\n{output}", folder.display()));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 10, "the case folders must be there");
}

#[test]
fn refused_cases_say_exactly_why() {
    walk("refused", |result| result.err().map(|faults| faults.to_string()));
}

#[test]
fn warned_cases_load_and_say_exactly_what() {
    walk("warned", |result| match result {
        Ok(config) if !config.warnings.is_empty() => Some(config.warnings.join("\n")),
        Ok(_) => None,
        Err(faults) => Some(faults.to_string()),
    });
}

#[test]
fn every_sample_loads_without_a_warning() {
    let mut count = 0;
    for sample in fs::read_dir(top().join("config")).unwrap() {
        let sample = sample.unwrap().path();
        // Recipes are run, each by a test of its own.
        if sample.is_dir() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(sample.file_name().unwrap());
        fs::copy(&sample, &copy).unwrap();
        for file in [
            "cert.pem",
            "key.pem",
            "more.pem",
            "more-key.pem",
            "ca.pem",
            "token",
            "my-balancer.wasm",
            "tenants.tsv",
            "lost.html",
            "sorry.html",
            "users.htpasswd",
        ] {
            fs::write(folder.path().join(file), "stands in").unwrap();
        }

        let config = load(&copy).unwrap_or_else(|faults| panic!("{faults}"));

        assert_eq!(config.warnings, Vec::<String>::new(), "{}", sample.display());
        count += 1;
    }
    assert_eq!(count, 11, "all samples must be there");
}

#[test]
fn what_a_name_does_not_say_of_client_certificates_the_listener_says() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["cert.pem", "key.pem", "ca.pem", "other.pem"] {
        fs::write(folder.path().join(file), "stands in").unwrap();
    }
    let more = |keys: &str| format!("{{ names = [\"a.example\"], certificate = 'cert.pem', key = 'key.pem'{keys} }}");
    let asked = |listener: &str, keys: &str| {
        let text = format!(
            "[[listen]]\naddress = '127.0.0.1:0'\n[listen.tls]\ncertificate = 'cert.pem'\nkey = 'key.pem'\n{listener}\n\
             more = [{}]\n",
            more(keys)
        );
        let config = parse(&text, &folder.path().join("tidegate.toml")).unwrap_or_else(|faults| panic!("{faults}"));
        let watched = config.watched_files();
        let named = config.listeners[0].tls.as_ref().unwrap().by_name[0].client_ca.clone();
        assert!(named.iter().all(|(ca, _)| watched.contains(ca)), "{keys}");
        named.map(|(ca, demand)| (ca.file_name().unwrap().to_str().unwrap().to_owned(), demand))
    };
    let (required, optional) = (ClientCertificate::Required, ClientCertificate::Optional);
    let ca = |name: &str, demand| Some((name.to_owned(), demand));

    assert_eq!(asked("", ""), None);
    assert_eq!(asked("", ", client_ca = 'other.pem'"), ca("other.pem", required));
    assert_eq!(asked("client_ca = 'ca.pem'", ""), ca("ca.pem", required));
    assert_eq!(asked("client_ca = 'ca.pem'", ", client_certificate = 'optional'"), ca("ca.pem", optional));
    let optional_listener = "client_ca = 'ca.pem'\nclient_certificate = 'optional'";
    assert_eq!(asked(optional_listener, ", client_ca = 'other.pem'"), ca("other.pem", optional));
    assert_eq!(asked(optional_listener, ", client_certificate = 'required'"), ca("ca.pem", required));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let faults = load(Path::new("/nowhere/tidegate.toml")).unwrap_err();

    assert!(faults.to_string().starts_with("/nowhere/tidegate.toml: cannot be read: "), "{faults}");
}

fn read(text: &str) -> Config {
    parse(text, Path::new("/etc/tidegate/tidegate.toml")).unwrap_or_else(|faults| panic!("{faults}"))
}

const ROUTES: &str = r#"
    [[listen]]
    address = "127.0.0.1:0"

    [[route]]
    path = "/websocket"
    hosts = ["A.example"]
    to = "balancer://Chat/websocket"
    timeouts = { connect = "1s" }

    [[route]]
    path_regex = "^/m/(.*)$"
    to = "http://B:80/mm/$1"

    [[route]]
    path = "/old"
    redirect = { to = "/new" }

    [[route]]
    path = "/ok"
    respond = { status = 200, headers = { X-A = "1" }, body = "fine" }

    [[route]]
    path = "/private"
    to = "!"

    [[route]]
    path = "/"
    to = "http://b"
    reverse = false
    upgrade = []

    [cluster.chat]
    timeouts = { connect = "2s", response = "3s" }
    endpoints = ["ws://10.0.0.1:8080", { url = "WS://10.0.0.2:8080/base/", weight = 0.5, state = "standby", group = 3 }]
"#;

#[test]
fn the_router_gets_the_routes_by_index() {
    let config = read(ROUTES);

    assert_eq!(config.router.plugin, "prefix");
    assert_eq!(
        config.router.config,
        json!({ "routes": [
            { "path": "/websocket", "hosts": ["a.example"], "action": { "forward": { "cluster": "chat", "path": "/websocket" } } },
            { "path_regex": "^/m/(.*)$", "action": { "forward": { "cluster": "http://b", "path": "/mm/$1" } } },
            { "path": "/old", "action": { "redirect": { "to": "/new", "status": 302 } } },
            { "path": "/ok", "action": { "respond": { "status": 200, "headers": [["x-a", "1"]], "body": "fine" } } },
            { "path": "/private", "action": "exclude" },
            { "path": "/", "action": { "forward": { "cluster": "http://b", "path": "/" } } },
        ] })
    );
    assert_eq!(config.routes.len(), 6);
}

#[test]
fn the_router_gets_what_else_has_to_hold() {
    let listen = "address = \"127.0.0.1:0\"\n    name = \"plain\"";
    let conditions = r#"hosts = ["A.example"]
        listen = ["plain"]
        scheme = "http"
        when = { methods = ["GET"], clients = ["10.0.0.0/8", "::1"], upgrade = true, headers = { X-Beta = "1", Accept = { regex = "^a" } }, query = { v = { not = "2" }, w = { present = true } } }
    "#;
    let text = ROUTES.replace("address = \"127.0.0.1:0\"", listen);
    let config = read(&text.replace(r#"hosts = ["A.example"]"#, conditions));

    assert_eq!(
        config.router.config["routes"][0]["when"],
        json!({
            "listeners": ["plain"], "scheme": "http", "methods": ["GET"], "clients": ["10.0.0.0/8", "::1/128"],
            "headers": { "x-beta": { "is": "1" }, "accept": { "regex": "^a" } },
            "query": { "v": { "not": "2" }, "w": { "present": true } },
            "upgrade": true, "protocols": ["websocket"],
        })
    );
    assert_eq!(config.router.config["routes"][1].get("when"), None);
}

#[test]
fn hosts_are_spelt_as_requests_carry_them() {
    let hosts = r#"hosts = ["A.example.", "*.B.example.", "::1", "[2001:DB8:0::1]"]"#;
    let config = read(&ROUTES.replace(r#"hosts = ["A.example"]"#, hosts));

    let expected = json!(["a.example", "*.b.example", "[::1]", "[2001:db8::1]"]);
    assert_eq!(config.router.config["routes"][0]["hosts"], expected);
}

#[test]
fn the_rewriter_gets_what_can_be_mapped_back() {
    let config = read(ROUTES);

    let origins = ["ws://10.0.0.1:8080", "ws://10.0.0.2:8080/base"];
    let first = json!({ "path": "/websocket", "to_path": "/websocket", "origins": origins });
    assert_eq!(config.rewriter.config, json!({ "routes": [first, null, null, null, null, null] }));
}

#[test]
fn clusters_carry_what_was_said() {
    let config = read(ROUTES);

    let names: Vec<_> = config.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    assert_eq!(names, ["chat", "http://b"], "two routes to one origin share its cluster");
    let second = &config.clusters[0].endpoints[1];
    assert_eq!((second.weight, second.group, second.state), (50, 3, EndpointState::Standby));
    assert_eq!(second.base_path, "/base");
    let timeouts = config.routes[0].timeouts;
    assert_eq!(timeouts.connect, Duration::from_secs(1), "the route's own");
    assert_eq!(timeouts.response, Duration::from_secs(3), "the cluster's");
    assert_eq!(timeouts.tunnel_idle, Duration::from_secs(3600), "the gateway's");
    assert_eq!(config.routes[5].upgrade, UpgradeConfig::Only(Vec::new()));
}

#[test]
fn a_custom_router_sees_the_routes_unless_it_has_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.wat"), "").unwrap();
    let source = folder.path().join("tidegate.toml");
    let text = |config: &str, own: &str| {
        format!("{ROUTES}\n[router]\nplugin = 'mine'\n{own}\n[plugin.mine]\nfile = 'mine.wat'\n{config}\n")
    };

    let bare = parse(&text("", ""), &source).unwrap();
    let plugin = parse(&text("config = { a = 1 }", ""), &source).unwrap();
    let own = parse(&text("config = { a = 1 }", "config = { b = [2.5, 1979-05-27] }"), &source).unwrap();

    assert_eq!(bare.router.config["routes"].as_array().unwrap().len(), 6);
    assert_eq!(plugin.router.config, json!({ "a": 1 }));
    assert_eq!(own.router.config, json!({ "b": [2.5, "1979-05-27"] }));
    assert_eq!(own.watched_files(), [folder.path().join("mine.wat"), source]);
}

#[test]
fn what_cannot_be_written_to_is_refused_and_what_can_be_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder")).unwrap();
    std::os::unix::fs::symlink(path("loop"), path("loop")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());

    for (access, fault) in [
        ("folder", Some("is a folder")),
        ("socket", Some("is a socket")),
        ("loop", Some("symbolic links")),
        ("none/access.log", Some("does not exist")),
        ("access.log", None),
        ("fifo", None),
        ("/dev/null", None),
    ] {
        fs::write(path("t.toml"), format!("[[listen]]\naddress = \"127.0.0.1:0\"\n[log]\naccess = \"{access}\"\n"))
            .unwrap();

        let found = load(&path("t.toml")).err().map(|faults| faults.to_string());

        assert_eq!(found.is_some(), fault.is_some(), "{access}: {found:?}");
        assert!(found.unwrap_or_default().contains(fault.unwrap_or_default()), "{access}");
    }
}

#[test]
fn a_balancer_without_a_configuration_gets_none() {
    let config = read("[[listen]]\naddress = '127.0.0.1:0'\n[[route]]\npath = '/'\nto = 'ws://127.0.0.1:1'\n");

    assert_eq!(config.clusters[0].balancer.config.to_string(), "null");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_answered_and_never_panics() {
    let text = fs::read_to_string(top().join("config/reference.toml")).unwrap();

    for end in (0..text.len()).step_by(5).filter(|end| text.is_char_boundary(*end)) {
        if let Err(faults) = parse(&text[..end], Path::new("/nowhere/tidegate.toml")) {
            assert!(!faults.faults.is_empty(), "a refusal says why, cut at {end}");
        }
    }
}
