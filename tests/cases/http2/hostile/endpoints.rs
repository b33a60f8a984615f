//! Endpoints that attack: they have what clients have.

use tidegate_tests::frames::{Frame, PREFACE, code, flag, kind};
use tidegate_tests::{Gateway, Origin, eventually};
use tokio::sync::watch;

#[tokio::test]
async fn an_endpoint_that_floods_costs_its_own_connection() {
    for (what, frame) in [
        ("PING", Frame::ping([0; 8])),
        ("SETTINGS", Frame::settings(&[])),
        ("WINDOW_UPDATE", Frame::window_update(0, 1)),
        ("unknown", Frame::new(0xee, 0, 0, [0; 9])),
    ] {
        let bytes: Vec<u8> = std::iter::repeat_n(frame.bytes(), 3000).flatten().collect();
        let (said, heard) = watch::channel(Vec::new());
        let origin = Origin::raw(move |mut raw| {
            let (bytes, said) = (bytes.clone(), said.clone());
            async move {
                raw.read(PREFACE.len()).await;
                raw.write(&Frame::settings(&[]).bytes()).await;
                raw.write(&Frame::new(kind::SETTINGS, flag::ACK, 0, []).bytes()).await;
                raw.write(&bytes).await;
                let rest = raw.read_to_end().await;
                said.send_modify(|all| all.extend(rest));
            }
        });
        let origin = origin.start().await;
        let other = Origin::named("b").start().await;
        let text = "[[route]]\npath = \"/other\"\nto = \"http://{other}\"\n[[route]]\npath = \"/\"\n\
                    to = \"balancer://pool\"\n[cluster.pool]\nendpoints = [\"http://{origin}\"]\nprotocol = \"h2\"\n";
        let gateway =
            Gateway::configure(text).put("origin", origin.address()).put("other", other.address()).start().await;

        // Whether the flood is found before a request can be sent, or behind it.
        let status = gateway.get("/").await.status.as_u16();
        assert!(matches!(status, 502 | 503), "{what}: {status}");
        assert_eq!(gateway.get("/other").await.status, 200);
        let goaway = Frame::goaway(0, code::ENHANCE_YOUR_CALM).bytes();
        let says = || heard.borrow().windows(goaway.len()).any(|window| window == goaway);
        eventually("GOAWAY with its reason", says).await;
        let given_up = "tidegate_upstream_http2_given_up_total{reason=\"flood\"}";
        eventually("it to be counted", || gateway.metric(given_up) >= 1.0).await;
        let open = "tidegate_upstream_http2_connections_open";
        eventually("its end", || gateway.metric(open) == 0.0).await;
    }
}
