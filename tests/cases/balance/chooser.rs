//! Choosers: choices that weigh, and refusals with a status.

use std::fs;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::guests::CHOOSER_FILE;
use tidegate_tests::{Gateway, Origin, Websocket, eventually, get, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

use crate::running::reload;

/// A gateway before two origins, balanced by the guest that does as the header `x-choose` says.
struct Chosen {
    gateway: Gateway,
    a: Origin,
    b: Origin,
}

impl Chosen {
    async fn start() -> Self {
        Self::with("", "").await
    }

    /// `limit` is of each endpoint.
    async fn with(limit: &str, settings: &str) -> Self {
        let (a, b) = (Origin::named("a").start().await, Origin::named("b").start().await);
        let text = "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n\
                    [cluster.pool]\nbalancer = \"guest\"\nendpoints = [{ url = \"ws://{a}\"{limit} }, { url = \"ws://{b}\"{limit} }]\n{settings}\n\
                    [plugin.guest]\nfile = {file}\n";
        let setup = Gateway::configure(text).origin(&a).origin(&b).put("limit", limit).put("settings", settings);
        Self { gateway: setup.put("file", format!("{CHOOSER_FILE:?}")).start().await, a, b }
    }

    async fn open(&self, choose: &str) -> Websocket {
        let mut request = upgrade_request("/");
        request.headers_mut().insert("x-choose", choose.parse().unwrap());
        self.gateway.try_websocket(request).await.unwrap().greeted().await
    }

    fn busy(&self) -> (u32, u32) {
        (self.gateway.in_flight(&self.a), self.gateway.in_flight(&self.b))
    }

    /// Faults that came of results outside the contract.
    fn faults(&self) -> f64 {
        self.gateway.metric("tidegate_plugin_faults_total{plugin=\"guest\",role=\"balancer\",kind=\"answer\"}")
    }
}

fn telling(choose: &str) -> Request<Full<Bytes>> {
    let mut request = get("/");
    request.headers_mut().insert("x-choose", choose.parse().unwrap());
    request
}

#[tokio::test]
async fn a_choice_weighs_as_many_units_as_it_says_until_it_ends() {
    let pool = Chosen::start().await;

    let heavy = pool.open("least 1000").await;
    assert_eq!((heavy.endpoint(), pool.busy()), ("a", (1000, 0)));
    let light = [pool.open("least 7").await, pool.open("least 993").await, pool.open("least 1").await];
    assert_eq!(light.each_ref().map(Websocket::endpoint), ["b", "b", "a"], "the last finds both alike");
    assert_eq!(pool.busy(), (1001, 1000));

    let [seven, rest, one] = light;
    seven.close().await;
    eventually("seven units to be given back", || pool.busy() == (1001, 993)).await;
    drop((heavy, rest, one));
    eventually("all to be given back", || pool.busy() == (0, 0)).await;
    assert_eq!((pool.gateway.picks(&pool.a), pool.gateway.picks(&pool.b)), (2, 2), "each is one pick");
    assert!(pool.faults() == 0.0);
}

#[tokio::test]
async fn a_refusal_is_the_clients_with_its_status_and_when_to_come_back() {
    let pool = Chosen::start().await;

    for (choose, status, after) in [
        ("refuse 429 7", 429, Some("7")),
        ("refuse 429", 429, None),
        ("refuse 503 0", 503, Some("0")),
        ("refuse 503 86400", 503, Some("86400")),
        ("refuse 503", 503, None),
    ] {
        let answer = pool.gateway.send(telling(choose)).await;

        assert_eq!(answer.status, status, "{choose}");
        assert_eq!(answer.headers.get("retry-after").map(|value| value.to_str().unwrap()), after, "{choose}");
        assert!(answer.text().starts_with(&status.to_string()), "{}", answer.text());
    }
    let mut request = upgrade_request("/");
    request.headers_mut().insert("x-choose", "refuse 429 1".parse().unwrap());
    let Err(Error::Http(response)) = pool.gateway.try_websocket(request).await else { panic!("no tunnel is opened") };
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(pool.busy(), (0, 0));
    assert!(pool.faults() == 0.0, "a refusal is no fault");
    assert_eq!(pool.gateway.get("/").await.status, 200);
}

#[tokio::test]
async fn what_the_contract_does_not_permit_is_a_fault_and_the_least_busy_stands_in() {
    let pool = Chosen::start().await;
    let held = pool.open("take 0 5").await;

    for (count, choose) in ["take 2 1", "take 0 0", "take 0 1001", "refuse 500", "refuse 200 1", "refuse 429 86401"]
        .into_iter()
        .enumerate()
    {
        let answer = pool.gateway.send(telling(choose)).await;

        assert_eq!((answer.status.as_u16(), answer.header("x-endpoint")), (200, "b"), "{choose}");
        assert_eq!(pool.faults(), f64::from(u32::try_from(count).unwrap() + 1), "{choose}");
        assert_eq!(pool.gateway.get("/").await.status, 200, "it decides again");
    }
    drop(held);
}

#[tokio::test]
async fn limits_of_endpoints_and_of_addresses_compare_units() {
    for settings in ["count = \"cluster\"", "count = \"address\""] {
        let pool = Chosen::with(", max_connections = 10", settings).await;

        let full = pool.open("take 0 10").await;
        let answer = pool.gateway.send(telling("least 1")).await;
        assert_eq!(answer.header("x-endpoint"), "b", "{settings}: a is full");
        let over = pool.open("least 1000").await;
        assert_eq!(over.endpoint(), "b", "{settings}: below its limit one more is taken, whatever it weighs");

        let answer = pool.gateway.send(telling("least 1")).await;
        assert_eq!(answer.status, 503, "{settings}: both are full");
        drop((full, over));
        eventually("all to be given back", || pool.busy() == (0, 0)).await;
    }
}

#[tokio::test]
async fn a_chooser_hands_its_state_over_hears_of_ends_and_what_was_chosen_before_still_weighs() {
    let mut pool = Chosen::start().await;
    let text = fs::read_to_string(pool.gateway.folder().join("tidegate.toml")).unwrap();
    let heavy = pool.open("take 0 40").await;
    let light = pool.open("least 1").await;
    assert_eq!((pool.busy(), light.endpoint()), ((40, 1), "b"));

    pool.gateway.rewrite(&text.replace("[plugin.guest]", "[plugin.guest]\nconfig = 2"));
    reload(&pool.gateway).await;

    let answer = pool.gateway.send(telling("count")).await;
    assert_eq!(answer.header("retry-after"), "3", "its successor knows what it has chosen");
    let next = pool.open("least 1").await;
    assert_eq!((next.endpoint(), pool.busy()), ("b", (40, 2)), "what was chosen before still weighs");
    heavy.close().await;
    eventually("what the earlier version weighed to be given back", || pool.busy() == (0, 2)).await;
    assert!(pool.faults() == 0.0);
}

#[tokio::test]
async fn a_request_that_names_its_endpoint_is_not_shown_to_a_chooser_and_weighs_one() {
    let pool = Chosen::with("", "sticky = { cookie = \"R\", issue = {} }").await;
    let first = pool.gateway.send(telling("take 1 5")).await;
    assert_eq!((first.status.as_u16(), first.header("x-endpoint")), (200, "b"));
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();

    let mut request = upgrade_request("/");
    request.headers_mut().insert("x-choose", "refuse 429".parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let held = pool.gateway.try_websocket(request).await.unwrap().greeted().await;

    assert_eq!((held.endpoint(), pool.busy()), ("b", (0, 1)));
}
