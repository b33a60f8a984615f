//! Each source steers a balancer that goes by it, and its values expire.

use std::sync::Mutex;

use hyper::Response;
use serde_json::json;
use tidegate_tests::{Gateway, Origin, eventually, within};

use super::{Reporting, origins, reporting};

#[tokio::test]
async fn an_orca_header_steers_the_next_choice_and_stays_in_the_gateway() {
    static A: Mutex<&str> = Mutex::new("TEXT cpu_utilization=0.1,named_metrics.free=5");
    static B: Mutex<&str> = Mutex::new("JSON {\"named_metrics\":{\"free\":9}}");
    let origins = vec![reporting("a", &A).await, reporting("b", &B).await];
    let world = Reporting::new(origins, "{ orca = \"named_metrics.free\" }", "signal_expiry = \"1h\"\n").await;

    let first = world.gateway.get("/").await;
    assert_eq!(first.header("x-endpoint"), "a", "nobody has reported yet");
    assert!(!first.headers.contains_key("endpoint-load-metrics"), "{:?}", first.headers);
    assert_eq!(world.shown(0).await["value"], 5.0);
    assert_eq!(world.chosen().await, "a");
    *A.lock().unwrap() = "named_metrics.free=-1";
    assert_eq!(world.chosen().await, "a", "its last report was good");
    // An endpoint that has said nothing is unknown, and less than every number to this balancer.
    assert_eq!(world.chosen().await, "a");
    assert_eq!(world.shown(1).await, json!({ "value": null, "age_ms": null, "fresh": false }));

    assert_eq!((world.reports("orca"), world.ignored("orca")), (4.0, 0.0));
    let endpoint = format!("http://{}", world.origins[0].address());
    let sample = format!("tidegate_endpoint_signal{{cluster=\"pool\",endpoint=\"{endpoint}\",signal=\"free\"}}");
    assert_eq!(world.gateway.metric(&sample), -1.0);
}

#[tokio::test]
async fn a_json_orca_header_is_read() {
    static A: Mutex<&str> = Mutex::new("JSON {\"cpuUtilization\":0.25}");
    let world = Reporting::new(vec![reporting("a", &A).await], "{ orca = \"cpu_utilization\" }", "").await;

    world.chosen().await;

    assert_eq!(world.shown(0).await["value"], 0.25);
}

#[tokio::test]
async fn a_head_is_left_as_it_is_where_no_signal_needs_it() {
    static A: Mutex<&str> = Mutex::new("TEXT cpu_utilization=0.1");
    let origin = reporting("a", &A).await;
    let gateway = Gateway::before(&origin).await;

    assert_eq!(gateway.get("/").await.header("endpoint-load-metrics"), "TEXT cpu_utilization=0.1");
}

#[tokio::test]
async fn what_is_posted_steers_until_it_expires() {
    let world = Reporting::new(origins(&["a", "b"]).await, "{ push = true }", "signal_expiry = \"1s\"\n").await;

    assert_eq!(world.chosen().await, "a");
    assert_eq!(world.push(1, "free", 3.0).await, (200, json!({ "taken": 1 })));
    // Taken at once; if this machine has stood still for a second, it has expired and is pushed again.
    while world.chosen().await != "b" {
        world.push(1, "free", 3.0).await;
    }

    within("the value to expire", async { while world.chosen().await != "a" {} }).await;
    let shown = world.shown(1).await;
    assert_eq!((&shown["value"], &shown["fresh"]), (&json!(3.0), &json!(false)), "it can still be seen");
}

#[tokio::test]
async fn what_cannot_be_posted_is_refused_and_nothing_is_taken() {
    let world = Reporting::new(origins(&["a"]).await, "{ push = true }", "").await;

    let (status, answer) = world.push(0, "fre", 3.0).await;
    assert_eq!(status, 422);
    assert!(answer["error"].as_str().unwrap().contains("no such signal"), "{answer}");
    let (status, _) = super::call(world.admin, "POST", "/api/v1/clusters/none/signals", "{}").await;
    assert_eq!(status, 400);
    assert_eq!((world.reports("push"), world.ignored("push")), (0.0, 1.0));
}

#[tokio::test]
async fn a_heartbeat_steers_and_its_port_says_which_endpoint_is_meant() {
    let heartbeat = "[heartbeat]\nlisten = \"127.0.0.1:0\"\n";
    let world = Reporting::new(origins(&["a", "b"]).await, "{ heartbeat = \"ready\" }", heartbeat).await;
    let port = world.origins[1].address().port();

    world.beat("127.0.0.1", b"v=0&ready=75&busy=0").await;
    eventually("the heartbeat to be taken", || world.reports("heartbeat") == 2.0).await;
    assert_eq!(world.chosen().await, "a", "both endpoints have that address, and say the same");
    world.beat("127.0.0.1", format!("v=1&ready=76&busy=1&port={port}").as_bytes()).await;
    eventually("the heartbeat to be taken", || world.reports("heartbeat") == 3.0).await;

    assert_eq!(world.chosen().await, "b");
    assert_eq!(world.shown(0).await["value"], 75.0);
    assert_eq!(world.shown(1).await["value"], 76.0);
}

#[tokio::test]
async fn a_reload_keeps_what_was_reported() {
    let mut world = Reporting::new(origins(&["a", "b"]).await, "{ push = true }", "signal_expiry = \"1h\"\n").await;
    world.push(1, "free", 3.0).await;
    let path = world.gateway.folder().join("tidegate.toml");
    let text = std::fs::read_to_string(path).unwrap().replace("\"1h\"", "\"2h\"");

    world.gateway.rewrite(&text);
    let (status, generation) = super::call(world.admin, "POST", "/api/v1/reload", "").await;

    assert_eq!((status, &generation["changes"]), (200, &json!(["cluster pool changed"])));
    assert_eq!(world.chosen().await, "b");
}

/// Answers to a probe that say how many slots are free; to anything else, who answers.
async fn probed(name: &'static str, body: &'static Mutex<&'static str>) -> Origin {
    let answer = move |seen: &tidegate_tests::Seen| {
        (seen.target == "/load").then(|| Response::new((*body.lock().unwrap()).into()))
    };
    Origin::named(name).answering(answer).start().await
}

#[tokio::test]
async fn answers_to_probes_are_read_as_json_and_as_metrics() {
    static A: Mutex<&str> = Mutex::new("{ \"slots\": { \"free\": 5 } }");
    static B: Mutex<&str> = Mutex::new("{ \"slots\": { \"free\": 9 } }");
    static C: Mutex<&str> = Mutex::new("# TYPE slots gauge\nslots{zone=\"x\"} 5\n");
    static D: Mutex<&str> = Mutex::new("slots{zone=\"x\"} 9\n");
    let health = "health = { probe = \"http\", path = \"/load\", interval = \"100ms\" }\nsignal_expiry = \"1h\"\n";
    for (source, first, second) in [("{ json = \"/slots/free\" }", &A, &B), ("{ metric = \"slots\" }", &C, &D)] {
        let origins = vec![probed("a", first).await, probed("b", second).await];
        let world = Reporting::new(origins, source, health).await;

        let word = source.split(' ').nth(1).unwrap();
        eventually("reports of both", || world.reports(word) >= 6.0).await;

        assert_eq!(world.chosen().await, "b", "{source}");
        assert_eq!(world.shown(0).await["value"], 5.0, "{source}");
        *first.lock().unwrap() = "no such thing";
        eventually("what is no report to be ignored", || world.ignored(word) >= 1.0).await;
        assert_eq!(world.shown(0).await["value"], 5.0, "{source}");
    }
}
