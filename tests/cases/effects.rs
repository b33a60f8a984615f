//! What a plugin does beside deciding: edits of both heads, and notes.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::guests::ACTS_FILE;
use tidegate_tests::{Gateway, Origin, eventually, get};

/// A GET of `path` whose header `x-do` has these commands for the guest.
pub(crate) fn doing(path: &str, commands: &[&str]) -> Request<Full<Bytes>> {
    let mut request = get(path);
    for command in commands {
        request.headers_mut().append("x-do", command.parse().unwrap());
    }
    request
}

/// A gateway whose router does what it is told, and forwards otherwise.
async fn routed_by_guest(origin: &Origin, more: &str) -> Gateway {
    let text = format!(
        "[router]\nplugin = \"acts\"\nconfig = {{ last = true }}\n[plugin.acts]\nfile = {{file}}\n\
         [cluster.one]\nendpoints = [\"http://{{origin}}\"]\n[[route]]\npath = \"/\"\nto = \"balancer://one\"\n{more}"
    );
    Gateway::configure(&text).put("origin", origin.address()).put("file", format!("{ACTS_FILE:?}")).start().await
}

#[tokio::test]
async fn the_endpoint_gets_what_a_router_puts_in_and_not_what_a_client_forged() {
    let origin = Origin::named("a").start().await;
    let gateway = routed_by_guest(&origin, "").await;
    let commands = ["set request x-user alice", "append request x-role one", "append request x-role two"];
    let mut request = doing("/", &commands);
    request.headers_mut().insert("x-user", "mallory".parse().unwrap());
    request.headers_mut().insert("connection", "close, X-User".parse().unwrap());
    request.headers_mut().append("x-do", "remove request x-gone".parse().unwrap());
    for forged in ["x-gone", "x.gone", "x.user", "x~user"] {
        request.headers_mut().insert(forged, "1".parse().unwrap());
    }

    let seen = gateway.send(request).await.seen();

    let values = |name: &str| -> Vec<String> {
        let named = seen.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(values("x-user"), ["alice"], "also where the client's Connection names the field");
    assert_eq!(values("x-role"), ["one", "two"]);
    for gone in ["x-gone", "x.gone", "x.user", "x~user"] {
        assert_eq!(values(gone), [""; 0], "{gone}: some servers read it as what was set or removed");
    }
}

#[tokio::test]
async fn edits_of_the_response_come_before_the_operators_and_reach_direct_responses() {
    let origin = Origin::saying("HTTP/1.1 200 OK\r\nServer: inner\r\nX-A: inner\r\nContent-Length: 0\r\n\r\n");
    let origin = origin.start().await;
    let gateway = routed_by_guest(&origin, "").await;
    let edits = ["remove response server", "set response x-a mine", "append response set-cookie a=1"];

    let answer = gateway.send(doing("/", &edits)).await;
    let direct = gateway.send(doing("/", &[&edits[..], &["respond 401"]].concat())).await;
    let refused = gateway.send(doing("/", &[&edits[..], &["unmatched"]].concat())).await;

    assert_eq!(answer.headers.get("server"), None);
    assert_eq!((answer.header("x-a"), answer.header("set-cookie")), ("mine", "a=1"));
    assert_eq!((direct.status.as_u16(), direct.header("x-plugin"), direct.header("x-a")), (401, "own", "mine"));
    assert_eq!((refused.status.as_u16(), refused.headers.get("x-a")), (404, None), "an error of the gateway's own");
}

#[tokio::test]
async fn what_may_not_be_edited_is_a_fault_and_nothing_of_it_takes_effect() {
    let origin = Origin::named("a").start().await;
    let gateway = routed_by_guest(&origin, "").await;
    for wrong in [
        "set request host b.example",
        "set request content-length 5",
        "set request transfer-encoding chunked",
        "remove request connection",
        "append response upgrade h2c",
        "set request cdn-loop x",
        "set request x\u{a0}y 1",
    ] {
        let answer = gateway.send(doing("/", &["set response x-a mine", wrong])).await;

        assert_eq!((answer.status.as_u16(), answer.headers.get("x-a")), (503, None), "{wrong}");
    }
    let long = format!("note tenant {}", "x".repeat(257));
    assert_eq!(gateway.send(doing("/", &[&long])).await.status, 503, "a note too long");
    assert_eq!(gateway.get("/").await.status, 200, "a fresh instance");
}

#[tokio::test]
async fn a_decision_is_remembered_unless_the_call_asked_for_more_than_its_arguments() {
    let origin = Origin::named("a").start().await;
    let gateway = routed_by_guest(&origin, "").await;
    let calls = || gateway.metric("tidegate_plugin_calls_total{plugin=\"acts\",role=\"router\"}");
    let http = &mut gateway.http().await;

    let before = calls();
    for _ in 0..3 {
        let _answer = http.send(get("/unasked")).await;
    }
    let unasked = calls() - before;
    for _ in 0..3 {
        let _answer = http.send(get("/asked")).await;
    }

    assert!((unasked - 1.0).abs() < 0.1, "remembered after the first call, though the plugin imports `request`");
    assert!((calls() - before - 4.0).abs() < 0.1, "asked each time");
}

/// The router, the balancer and the rewriter note; what they note of a secret is not shown, nor as a label of a metric.
#[tokio::test]
async fn what_each_role_notes_stands_in_the_access_line_without_secrets() {
    let origin = Origin::named("a").start().await;
    let text = "[log]\naccess = \"access.log\"\nformat = \"json\"\n\
                [router]\nplugin = \"acts\"\nconfig = { last = true }\n[rewriter]\nplugin = \"acts\"\n\
                [plugin.acts]\nfile = {file}\nsecrets = { key = \"key.txt\" }\n\
                [cluster.one]\nbalancer = \"acts\"\nendpoints = [\"http://{a}\"]\n\
                [[route]]\npath = \"/\"\nto = \"balancer://one\"\n";
    let setup = Gateway::configure(text).origin(&origin).put("file", format!("{ACTS_FILE:?}"));
    let gateway = setup.file("key.txt", "hunter2").start().await;
    let file = gateway.folder().join("access.log");
    let mut request = doing("/", &["note tenant of-hunter2", "note hunter2 1", "count asked by-hunter2"]);
    for (name, value) in [("x-do-pick", "first"), ("x-do-rewrite", "seen hunter2")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }

    let answer = gateway.send(request).await;

    assert_eq!(answer.status, 200);
    let lines = || std::fs::read_to_string(&file).unwrap_or_default();
    eventually("an access line", || lines().ends_with('\n')).await;
    let line: serde_json::Value = serde_json::from_str(lines().trim_end()).unwrap();
    let notes = serde_json::json!({
        "tenant": "of-[secret]", "[secret]": "1", "pick": "first after of-[secret]", "rewrite": "seen [secret]"
    });
    assert_eq!(line["notes"], notes);
    let exposed = gateway.inner().metrics().expose().unwrap();
    assert!(exposed.contains("name=\"asked\",label=\"by-[secret]\"") && !exposed.contains("hunter2"), "{exposed}");
}
