//! Everything together, in an order that looks like chance: tunnels, requests, drains, failures and returns.

use fastrand::Rng;

use super::play::compare;
use super::scene::{DISABLED, DRAINED, Member, NAMES, READY, SPARE, STANDBY, Scene, State, Step};

/// Things that are done in one scene.
const STEPS: usize = 60;

/// Orders that each cluster is put through.
const SEEDS: u64 = 3;

/// Spares stand last: one that is written before a ready member loses a tie in Apache, and wins it here.
const CLUSTERS: &[(&str, &[Member])] = &[
    ("three alike", &[READY, READY, READY]),
    ("weights", &[READY, READY.weighs("2"), READY.weighs("5"), READY.weighs("1.5")]),
    ("groups", &[READY, READY.weighs("3"), READY.group(1), READY.weighs("2").group(1)]),
    ("spares", &[READY, READY.weighs("2"), READY, SPARE, SPARE.weighs("3")]),
    ("spare and standby", &[READY.weighs("1.5"), READY, DISABLED, SPARE, STANDBY]),
    ("all of it", &[READY.weighs("2"), READY, DRAINED, SPARE.weighs("2.5"), READY.group(1)]),
];

/// A member that something happens to.
#[derive(Clone, Copy)]
struct Victim {
    name: char,
    home: State,
    /// Killed are members that are asked sooner or later, whatever else goes on, so that the proxy notices.
    may_be_killed: bool,
    is_alive: bool,
    is_home: bool,
}

fn mix(members: &[Member], chance: &mut Rng) -> Vec<Step> {
    let victims = NAMES.chars().zip(members).filter(|(_, member)| member.state.takes_work());
    let victim = |(name, member): (char, &Member)| {
        let may_be_killed = member.state == State::Ready && member.group == 0;
        Victim { name, home: member.state, may_be_killed, is_alive: true, is_home: true }
    };
    let mut victims: Vec<_> = victims.map(victim).collect();
    let mut steps = Vec::new();
    while steps.len() < STEPS {
        let at = chance.usize(..victims.len());
        let victim = &mut victims[at];
        steps.push(match chance.usize(..24) {
            0..=8 => Step::Open(None),
            9..=13 => Step::Close(chance.usize(..STEPS)),
            14..=18 => Step::Ask(None),
            19..=20 if victim.is_home => {
                victim.is_home = false;
                Step::Put(victim.name, if chance.usize(..2) == 0 { State::Drain } else { State::Maint })
            }
            // Sooner back than away, so that there is somebody to choose from.
            19..=22 if !victim.is_home => {
                victim.is_home = true;
                Step::Put(victim.name, victim.home)
            }
            21..=23 if victim.is_home && victim.may_be_killed => {
                victim.is_alive = !victim.is_alive;
                if victim.is_alive { Step::Back(victim.name) } else { Step::Kill(victim.name) }
            }
            _ => continue,
        });
    }
    steps
}

fn mixes(balancer: &'static str) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (place, (name, members)) in (0..).zip(CLUSTERS) {
        for seed in place * SEEDS..(place + 1) * SEEDS {
            let script = mix(members, &mut Rng::with_seed(seed));
            scenes.push(Scene::new(&format!("{name}, order {seed}"), balancer, members, script));
        }
    }
    scenes
}

#[tokio::test]
async fn whatever_happens_bybusyness_chooses_as_apache_does() {
    let chosen = compare(&mixes("bybusyness")).await;

    assert!(chosen.is_empty() || chosen.iter().any(|chosen| chosen.contains('-')), "{chosen:?}");
}

#[tokio::test]
async fn whatever_happens_byrequests_chooses_as_apache_does() {
    let chosen = compare(&mixes("byrequests")).await;

    assert!(chosen.is_empty() || chosen.iter().any(|chosen| chosen.contains('e')), "{chosen:?}");
}
