//! Routes that lead back to the gateway.

use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{Gateway, Origin, upgrade_request};
use tokio_tungstenite::tungstenite::Error;

/// Has `gateway` serve these routes from now on; `{self}` is itself.
fn lead(gateway: &mut Gateway, text: &str) {
    let text = text.replace("{self}", &gateway.address().to_string());
    gateway.rewrite(&text);
    gateway.inner().reload().unwrap();
}

#[tokio::test]
async fn a_request_that_comes_back_again_and_again_is_told_so_after_a_few_connections() {
    let mut gateway = Gateway::configure("[[route]]\npath = \"/\"\nto = \"!\"\n").start().await;
    lead(&mut gateway, "[[route]]\npath = \"/\"\nto = \"http://{self}\"\n");

    let answer = gateway.get("/").await;

    assert_eq!(answer.status, 508);
    assert!(String::from_utf8_lossy(&answer.body).contains("its route leads back here"), "{answer:?}");
    let connections = gateway.metric("tidegate_connections_total");
    assert!(connections < 10.0, "{connections}");
    assert!((gateway.metric("tidegate_loops_total") - 1.0).abs() < 0.1);
    // Websockets go by the same way, and so does what has a body.
    let refused = gateway.try_websocket(upgrade_request("/")).await;
    assert!(matches!(&refused, Err(Error::Http(answer)) if answer.status() == 508), "{refused:?}");
    let request = Request::post("/").header("host", "h").body(Full::from("body")).unwrap();
    assert_eq!(gateway.send(request).await.status, 508);
    assert!(gateway.metric("tidegate_connections_total") < 30.0);
}

#[tokio::test]
async fn a_loop_over_another_gateway_is_found_as_well() {
    let mut first = Gateway::configure("[[route]]\npath = \"/\"\nto = \"!\"\n").start().await;
    let second = Gateway::configure("[[route]]\npath = \"/\"\nto = \"http://{first}\"\n");
    let second = second.put("first", first.address()).start().await;
    lead(&mut first, &format!("[[route]]\npath = \"/\"\nto = \"http://{}\"\n", second.address()));

    assert_eq!(first.get("/").await.status, 508);

    let (here, there) = (first.metric("tidegate_loops_total"), second.metric("tidegate_loops_total"));
    assert!((here + there - 1.0).abs() < 0.1, "{here} {there}");
}

#[tokio::test]
async fn routes_may_lead_to_other_routes_of_the_same_gateway() {
    let origin = Origin::named("a").start().await;
    let mut gateway = Gateway::configure("[[route]]\npath = \"/\"\nto = \"!\"\n").start().await;
    let routes = "[[route]]\npath = \"/a\"\nto = \"http://{self}/b\"\n[[route]]\npath = \"/b\"\nto = \"http://{self}/c\"\n\
                  [[route]]\npath = \"/c\"\nto = \"http://{origin}\"\n";
    lead(&mut gateway, &routes.replace("{origin}", &origin.address().to_string()));

    let request = Request::get("/a/x").header("host", "h").header("cdn-loop", "other.example; v=1");
    let seen = gateway.send(request.body(Full::default()).unwrap()).await.seen();

    assert_eq!(seen.target, "/x");
    let passes = seen.all("cdn-loop");
    assert_eq!(passes.len(), 4, "{passes:?}");
    assert_eq!(passes[0], "other.example; v=1", "what others have said stays");
    assert!(passes[1..].iter().all(|name| *name == passes[1] && name.len() == 16), "{passes:?}");
    let mut tunnel = gateway.websocket("/a/ws").await;
    tunnel.echo("through here three times").await;
}

#[tokio::test]
async fn who_forges_the_mark_harms_nobody_else() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    let mark = gateway.get("/").await.seen().header("cdn-loop").unwrap().to_owned();

    let mut raw = gateway.raw().await;
    for (count, expected) in [(4, 200), (5, 508), (50, 508), (0, 200)] {
        let fields = format!("CDN-Loop: {mark}\r\n").repeat(count);
        raw.write(format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes()).await;
        assert_eq!(raw.read_answer().await.unwrap().status, expected, "{count} times");
    }
    assert_eq!(gateway.get("/").await.status, 200);
}
