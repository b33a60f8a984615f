//! What a hostile or broken client may send. Nothing of it reaches an endpoint, and the gateway goes on.

mod bodies;
mod heads;
mod limits;

use tidegate_tests::{Answer, Gateway, Origin};

/// Sends `bytes`, and returns the answer; none if the connection was closed without one.
async fn send(gateway: &Gateway, bytes: &[u8]) -> Option<Answer> {
    let mut raw = gateway.raw().await;
    raw.write(bytes).await;
    // A client that has said all: whatever is missing does not come.
    raw.finish().await;
    let answer = raw.read_answer().await;
    let more = String::from_utf8_lossy(&raw.read_to_end().await).into_owned();
    assert_eq!(more, "", "one answer, and the end: behind this nothing can be trusted");
    answer
}

/// Asserts that none of `requests` is served, by an answer of `statuses` or the end of the connection.
async fn refused(requests: &[&[u8]], statuses: &[u16]) {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::before(&origin).await;
    for request in requests {
        let shown: String = String::from_utf8_lossy(request).chars().take(200).collect();

        let answer = send(&gateway, request).await;

        if let Some(answer) = answer {
            assert!(statuses.contains(&answer.status.as_u16()), "{shown:?} was answered {answer:?}");
        }
        assert_eq!(origin.seen().len(), 0, "{shown:?} reached the endpoint: {:?}", origin.seen());
        assert_eq!(origin.connections(), 0, "{shown:?} was carried to the endpoint");
    }
    assert_eq!(gateway.get("/after").await.seen().target, "/after", "the gateway still serves");
}
