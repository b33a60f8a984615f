//! State, weight, and members that come and go, under tunnels and requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use serde_json::{Value, json};
use tidegate_tests::{Admin, Gateway, Origin, eventually};

use super::{MEMBERS, member, origins, pair, states};

#[tokio::test]
async fn a_drained_member_keeps_its_tunnels_and_gets_no_new_ones() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    let mut tunnels = Vec::new();
    for _ in 0..8 {
        tunnels.push(gateway.websocket("/").await);
    }

    let done = admin.good("PATCH", &member(&a), &json!({ "state": "drain" })).await;

    assert_eq!(done["generation"], 2);
    assert_eq!(done["persisted"], false);
    let change = &done["changed"][0];
    assert_eq!((&change["before"]["state"], &change["after"]["state"]), (&json!("ready"), &json!("drain")));
    for _ in 0..6 {
        tunnels.push(gateway.websocket("/").await);
        assert_eq!(tunnels.last().unwrap().endpoint(), "b");
    }
    assert_eq!((gateway.in_flight(&a), gateway.in_flight(&b)), (4, 10), "counts go on");
    for tunnel in &mut tunnels {
        tunnel.echo("still here").await;
    }
    assert!(a.endings().is_empty() && b.endings().is_empty(), "no tunnel was closed");
    admin.good("PATCH", &member(&a), &json!({ "state": null })).await;
    assert_eq!(gateway.websocket("/").await.endpoint(), "a", "four are fewer than ten");
    let generations = admin.good("GET", "/api/v1/generations", &Value::Null).await;
    let told = generations[1]["changes"][0].as_str().unwrap();
    assert!(told.ends_with("state ready to drain"), "{told}");
}

#[tokio::test]
async fn members_come_and_go_under_load_and_no_request_fails() {
    let [a, b, c] = origins(["a", "b", "c"]).await;
    let gateway = Arc::new(pair(&a, &b).start().await);
    let admin = Admin::of(gateway.inner());
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new([const { AtomicUsize::new(0) }; 4]));
    let load: Vec<_> = (0..4)
        .map(|client| {
            let (gateway, stop, served) = (gateway.clone(), stop.clone(), served.clone());
            tokio::spawn(async move {
                let mut http = gateway.http().await;
                while !stop.load(Relaxed) {
                    assert_eq!(http.send(tidegate_tests::get("/")).await.status, 200);
                    served[client].fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    let mut on_a = gateway.websocket("/").await;
    while on_a.endpoint() != "a" {
        on_a = gateway.websocket("/").await;
    }

    let added = admin.good("POST", MEMBERS, &json!({ "url": format!("ws://{}", c.address()), "weight": 2 })).await;
    assert_eq!(added["changed"][0]["before"], Value::Null);
    assert_eq!(added["changed"][0]["after"], json!({ "state": "ready", "weight": 2.0, "group": 0 }));
    eventually("the new member to be chosen", || gateway.picks(&c) > 10).await;
    let removed = admin.good("DELETE", &member(&a), &Value::Null).await;
    assert_eq!(removed["changed"][0]["after"], Value::Null);
    let more = |count: usize| {
        let then: Vec<_> = served.iter().map(|served| served.load(Relaxed)).collect();
        let served = served.clone();
        move || served.iter().zip(&then).all(|(served, then)| served.load(Relaxed) >= then + count)
    };
    // A request that had come before the removal may choose after it, under the generation that it began with.
    eventually("the requests of before to be through", more(2)).await;
    assert_eq!(gateway.in_flight(&a), 1);
    let before = gateway.picks(&a);
    eventually("requests to go on", more(15)).await;

    assert_eq!(gateway.picks(&a), before, "nothing new arrives");
    on_a.echo("still here").await;
    assert_eq!(states(&admin).await.last().unwrap().1, "removed", "it is shown while it holds a tunnel");
    stop.store(true, Relaxed);
    for task in load {
        task.await.unwrap();
    }
    on_a.close().await;
    eventually("counts to be zero", || [&a, &b, &c].iter().all(|origin| gateway.in_flight(origin) == 0)).await;
}

#[tokio::test]
async fn weights_and_groups_are_changed() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());

    admin.good("PATCH", &member(&a), &json!({ "group": 1 })).await;
    for _ in 0..4 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b", "lower groups first");
    }
    admin.good("PATCH", &member(&a), &json!({ "group": 0, "weight": 3 })).await;
    let before = gateway.picks(&a);
    for _ in 0..8 {
        gateway.get("/").await;
    }

    let on_a = gateway.picks(&a) - before;
    assert!(on_a > 4, "{on_a} of 8 on the heavier one");
}

#[tokio::test]
async fn connections_that_wait_for_work_stay_over_a_change() {
    let [a, b] = origins(["a", "b"]).await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    let mut http = gateway.http().await;
    for _ in 0..4 {
        http.send(tidegate_tests::get("/")).await;
    }
    let opened = (a.connections(), b.connections());

    for weight in [2, 3, 4] {
        admin.good("PATCH", &member(&a), &json!({ "weight": weight })).await;
        for _ in 0..4 {
            assert_eq!(http.send(tidegate_tests::get("/")).await.status, 200);
        }
    }

    assert_eq!((a.connections(), b.connections()), opened, "no connection was opened anew");
    let plugins = admin.good("GET", "/api/v1/plugins", &Value::Null).await;
    let calls = |role: &str| plugins.as_array().unwrap().iter().find(|one| one["role"] == role).unwrap().clone();
    assert_eq!(calls("router")["instances"], 2, "one a worker, not one a generation");
}

#[tokio::test]
async fn a_pause_is_ended_by_a_reset() {
    let reserved = Origin::reserved();
    let address = reserved.address();
    let b = Origin::named("b").start().await;
    let text = super::PAIR.replace("{a}", &address.to_string());
    let gateway = Gateway::configure(&text).origin(&b).start().await;
    let admin = Admin::of(gateway.inner());
    for _ in 0..4 {
        assert_eq!(gateway.get("/").await.status, 200, "the other one stands in");
    }
    let a = Origin::named("a").on(reserved).start().await;

    let reset = admin.good("POST", &format!("{MEMBERS}/reset?url=ws://{address}"), &Value::Null).await;

    assert_eq!(reset["reset"][0]["after"], "healthy", "{reset}");
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(gateway.get("/").await.header("x-endpoint").to_owned());
    }
    assert!(seen.contains(&a.name().to_owned()), "{seen:?}");
}

#[tokio::test]
async fn responses_of_an_added_member_are_mapped_back() {
    let [a, b] = origins(["a", "b"]).await;
    let c = Origin::named("c")
        .answering(|seen| {
            let host = seen.header("host").unwrap_or_default();
            let location = format!("http://{host}/moved");
            Some(hyper::Response::builder().status(302).header("location", location).body(Default::default()).unwrap())
        })
        .start()
        .await;
    let gateway = pair(&a, &b).start().await;
    let admin = Admin::of(gateway.inner());
    admin.good("POST", MEMBERS, &json!({ "url": format!("ws://{}", c.address()) })).await;
    for origin in [&a, &b] {
        admin.good("PATCH", &member(origin), &json!({ "state": "maint" })).await;
    }

    let answer = gateway.get("/x").await;

    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "http://gateway.test/moved"));
}
