//! Reports that are none, in every way: ignored, counted, and nothing else happens.

use hyper::Response;
use serde_json::Value;
use tidegate_tests::{Gateway, Origin};
use tokio::net::UdpSocket;

use super::{Reporting, origins};

#[tokio::test]
async fn an_orca_header_of_100_kilobytes_costs_nothing_but_a_count() {
    let answer = |_: &_| {
        let answer = Response::builder().header("x-endpoint", "a");
        let report = format!("TEXT named_metrics.free=1{}", ",named_metrics.x=1".repeat(5_600));
        Some(answer.header("endpoint-load-metrics", report).body(Default::default()).unwrap())
    };
    let origin = Origin::named("a").answering(answer).start().await;
    let world = Reporting::new(vec![origin], "{ orca = \"named_metrics.free\" }", "").await;

    let answer = world.gateway.get("/").await;

    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("endpoint-load-metrics"), "it is no client's business");
    assert_eq!((world.reports("orca"), world.ignored("orca")), (0.0, 1.0));
    assert_eq!(world.shown(0).await["value"], Value::Null);
}

#[tokio::test]
async fn datagrams_that_are_no_heartbeat_of_an_endpoint_are_counted_and_forgotten() {
    let heartbeat = "[heartbeat]\nlisten = \"127.0.0.1:0\"\n";
    let world = Reporting::new(origins(&["a"]).await, "{ heartbeat = \"ready\" }", heartbeat).await;
    let long = [b"v=1&ready=1&busy=1&x=".as_slice(), &[b'x'; 60_000]].concat();

    let mut count = 0.0;
    for (from, datagram) in [
        ("127.0.0.1", &b"garbage"[..]),
        ("127.0.0.1", b""),
        ("127.0.0.1", b"v=1&ready=NaN&busy=0"),
        ("127.0.0.1", b"v=1&ready=1&busy=0&port=1"),
        ("127.0.0.1", &long),
        ("127.0.0.2", b"v=1&ready=75&busy=0"),
    ] {
        world.beat(from, datagram).await;
        count += 1.0;
        world.ignored_beats(count).await;
    }

    assert_eq!(world.reports("heartbeat"), 0.0);
    assert_eq!(world.shown(0).await["value"], Value::Null);
}

#[tokio::test]
async fn an_endpoint_that_is_not_allowed_is_not_heard() {
    let heartbeat = "[heartbeat]\nlisten = \"127.0.0.1:0\"\nallow = [\"10.0.0.0/8\"]\n";
    let world = Reporting::new(origins(&["a"]).await, "{ heartbeat = \"ready\" }", heartbeat).await;

    world.beat("127.0.0.1", b"v=1&ready=75&busy=0").await;

    world.ignored_beats(1.0).await;
}

#[tokio::test]
async fn a_taken_address_is_refused_at_the_start_and_a_stop_gives_it_back() {
    let text =
        |at: &str| format!("[[route]]\npath = \"/\"\nrespond = {{ status = 200 }}\n[heartbeat]\nlisten = \"{at}\"\n");
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let refused = Gateway::configure(&text(&address)).try_start().await.unwrap_err().to_string();

    assert!(refused.starts_with(&format!("heartbeat: cannot listen on {address}: ")), "{refused}");
    assert!(refused.contains("ss -lunp"), "{refused}");
    drop(taken);
    let gateway = Gateway::configure(&text(&address)).start().await;
    gateway.stop(std::time::Duration::ZERO).await;
    UdpSocket::bind(&address).await.expect("the address to be free again");
}

#[tokio::test]
async fn a_multicast_group_is_joined() {
    let heartbeat = "[heartbeat]\nlisten = \"239.255.0.42:0\"\n";
    let text = format!("[[route]]\npath = \"/\"\nrespond = {{ status = 200 }}\n{heartbeat}");

    let gateway = match Gateway::configure(&text).try_start().await {
        Ok(gateway) => gateway,
        // A machine without a route for multicast cannot.
        Err(error) => return assert!(error.to_string().contains("No such device"), "{error}"),
    };
    let to = gateway.inner().heartbeat_address().unwrap();
    assert!(to.ip().is_multicast());
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    // Whether it arrives is for the network to say; that it is heard where it does is for the count.
    if socket.send_to(b"garbage", to).await.is_ok() {
        let ignored = || gateway.metric("tidegate_reports_ignored_total{source=\"heartbeat\"}") > 0.0;
        tidegate_tests::eventually("a datagram to the group", ignored).await;
    }
}
