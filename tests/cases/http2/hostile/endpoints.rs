//! Endpoints that attack: they have what clients have.

use tidegate_tests::frames::{Frame, PREFACE, flag, kind};
use tidegate_tests::{Gateway, Origin};

#[tokio::test]
async fn an_endpoint_that_floods_costs_its_own_connection() {
    for (what, frame) in [
        ("PING", Frame::ping([0; 8])),
        ("SETTINGS", Frame::settings(&[])),
        ("WINDOW_UPDATE", Frame::window_update(0, 1)),
        ("unknown", Frame::new(0xee, 0, 0, [0; 9])),
    ] {
        let bytes: Vec<u8> = std::iter::repeat_n(frame.bytes(), 3000).flatten().collect();
        let origin = Origin::raw(move |mut raw| {
            let bytes = bytes.clone();
            async move {
                raw.read(PREFACE.len()).await;
                raw.write(&Frame::settings(&[]).bytes()).await;
                raw.write(&Frame::new(kind::SETTINGS, flag::ACK, 0, []).bytes()).await;
                raw.write(&bytes).await;
                raw.read_to_end().await;
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
    }
}
