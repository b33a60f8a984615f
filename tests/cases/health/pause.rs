//! What an endpoint that cannot be reached is spared, and for how long.

use std::sync::Arc;
use std::time::Duration;

use tidegate::clock::{Clock, Simulation};
use tidegate::cluster::{Health, Live};
use tidegate::gateway::BuildOptions;
use tidegate_tests::{Gateway, Origin, eventually};

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
    assert_eq!(standing(&gateway, &url), Health::Paused);
    assert_eq!(super::live(&gateway, &url, Live::picks), 1, "one try in the first hour");
    assert_eq!(super::reason(&gateway, &url), "it could not be reached");
}

#[tokio::test]
async fn in_simulated_time_an_endpoint_is_left_alone_until_that_time_has_passed() {
    const HOUR: Duration = Duration::from_secs(3600);
    let (nobody, b) = (Origin::reserved(), Origin::named("b").start().await);
    let simulation = Simulation::new(7, Duration::ZERO);
    let options = BuildOptions { clock: Clock::Simulated(Arc::clone(&simulation)), ..BuildOptions::default() };
    let pause = "pause = { first = \"1h\", longest = \"2h\" }\n";
    let setup = Gateway::configure(&text(pause, "")).put("nobody", nobody.address()).origin(&b);
    let gateway = setup.start_with(options).await;
    // A pause that began in the machine's time would have been over for a day.
    simulation.advance(25 * HOUR);

    for _ in 0..10 {
        assert_eq!(gateway.get("/").await.header("x-endpoint"), "b");
    }

    let url = nobody.address().to_string();
    assert_eq!(standing(&gateway, &url), Health::Paused);
    assert_eq!(super::live(&gateway, &url, Live::picks), 1);
    simulation.advance(HOUR);
    assert_eq!(standing(&gateway, &url), Health::Suspect, "until a request has tried it");
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
    assert_eq!(standing(&gateway, &url), Health::Healthy);
    let (picks, failures) = (super::live(&gateway, &url, Live::picks), super::live(&gateway, &url, Live::failures));
    assert!(picks > 1 && picks == failures, "{picks} picks, {failures} failures, which are counted");
}

#[tokio::test]
async fn an_endpoint_that_can_be_reached_again_need_not_answer_before_others_come() {
    let (reserved, b) = (Origin::reserved(), Origin::named("b").start().await);
    let pause = "pause = { first = \"1ms\", longest = \"1ms\" }\n";
    let gateway = Gateway::configure(&text(pause, "")).put("nobody", reserved.address()).origin(&b).start().await;
    // Busy enough for the other one to be preferred, however often it is asked.
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(gateway.websocket("/").await);
    }
    let returned = Origin::named("returned").on(reserved).start().await;
    let url = returned.address().to_string();
    eventually("its pause to be over", || standing(&gateway, &url) == Health::Suspect).await;

    let mut waiting = Vec::new();
    for count in 1..=3 {
        let mut client = gateway.raw().await;
        client.write(b"GET /never HTTP/1.1\r\nHost: gateway.test\r\n\r\n").await;
        waiting.push(client);
        eventually("a long poll to arrive there", || returned.seen().len() == count).await;
    }

    assert_eq!(standing(&gateway, &url), Health::Suspect, "it has not answered yet");
}
