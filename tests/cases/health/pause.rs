//! What an endpoint that cannot be reached is spared, and for how long.

use tidegate::cluster::{Live, Standing};
use tidegate_tests::{Gateway, Origin};

use super::standing;

fn text(rest: &str, endpoint: &str) -> String {
    format!(
        "[[route]]\npath = \"/\"\nto = \"balancer://pool\"\n[cluster.pool]\n\
         endpoints = [{{ url = \"http://{{nobody}}\"{endpoint} }}, \"http://{{b}}\"]\n{rest}"
    )
}

#[tokio::test]
async fn an_endpoint_is_left_alone_for_as_long_as_was_written() {
    let (nobody, b) = (Origin::reserved(), Origin::named("b").start().await);
    let pause = "pause = { first = \"1h\", longest = \"2h\" }\n";
    let gateway = Gateway::configure(&text(pause, "")).put("nobody", nobody.address()).origin(&b).start().await;

    for _ in 0..10 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b");
    }

    let url = nobody.address().to_string();
    assert_eq!(standing(&gateway, &url), Standing::Paused);
    assert_eq!(super::live(&gateway, &url, Live::picks), 1, "one try in the first hour");
    assert_eq!(super::reason(&gateway, &url), "it could not be reached");
}

#[tokio::test]
async fn an_endpoint_whose_errors_are_ignored_is_tried_again_and_again() {
    let (nobody, b) = (Origin::reserved(), Origin::named("b").start().await);
    let pause = "pause = { first = \"1h\", longest = \"2h\" }\n";
    let text = text(pause, ", ignore_errors = true");
    let gateway = Gateway::configure(&text).put("nobody", nobody.address()).origin(&b).start().await;

    for _ in 0..10 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b", "the next one gets it");
    }

    let url = nobody.address().to_string();
    assert_eq!(standing(&gateway, &url), Standing::Healthy);
    let (picks, failures) = (super::live(&gateway, &url, Live::picks), super::live(&gateway, &url, Live::failures));
    assert!(picks > 1 && picks == failures, "{picks} picks, {failures} failures, which are counted");
}
