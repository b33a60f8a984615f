//! Prompts by their model, their beginning, and how full endpoints are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use tidegate_tests::{Answer, Gateway, Origin, eventually};

use crate::examples::setup;

/// An engine that says how many requests wait in it.
struct Engine {
    origin: Origin,
    waiting: Arc<AtomicU32>,
    asked: Arc<AtomicU32>,
}

impl Engine {
    async fn start(name: &str) -> Self {
        let (waiting, asked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let said = (waiting.clone(), asked.clone());
        let origin = Origin::named(name).answering(move |seen| {
            (seen.target == "/metrics").then(|| {
                said.1.fetch_add(1, Ordering::Relaxed);
                let text = format!("vllm:num_requests_waiting {}\n", said.0.load(Ordering::Relaxed));
                Response::new(Full::new(Bytes::from(text)))
            })
        });
        Self { origin: origin.start().await, waiting, asked }
    }

    /// Has it say that, and waits until the gateway knows.
    async fn say(&self, waiting: u32) {
        self.waiting.store(waiting, Ordering::Relaxed);
        let before = self.asked.load(Ordering::Relaxed);
        // The second request since is made when the answer to the first has been read.
        eventually("the gateway to ask again", || self.asked.load(Ordering::Relaxed) >= before + 3).await;
    }
}

struct World {
    engines: [Engine; 3],
    gateway: Gateway,
}

impl World {
    async fn start() -> Self {
        let engines = [Engine::start("a").await, Engine::start("b").await, Engine::start("c").await];
        let origins: Vec<&Origin> = engines.iter().map(|engine| &engine.origin).collect();
        let faster = ("interval = \"500ms\"", "interval = \"100ms\"");
        Self { gateway: setup("inference", &origins, &[faster]).start().await, engines }
    }

    async fn ask(&self, prompt: &str) -> Answer {
        self.ask_of("llama-3-8b", prompt).await
    }

    async fn ask_of(&self, model: &str, prompt: &str) -> Answer {
        let body = format!("{{\"model\":\"{model}\",\"prompt\":\"{prompt}\"}}");
        let request = Request::post("/v1/completions").header("host", "gateway.test");
        let answer = self.gateway.send(request.body(Full::new(Bytes::from(body.clone()))).unwrap()).await;
        if answer.status == 200 {
            assert!(answer.seen().body == body, "the body arrives as it was");
        }
        answer
    }
}

/// A text of so many blocks, another for each `seed`.
fn text(seed: u32, blocks: usize) -> String {
    format!("{seed:08}").repeat(blocks * 256)
}

#[tokio::test]
async fn the_model_says_which_endpoints_may_have_a_prompt() {
    let world = World::start().await;

    for seed in 0..4 {
        assert_eq!(world.ask_of("qwen-3-4b", &text(seed, 2)).await.header("x-endpoint"), "b");
    }
    assert_eq!(world.ask_of("gpt-x", "hello").await.status, 503);
    let mut short: Vec<_> = Vec::new();
    for _ in 0..3 {
        short.push(world.ask("hello").await.header("x-endpoint").to_owned());
    }
    short.sort();
    assert_eq!(short, ["a", "b", "c"], "what is shorter than a block is anywhere at home");
}

#[tokio::test]
async fn conversations_stay_and_a_prefix_that_all_share_sends_not_all_to_one_endpoint() {
    let world = World::start().await;
    let system = text(0, 3);
    let (mut homes, mut got) = (Vec::new(), [0; 3]);
    for seed in 1..=30 {
        let begun = format!("{system}{}", text(seed, 2));
        homes.push(world.ask(&begun).await.header("x-endpoint").to_owned());
    }
    for (seed, home) in (1..).zip(&homes) {
        let longer = format!("{system}{}{}", text(seed, 2), text(seed + 1000, 2));
        assert_eq!(world.ask(&longer).await.header("x-endpoint"), home, "conversation {seed}");
        got[["a", "b", "c"].iter().position(|name| name == home).unwrap()] += 1;
    }
    // The first few may be taken for one conversation.
    assert!(got.iter().all(|got| *got >= 5), "{got:?}");
}

#[tokio::test]
async fn who_has_many_waiting_gets_nothing_until_that_is_over() {
    let world = World::start().await;
    let prompt = text(7, 4);
    let home = world.ask(&prompt).await.header("x-endpoint").to_owned();
    let holder = world.engines.iter().find(|engine| engine.origin.name() == home).unwrap();

    holder.say(99).await;
    let elsewhere = world.ask(&prompt).await.header("x-endpoint").to_owned();
    holder.say(0).await;

    assert_ne!(elsewhere, home);
    let back = world.ask(&prompt).await.header("x-endpoint").to_owned();
    assert!(back == home || back == elsewhere, "both have had it now");
}
