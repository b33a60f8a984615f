//! Tunnels under `bybusyness`, opened and closed in an order that looks like chance.

use fastrand::Rng;

use super::play::compare;
use super::scene::{DISABLED, Member, READY, SPARE, STANDBY, Scene, Step};

/// Tunnels that are opened and closed in one scene.
const STEPS: usize = 48;

const SCENES: &[(&str, &[Member])] = &[
    ("two alike", &[READY, READY]),
    ("two with weights", &[READY, READY.weighs("3")]),
    ("three alike", &[READY, READY, READY]),
    ("three with weights", &[READY.weighs("2.5"), READY, READY.weighs("3")]),
    ("1:2:5", &[READY, READY.weighs("2"), READY.weighs("5")]),
    ("a spare that is not needed", &[READY, READY, SPARE]),
    ("a spare for a disabled one", &[READY, DISABLED, SPARE]),
    ("two spares for one disabled", &[READY, DISABLED, SPARE, SPARE]),
    ("a standby that is not needed", &[READY, READY, STANDBY]),
    ("a standby for all", &[DISABLED, DISABLED, STANDBY]),
    ("four, everything at once", &[READY.weighs("3"), DISABLED, SPARE, STANDBY]),
    ("four with weights", &[READY, READY.weighs("3"), READY.weighs("2.5"), READY]),
];

/// More opens than closes, and in the end everything is closed.
fn opens_and_closes(seed: u64) -> Vec<Step> {
    let (mut chance, mut open, mut steps) = (Rng::with_seed(seed), 0, Vec::new());
    for _ in 0..STEPS {
        if open == 0 || chance.usize(..5) < 3 {
            open += 1;
            steps.push(Step::Open(None));
        } else {
            steps.push(Step::Close(chance.usize(..open)));
            open -= 1;
        }
    }
    steps.extend((0..open).map(|_| Step::Close(0)));
    steps
}

#[tokio::test]
async fn tunnels_go_to_the_endpoint_that_apache_chooses() {
    let scenes = (1..).zip(SCENES).map(|(seed, (name, members))| {
        let script = opens_and_closes(seed);
        Scene::new(name, "bybusyness", members, script)
    });
    let scenes: Vec<_> = scenes.collect();

    let chosen = compare(&scenes).await;

    // Were it not so, all this would prove little.
    assert!(chosen.is_empty() || chosen.iter().any(|chosen| chosen.contains('d')), "{chosen:?}");
}
