use std::path::Path;

use serde_json::json;

use super::*;
use crate::config::{Config, EndpointState, MemberChange, parse};

fn file(endpoints: &str) -> Config {
    let text = format!(
        "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://chat/\"\n\
         [cluster.chat]\nendpoints = {endpoints}\n"
    );
    parse(&text, Path::new("/x/t.toml")).unwrap()
}

const TWO: &str = r#"["ws://10.0.0.1", "ws://10.0.0.2"]"#;

fn add(body: serde_json::Value) -> Edit {
    Edit::add(body.to_string().as_bytes(), Path::new("")).unwrap()
}

fn set(url: &str, body: serde_json::Value) -> Edit {
    Edit::set(url, body.to_string().as_bytes()).unwrap()
}

fn after(file: &Config, edits: &[Edit]) -> Changes {
    edits.iter().fold(Changes::default(), |changes, edit| {
        let used = changes.apply(file).config;
        let edited = changes.edited(file, &used, "chat", edit).unwrap();
        edited.apply(file).changes
    })
}

/// `URL state weight group`, one a member.
fn members(config: &Config) -> Vec<String> {
    let one = |endpoint: &EndpointConfig| {
        format!("{} {} {} {}", &endpoint.url[5..], endpoint.state.as_str(), endpoint.weight, endpoint.group)
    };
    config.clusters[0].endpoints.iter().map(one).collect()
}

#[test]
fn members_come_go_and_change() {
    let file = file(TWO);
    let changes = after(
        &file,
        &[
            set("ws://10.0.0.1", json!({ "state": "drain", "weight": 0.5 })),
            add(json!({ "url": "ws://10.0.0.3", "group": 2 })),
            Edit::Remove("ws://10.0.0.2".to_owned()),
            set("WS://10.0.0.3:80/", json!({ "group": 3 })),
        ],
    );

    let applied = changes.apply(&file);

    assert_eq!(members(&applied.config), ["10.0.0.1 drain 50 0", "10.0.0.3 ready 100 3"]);
    assert!(applied.dropped.is_empty(), "{:?}", applied.dropped);
    assert_eq!(changes.count(), 4);
    let routes = applied.config.rewriter.config["routes"][0]["origins"].clone();
    assert_eq!(routes, json!(["ws://10.0.0.1", "ws://10.0.0.2", "ws://10.0.0.3"]), "responses are mapped back");
    let undone = changes.edited(&file, &applied.config, "chat", &Edit::Undo(None)).unwrap();
    assert_eq!(undone.apply(&file).config, file);
    let one = changes.edited(&file, &applied.config, "chat", &Edit::Undo(Some("ws://10.0.0.2".into()))).unwrap();
    assert_eq!(one.apply(&file).config.clusters[0].endpoints.len(), 3);
}

#[test]
fn endpoints_without_tls_do_not_come_where_the_protocol_is_negotiated() {
    let negotiated = |endpoints: &str| {
        let text = format!(
            "[[listen]]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/\"\nto = \"balancer://chat/\"\n\
             [cluster.chat]\nprotocol = \"auto\"\nendpoints = {endpoints}\n"
        );
        parse(&text, Path::new("/x/t.toml")).unwrap()
    };
    let plain = add(json!({ "url": "ws://10.0.0.3" }));
    let before = after(&file(TWO), std::slice::from_ref(&plain));
    let now = negotiated(r#"["wss://10.0.0.1"]"#);

    let refused = Changes::default().edited(&now, &now, "chat", &plain).unwrap_err();
    let applied = before.apply(&now);

    assert!(matches!(refused, ChangeError::Plain { .. }), "{refused}");
    assert_eq!(members(&applied.config).len(), 1, "one that was added before is given up");
    assert_eq!(applied.dropped.len(), 1);
    assert!(applied.dropped[0].why.contains("TLS"), "{:?}", applied.dropped);
}

#[test]
fn null_takes_a_setting_back_and_what_the_file_says_is_no_change() {
    let file = file(TWO);
    let drained = after(&file, &[set("ws://10.0.0.1", json!({ "state": "drain", "weight": 3 }))]);

    let used = drained.apply(&file).config;
    let back = drained.edited(&file, &used, "chat", &set("ws://10.0.0.1", json!({ "state": null }))).unwrap();
    assert_eq!(members(&back.apply(&file).config)[0], "10.0.0.1 ready 300 0");
    assert!(after(&file, &[set("ws://10.0.0.1", json!({ "state": "ready" }))]).is_empty());
}

#[test]
fn what_cannot_be_is_refused() {
    let file = file(TWO);
    let changes = after(&file, &[Edit::Remove("ws://10.0.0.2".to_owned())]);
    let used = changes.apply(&file).config;
    let refused = |cluster: &str, edit: &Edit| changes.edited(&file, &used, cluster, edit).unwrap_err();

    assert!(matches!(refused("chat", &Edit::Remove("ws://10.0.0.1".into())), ChangeError::Last { .. }));
    assert!(matches!(refused("chat", &add(json!({ "url": "ws://10.0.0.1:80" }))), ChangeError::Present { .. }));
    let ChangeError::NoEndpoint { known, .. } = refused("chat", &set("ws://10.0.0.9", json!({ "group": 1 }))) else {
        panic!("it is not there");
    };
    assert_eq!(known, ["ws://10.0.0.1"]);
    let ChangeError::NoCluster { known, .. } = refused("chta", &Edit::Undo(None)) else { panic!("nor is this") };
    assert_eq!(known, ["chat"]);
}

#[test]
fn a_new_file_drops_what_it_says_itself_and_what_has_nothing_to_change_any_more() {
    let old = file(TWO);
    let changes = after(
        &old,
        &[
            set("ws://10.0.0.1", json!({ "state": "drain", "weight": 2 })),
            add(json!({ "url": "ws://10.0.0.3", "weight": 2 })),
            Edit::Remove("ws://10.0.0.2".to_owned()),
        ],
    );
    let table: [(&str, &[&str], &[&str]); 4] = [
        (
            r#"[{ url = "ws://10.0.0.1", state = "drain" }, "ws://10.0.0.2"]"#,
            &["10.0.0.1 drain 200 0", "10.0.0.3 ready 200 0"],
            &["ws://10.0.0.1 state drain"],
        ),
        (
            r#"["ws://10.0.0.1", { url = "ws://10.0.0.3", weight = 3 }]"#,
            &["10.0.0.1 drain 200 0", "10.0.0.3 ready 200 0"],
            &["ws://10.0.0.2 removed", "ws://10.0.0.3 added"],
        ),
        (
            r#"["ws://10.0.0.9"]"#,
            &["10.0.0.9 ready 100 0", "10.0.0.3 ready 200 0"],
            &["ws://10.0.0.1 state drain", "ws://10.0.0.1 weight 2", "ws://10.0.0.2 removed"],
        ),
        (TWO, &["10.0.0.1 drain 200 0", "10.0.0.3 ready 200 0"], &[]),
    ];
    for (endpoints, expected, dropped) in table {
        let applied = changes.apply(&file(endpoints));

        assert_eq!(members(&applied.config), expected, "{endpoints}");
        let mut gone: Vec<_> = applied.dropped.iter().map(|one| format!("{} {}", one.url, one.what)).collect();
        gone.sort();
        assert_eq!(gone, dropped, "{endpoints}");
        assert!(applied.changes.apply(&file(endpoints)).dropped.is_empty(), "what holds, holds: {endpoints}");
    }
    let other = parse("[[listen]]\naddress = \"127.0.0.1:0\"\n", Path::new("/x/t.toml")).unwrap();
    let applied = changes.apply(&other);
    assert!(applied.changes.is_empty());
    assert_eq!(applied.dropped.len(), 4);
}

#[test]
fn a_cluster_is_never_left_empty() {
    let changes = after(&file(TWO), &[Edit::Remove("ws://10.0.0.2".to_owned())]);

    let applied = changes.apply(&file(r#"["ws://10.0.0.2"]"#));

    assert_eq!(members(&applied.config), ["10.0.0.2 ready 100 0"]);
    assert_eq!(applied.dropped.len(), 1);
}

#[test]
fn a_file_keeps_changes_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.json");
    assert_eq!(Changes::load(&path, folder.path()).unwrap(), Changes::default(), "no file, no changes");
    let changes = after(
        &file(TWO),
        &[
            set("ws://10.0.0.1", json!({ "state": "standby", "weight": 0.07, "group": 9 })),
            add(json!({
                "url": "wss://_chat._tcp.example.com", "route": "c", "labels": { "rack": "b" }, "max_connections": 5,
            })),
            add(json!({ "url": "ws://app:8080", "discover": "off", "state": "spare" })),
            add(json!({ "url": "ws://10.0.0.4", "route": "d", "redirect": "c", "ignore_errors": true })),
            Edit::Remove("ws://10.0.0.2".to_owned()),
        ],
    );

    changes.store(&path).unwrap();

    assert_eq!(Changes::load(&path, folder.path()).unwrap(), changes);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["changes.json"], "nothing is left beside it");
    let nowhere = folder.path().join("none").join("changes.json");
    assert!(changes.store(&nowhere).unwrap_err().to_string().contains("cannot be written"));
}

#[test]
fn an_added_member_can_be_all_that_one_of_the_file_can() {
    let Edit::Add(added) = add(json!({ "url": "ws://10.0.0.4", "redirect": "c", "ignore_errors": true })) else {
        panic!("it adds");
    };
    assert_eq!((added.redirect.as_deref(), added.ignore_errors), (Some("c"), true));

    for (body, word) in [
        (json!({ "url": "ws://a", "redirect": "" }), "`redirect` has 0 bytes, expected 1 to 63"),
        (json!({ "url": "ws://a", "redirect": 7 }), "`redirect` is a number, expected text"),
        (json!({ "url": "ws://a", "route": "r", "redirect": "r" }), "the endpoint's own route"),
        (json!({ "url": "ws://a", "ignore_errors": "yes" }), "`ignore_errors` is text, expected true or false"),
    ] {
        let fault = Edit::add(body.to_string().as_bytes(), Path::new("")).unwrap_err();
        assert!(fault.message.contains(word), "{body}: {fault}");
    }
}

#[test]
fn a_file_that_is_not_understood_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.json");
    for (text, word) in [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[]", "`version` is missing"),
        (r#"{"clusters":{}}"#, "`version` is missing"),
        (r#"{"version":2,"clusters":{"a":7}}"#, "its version is 2"),
        (r#"{"version":"1"}"#, "its version is \"1\""),
        (r#"{"version":1,"cluster":{}}"#, "unknown key `cluster`"),
        (r#"{"version":1,"clusters":{"a":{"added":[{"url":"x"}]}}}"#, "cluster `a`"),
        (r#"{"version":1,"clusters":{"a":{"added":[{"url":"ws://a"},{"url":"ws://a"}]}}}"#, "added twice"),
        (r#"{"version":1,"clusters":{"a":{"changed":{"ws://a":{"state":"of"}}}}}"#, "expected one of"),
        (r#"{"version":1,"clusters":{"a":{"removed":[7]}}}"#, "no text"),
    ] {
        std::fs::write(&path, text).unwrap();

        let error = Changes::load(&path, folder.path()).unwrap_err().to_string();

        assert!(error.contains(word) && error.contains("changes.json"), "{text}: {error}");
        assert!(error.contains("move it away"), "{text}: {error}");
    }
}

#[test]
fn addresses_of_names_are_changed_but_not_kept_nor_removed() {
    let file = file(r#"["ws://app", "ws://10.0.0.1"]"#);
    let mut used = file.clone();
    let name = used.clusters[0].endpoints[0].clone();
    used.clusters[0].endpoints[0] =
        EndpointConfig { url: "ws://10.0.0.7".to_owned(), found_by: Some(name.url.clone()), ..name };
    let none = Changes::default();

    let refused = none.edited(&file, &used, "chat", &Edit::Remove("ws://10.0.0.7".into())).unwrap_err();
    assert!(matches!(refused, ChangeError::Found { .. }), "{refused}");
    let edit = set("ws://10.0.0.7", json!({ "state": "maint" }));
    let changes = none.edited(&file, &used, "chat", &edit).unwrap().apply(&file).changes;

    let found = changes.of_found("chat", used.clusters[0].endpoints[0].clone());
    assert_eq!(found.state, EndpointState::Maint);
    assert!(!changes.list(&file, &used)[0].lasting);
    assert_eq!(changes.written()["clusters"], json!({}), "addresses are never written");
}

#[test]
fn differences_are_told_in_words() {
    let old = file(TWO);
    let new = after(&old, &[set("ws://10.0.0.1", json!({ "state": "drain", "group": 1, "weight": 2 }))]);
    let new = new.apply(&old).config;

    let told: Vec<_> = MemberChange::between(&old, &new).iter().map(ToString::to_string).collect();

    assert_eq!(told, ["chat ws://10.0.0.1 state ready to drain group 0 to 1 weight 1 to 2"]);
}
