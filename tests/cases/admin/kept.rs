//! Changes over reloads, rollbacks and restarts.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use tidegate_tests::{Admin, Gateway};

use super::{MEMBERS, PAIR, member, origins, pair, states};
use crate::running::reload;

#[tokio::test]
async fn a_reload_keeps_changes_and_shows_what_is_different() {
    let [a, b, c] = origins(["a", "b", "c"]).await;
    let mut gateway = pair(&a, &b).origin(&c).start().await;
    let admin = Admin::of(gateway.inner());
    let url = |origin: &tidegate_tests::Origin| format!("ws://{}", origin.address());
    admin.good("PATCH", &member(&a), &json!({ "state": "drain", "weight": 2 })).await;
    admin.good("POST", MEMBERS, &json!({ "url": url(&c) })).await;

    gateway.rewrite(&PAIR.replace("\"ws://{a}\"", "{ url = \"ws://{a}\", weight = 2 }"));
    reload(&gateway).await;

    let shown = admin.good("GET", "/api/v1/changes", &Value::Null).await;
    let changes = shown["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{shown}");
    assert_eq!((&changes[0]["endpoint"], &changes[0]["change"]), (&json!(url(&c)), &json!("added")));
    assert_eq!(changes[1]["file"], json!({ "state": "ready", "weight": 2.0, "group": 0 }));
    assert_eq!(changes[1]["runs"], json!({ "state": "drain", "weight": 2.0, "group": 0 }));
    let dropped = &shown["dropped"][0];
    assert_eq!((&dropped["change"], &dropped["why"]), (&json!("weight 2"), &json!("the file says so itself now")));
    assert_eq!(states(&admin).await[0], (url(&a), "drain".to_owned()));

    gateway.rewrite(&PAIR.replace("\"ws://{a}\", ", ""));
    reload(&gateway).await;
    assert_eq!(states(&admin).await.len(), 2, "b from the file, c as added");
    let undone = admin.good("DELETE", "/api/v1/changes", &Value::Null).await;
    assert_eq!(undone["changed"].as_array().unwrap().len(), 1, "{undone}");
    assert_eq!(states(&admin).await, [(url(&b), "ready".to_owned())]);
}

#[tokio::test]
async fn a_rollback_takes_a_change_back() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    admin.good("PATCH", &member(&a), &json!({ "state": "maint" })).await;

    admin.good("POST", "/api/v1/rollback", &Value::Null).await;

    assert_eq!(states(&admin).await[0].1, "ready");
    let shown = admin.good("GET", "/api/v1/changes", &Value::Null).await;
    assert_eq!(shown["changes"], json!([]));
}

#[tokio::test]
async fn a_digest_names_what_is_served() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    for state in ["drain", "maint", "drain"] {
        admin.good("PATCH", &member(&a), &json!({ "state": state })).await;
    }
    admin.good("DELETE", "/api/v1/changes", &Value::Null).await;

    let generations = admin.good("GET", "/api/v1/generations", &Value::Null).await;

    let digests: Vec<_> = generations.as_array().unwrap().iter().map(|one| one["digest"].as_str().unwrap()).collect();
    let [start, drain, maint, again, end] = digests[..] else { panic!("{digests:?}") };
    assert_eq!((start, drain), (end, again), "the same members of the same file");
    assert!(start != drain && drain != maint && maint != start, "{digests:?}");
}

#[tokio::test]
async fn a_change_needs_no_file() {
    let [a, b] = origins(["a", "b"]).await;
    let mut gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    gateway.rewrite("[gatway]\n");

    admin.good("PATCH", &member(&a), &json!({ "state": "drain" })).await;

    assert_eq!(states(&admin).await[0].1, "drain");
}

#[tokio::test]
async fn changes_survive_a_restart_if_they_are_to() {
    let [a, b, c] = origins(["a", "b", "c"]).await;
    let text = PAIR.replace("[admin]", "[admin]\npersist = \"changes.json\"");
    let setup = Gateway::configure(&text).origin(&a).origin(&b).origin(&c);
    let path = setup.write();
    let kept = path.with_file_name("changes.json");
    let build = |path: std::path::PathBuf| {
        tokio::task::spawn_blocking(move || {
            let config = tidegate::config::load(&path).unwrap();
            tidegate::gateway::Gateway::build(config)
        })
    };
    let first = build(path.clone()).await.unwrap().unwrap();
    let admin = Admin::of(&first);
    assert!(!kept.exists(), "nothing has changed yet");
    let done = admin.good("PATCH", &member(&a), &json!({ "state": "drain" })).await;
    assert_eq!(done["persisted"], true);
    admin.good("POST", MEMBERS, &json!({ "url": format!("ws://{}", c.address()), "state": "spare" })).await;
    admin.good("DELETE", &member(&b), &Value::Null).await;
    let before = states(&admin).await;
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600, "nobody else's business");
    tokio::task::spawn_blocking(|| drop(first)).await.unwrap();

    let second = build(path.clone()).await.unwrap().unwrap();

    let admin = Admin::of(&second);
    assert_eq!(states(&admin).await, before);
    assert_eq!(before.iter().map(|(_, state)| state.as_str()).collect::<Vec<_>>(), ["drain", "spare"]);
    tokio::task::spawn_blocking(|| drop(second)).await.unwrap();
    for (broken, word) in [("{ \"version\": 1, ", "no JSON"), ("{ \"version\": 9 }", "its version is 9")] {
        std::fs::write(&kept, broken).unwrap();
        let refused = build(path.clone()).await.unwrap().unwrap_err().to_string();
        assert!(refused.contains("changes.json") && refused.contains(word), "{refused}");
        assert!(refused.contains("move it away to start without runtime changes"), "{refused}");
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_not_made() {
    let [a, b] = origins(["a", "b"]).await;
    let text = PAIR.replace("[admin]", "[admin]\npersist = \"kept/changes.json\"");
    let setup = Gateway::configure(&text).origin(&a).origin(&b);
    std::fs::create_dir(setup.folder().join("kept")).unwrap();
    let gateway = setup.start().await;
    let admin = Admin::of(gateway.inner());
    std::fs::remove_dir(gateway.folder().join("kept")).unwrap();

    let answer = admin.send("PATCH", &member(&a), &json!({ "state": "drain" })).await;

    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("nothing has changed"), "{}", answer.text());
    assert_eq!(states(&admin).await[0].1, "ready");
}
