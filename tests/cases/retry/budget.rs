//! A cluster that fails is not hit twice as hard.

use super::{failing, pool};

#[tokio::test]
async fn a_storm_of_failures_is_sent_again_only_within_the_budget() {
    let (one, other) = (failing("one", 503).start().await, failing("other", 503).start().await);
    let gateway = pool(&one, &other, "retry = { on = [503], budget = 0.1 }").start().await;
    let began = std::time::Instant::now();
    for _ in 0..300 {
        assert_eq!(gateway.get("/").await.status, 503);
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;

    let again = one.seen().len() + other.seen().len() - 300;
    assert!(again >= 10, "ten in a second are always allowed: {again}");
    assert!(again <= 30 + 10 * seconds, "a tenth, and ten in each of {seconds} seconds: {again}");
    let denied = gateway.metric("tidegate_retries_denied_total");
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let expected = (300 - again) as f64;
    assert_eq!(denied, expected);
}
