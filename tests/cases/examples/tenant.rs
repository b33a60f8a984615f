//! Tenant to cluster, by a table that changes.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{Admin, Answer, Gateway, Origin, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

use crate::examples::setup;
use crate::running::{Running, replace};

const TABLE: &str = "/api/v1/plugins/tenant/table";
const TSV: (&str, &str) = ("content-type", "text/tab-separated-values");
const BY_HEADER: (&str, &str) =
    ("{ domain = \"gateway.example\", unknown = 421 }", "{ header = \"x-tenant\", cluster = \"trial\" }");
/// A process says its admin address like that of a listener.
const WITHOUT_ADMIN: (&str, &str) = ("[admin]\naddress = \"127.0.0.1:8081\"\n", "");

struct World {
    trial: Origin,
    east: Origin,
    west: Origin,
}

impl World {
    async fn new() -> Self {
        let [trial, east, west] = ["trial", "east", "west"].map(Origin::named);
        Self { trial: trial.start().await, east: east.start().await, west: west.start().await }
    }

    fn all(&self) -> [&Origin; 3] {
        [&self.trial, &self.east, &self.west]
    }
}

fn of(host: &str) -> Request<Full<Bytes>> {
    Request::get("/a?b").header("host", host).body(Full::default()).unwrap()
}

async fn as_tenant(gateway: &Gateway, tenant: &str) -> Answer {
    gateway.send(of(&format!("{tenant}.gateway.example"))).await
}

/// A hundred thousand tenants, each in this cluster.
fn tenants(cluster: &str) -> String {
    (0..100_000).map(|tenant| format!("tenant-{tenant}\t{cluster}\n")).collect()
}

#[tokio::test]
async fn the_host_names_the_tenant_and_the_table_the_cluster() {
    let world = World::new().await;
    let gateway = setup("tenant", &world.all(), &[]).start().await;

    let blue = gateway.send(of("Blue.Gateway.Example:8080")).await.seen();
    let red = as_tenant(&gateway, "red").await.seen();

    assert_eq!((blue.endpoint.as_str(), blue.target.as_str(), red.endpoint.as_str()), ("east", "/a?b", "west"));
    for stranger in ["green.gateway.example", "gateway.example", "a.blue.gateway.example", "10.0.0.1", "blue"] {
        let answer = gateway.send(of(stranger)).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (421, "no such tenant\n"), "{stranger}");
    }
    let requests = |label: &str| {
        gateway.metric(&format!("tidegate_plugin_count_total{{plugin=\"tenant\",name=\"requests\",label=\"{label}\"}}"))
    };
    assert_eq!((requests("known"), requests("unknown")), (2.0, 5.0));
}

#[tokio::test]
async fn the_header_names_the_tenant_of_requests_and_websockets_and_others_go_to_a_default() {
    let world = World::new().await;
    let gateway = setup("tenant", &world.all(), &[BY_HEADER]).start().await;

    for (tenant, endpoint) in [("blue", "east"), ("red", "west"), ("green", "trial"), ("", "trial")] {
        let mut request = of("a.example");
        request.headers_mut().insert("x-tenant", tenant.parse().unwrap());
        assert_eq!(gateway.send(request).await.seen().endpoint, endpoint, "{tenant}");
        let mut request = upgrade_request("/websocket");
        request.headers_mut().insert("x-tenant", tenant.parse().unwrap());
        let mut tunnel = gateway.try_websocket(request).await.unwrap().greeted().await;
        assert_eq!(tunnel.endpoint(), endpoint, "{tenant}");
        tunnel.echo("through").await;
    }
    assert_eq!(gateway.send(of("blue.gateway.example")).await.seen().endpoint, "trial", "without the header");
}

#[tokio::test]
async fn a_call_moves_a_hundred_thousand_tenants_and_a_broken_line_none() {
    let world = World::new().await;
    let gateway = setup("tenant", &world.all(), &[]).start().await;
    let admin = Admin::of(gateway.inner());
    let generation = gateway.inner().generation().id();
    let last = async || as_tenant(&gateway, "tenant-99999").await;
    assert_eq!(last().await.status, 421);

    for cluster in ["east", "west"] {
        let answer = admin.exactly("PUT", TABLE, &[TSV], tenants(cluster).as_bytes()).await;

        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(last().await.seen().endpoint, cluster);
    }
    let broken = tenants("east").replace("tenant-77777\t", "tenant-77777 ");
    let answer = admin.exactly("PUT", TABLE, &[TSV], broken.as_bytes()).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("line 77778 has no TAB, expected a key, a TAB and a value"), "{}", answer.text());
    assert_eq!(last().await.seen().endpoint, "west", "the version before serves on");
    let stranger = admin.exactly("PUT", TABLE, &[TSV], b"tenant-99999\tnorth\n").await;
    assert_eq!(stranger.status, 200, "only the plugin knows what values are");
    let lost = last().await;
    assert_eq!((lost.status.as_u16(), lost.text().as_str()), (503, "this tenant cannot be served now\n"));
    assert_eq!(gateway.inner().generation().id(), generation);
}

#[tokio::test]
async fn the_file_moves_tenants_under_traffic() {
    let world = World::new().await;
    let config = setup("tenant", &world.all(), &[BY_HEADER, WITHOUT_ADMIN]).file("tenants.tsv", tenants("east"));
    let running = Running::start(config).await;
    let file = running.folder().join("tenants.tsv");
    let mut raw = running.raw().await;
    let mut ask = async || {
        raw.write(b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Tenant: tenant-5\r\n\r\n").await;
        raw.read_answer().await.expect("an answer").seen().endpoint
    };
    assert_eq!(ask().await, "east");

    let live = || running.said("table is live").len();
    let before = live();
    replace(&file, tenants("west").as_bytes());
    while live() == before {
        let endpoint = ask().await;
        assert!(["east", "west"].contains(&endpoint.as_str()), "{endpoint}");
    }
    assert_eq!(ask().await, "west");

    let spoilt = format!("{}tenant-5\teast\n", tenants("west"));
    let refused = running.told("table refused", || replace(&file, spoilt.as_bytes())).await;
    assert!(refused.contains("line 100001 has the same key as line 6"), "{refused}");
    assert_eq!(ask().await, "west");
}

#[tokio::test]
async fn an_open_tunnel_stays_when_its_tenant_moves() {
    let world = World::new().await;
    let gateway = setup("tenant", &world.all(), &[]).start().await;
    let admin = Admin::of(gateway.inner());
    let open = async || {
        let mut request = upgrade_request("/websocket");
        request.headers_mut().insert("host", "blue.gateway.example".parse().unwrap());
        gateway.try_websocket(request).await
    };
    let mut tunnel = open().await.unwrap().greeted().await;

    assert_eq!(admin.exactly("PUT", TABLE, &[TSV], b"blue\twest\n").await.status, 200);

    tunnel.echo("still there").await;
    assert_eq!(tunnel.endpoint(), "east");
    assert_eq!(open().await.unwrap().greeted().await.endpoint(), "west");
    assert_eq!(admin.exactly("PUT", TABLE, &[TSV], b"").await.status, 200);
    match open().await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 421),
        other => panic!("{other:?}"),
    }
    tunnel.echo("still there").await;
}
