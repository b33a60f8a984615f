//! Calls that change nothing, and say why.

use serde_json::{Value, json};
use tidegate_tests::{Admin, Gateway};

use super::{MEMBERS, PAIR, member, origins, pair, states};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_there_is() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    let url = format!("ws://{}", a.address());
    let drain = json!({ "state": "drain" });

    let nobody = "/api/v1/clusters/pare/endpoints?url=ws://x";
    for (method, path, body, status, word) in [
        ("PATCH", nobody.to_owned(), drain.clone(), 404, "\"pair\""),
        ("PATCH", format!("{MEMBERS}?url=ws://10.0.0.9"), drain.clone(), 404, url.as_str()),
        ("PATCH", MEMBERS.to_owned(), drain, 400, "`url` is missing"),
        ("PATCH", member(&a), json!({ "state": "darin" }), 400, "did you mean `drain`?"),
        ("PATCH", member(&a), json!({ "wieght": 2 }), 400, "did you mean `weight`?"),
        ("PATCH", member(&a), json!({ "weight": 0.001 }), 400, "0.01 to 100"),
        ("PATCH", member(&a), json!({ "weight": "2" }), 400, "0.01 to 100"),
        ("PATCH", member(&a), json!({ "group": 100 }), 400, "0 to 99"),
        ("PATCH", member(&a), json!([]), 400, "expected an object"),
        ("POST", MEMBERS.to_owned(), json!({ "url": url }), 409, "already"),
        ("POST", MEMBERS.to_owned(), json!({ "url": "ftp://x" }), 400, "unknown scheme"),
        ("POST", MEMBERS.to_owned(), json!({ "weight": 1 }), 400, "`url` is missing"),
        ("POST", MEMBERS.to_owned(), json!({ "url": "ws://10.0.0.1", "discover": "srv" }), 400, "names no host"),
        ("DELETE", format!("{MEMBERS}?url=ws://10.0.0.9"), Value::Null, 404, url.as_str()),
        ("DELETE", "/api/v1/changes?cluster=pair&url=ws://10.0.0.9".to_owned(), Value::Null, 404, "known"),
        ("POST", format!("{MEMBERS}/reset?url=ws://10.0.0.9"), Value::Null, 404, url.as_str()),
        ("PUT", MEMBERS.to_owned(), Value::Null, 405, "PATCH"),
    ] {
        let answer = admin.send(method, &path, &body).await;

        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        assert!(answer.text().contains(word), "{method} {path} {body}: {}", answer.text());
    }
    admin.good("DELETE", &member(&b), &Value::Null).await;
    let last = admin.send("DELETE", &member(&a), &Value::Null).await;
    assert_eq!(last.status, 409);
    assert!(last.text().contains("last endpoint"), "{}", last.text());
    assert_eq!(gateway.inner().generation().id(), 2, "one change was made");
}

#[tokio::test]
async fn garbage_changes_nothing() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    let deep = [b"[".repeat(60_000), b"]".repeat(5_000)].concat();
    let long = b" ".repeat(70_000);

    for (body, status) in [
        (&b""[..], 400),
        (b"{", 400),
        (b"\xff\xfe\x00", 400),
        (b"null", 400),
        (b"{\"state\":\"drain\"}{}", 400),
        (&deep, 400),
        (&long, 413),
    ] {
        let answer = admin.exactly("PATCH", &member(&a), &[JSON], body).await;

        assert_eq!(answer.status, status, "{:?}: {}", body.get(..20).unwrap_or(body), answer.text());
    }
    assert_eq!(gateway.inner().generation().id(), 1);
}

#[tokio::test]
async fn pages_and_strangers_cannot_write() {
    let [a, b] = origins(["a", "b"]).await;
    let text = PAIR.replace("[admin]", "[admin]\ntoken_file = \"token\"");
    let gateway = Gateway::configure(&text).origin(&a).origin(&b).file("token", "secret\n").start().await;
    let admin = Admin::of(gateway.inner());
    let token = ("authorization", "Bearer secret");
    let body = br#"{"state":"drain"}"#;

    for (fields, status) in [
        (vec![JSON], 401),
        (vec![JSON, ("authorization", "Bearer secrets")], 401),
        (vec![token], 415),
        (vec![token, ("content-type", "text/plain")], 415),
        (vec![token, JSON, ("origin", "https://attacker.example")], 403),
        (vec![token, JSON, ("origin", "null")], 403),
        (vec![token, JSON, ("sec-fetch-site", "cross-site")], 403),
        (vec![token, JSON, ("sec-fetch-site", "same-site")], 403),
    ] {
        let answer = admin.exactly("PATCH", &member(&a), &fields, body).await;

        assert_eq!(answer.status, status, "{fields:?}: {}", answer.text());
    }
    assert_eq!(gateway.inner().generation().id(), 1);
    assert_eq!(admin.exactly("PATCH", &member(&a), &[token, JSON], body).await.status, 200);
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    admin.good("PATCH", &member(&a), &json!({ "state": "drain" })).await;

    let again = admin.good("PATCH", &member(&a), &json!({ "state": "drain" })).await;

    assert_eq!((&again["generation"], &again["changed"]), (&json!(2), &json!([])));
    assert_eq!(states(&admin).await[0].1, "drain");
}
