//! Scenes that are written out, one for each rule by which Apache chooses.
//!
//! What they leave out is in [`super::differences`], but for two things of failure: when a failed member is tried again
//! (Apache's flat `retry` is hours here; the operator has failures forgotten on both sides), and what becomes of a cluster
//! all of whose members have failed (both refuse here).

use super::play::compare;
use super::scene::{DISABLED, DRAINED, Member, READY, SPARE, STANDBY, Scene, script};

type Written = (&'static str, &'static [Member], &'static str);

const BY_REQUESTS: &[Written] = &[
    ("two alike", &[READY, READY], "............"),
    ("three alike", &[READY, READY, READY], "............"),
    ("1:2:5", &[READY, READY.weighs("2"), READY.weighs("5")], "................................"),
    ("1 and 1.5", &[READY, READY.weighs("1.5")], "...................."),
    (
        "fractions",
        &[READY.weighs("1.5"), READY.weighs("2.25"), READY.weighs("1.01")],
        "........................................",
    ),
    ("tunnels are requests", &[READY, READY.weighs("2")], "+++ ... -0 ++ -1 -1 ... +++"),
    ("one fails and is back", &[READY, READY, READY], "..... b! ....... b? .........."),
    (
        "the heaviest fails and is back",
        &[READY, READY.weighs("2"), READY.weighs("5")],
        "... c! ............ c? ....................",
    ),
    ("two fail and are back", &[READY, READY.weighs("1.5"), READY], ".. a! ... c! ... c? ..... a? .........."),
    (
        "a group fails and is back",
        &[READY, READY.weighs("3"), READY.group(1), READY.weighs("2").group(1)],
        "..... a! ..... b! ........ b? ..... a? ........",
    ),
    (
        "a second group behind a group of spares",
        &[SPARE, READY.group(1), READY.group(2)],
        "..... b=drain .... b=ready ....",
    ),
    ("a hot spare for a drained one", &[READY, READY, SPARE], ".... b=drain ...... b=ready ....."),
    ("two hot spares for a disabled one", &[READY, READY.weighs("2"), SPARE, SPARE], "... b=maint ........"),
    ("a hot spare for one that fails", &[READY, READY.weighs("2"), SPARE.weighs("3")], "... b! ........ b? ........"),
    ("spares for two that fail", &[READY, READY, SPARE, SPARE], "... a! .... b! ....... b? .... a? ...."),
    ("spare and standby for one", &[READY, SPARE, STANDBY], "... a! ..... a? ..."),
    (
        "a spare fails too, and the standby steps in",
        &[READY, SPARE, STANDBY],
        "... a=drain ... b=drain .... a=ready ...",
    ),
    (
        "standbys before the next group",
        &[READY, STANDBY, STANDBY, READY.group(1)],
        ".. a=drain ...... b=drain ... c=drain ... a=ready ...",
    ),
    ("nobody", &[READY, READY, DRAINED], ".. a=drain .. b=drain ... a=ready ..."),
    (
        "enabled within a round",
        &[READY, DISABLED, READY.weighs("3")],
        ".. b=ready ......... b=maint ... b=ready ......",
    ),
    (
        "to another group and back",
        &[READY, READY.weighs("2"), READY],
        "..... c=1 ..... b=1 a=2 ...... a=0 ... b=0 c=0 .......",
    ),
];

const BY_BUSYNESS: &[Written] = &[
    ("requests alone take turns", &[READY, READY.weighs("2"), READY.weighs("5")], "........................"),
    (
        "requests beside tunnels",
        &[READY, READY.weighs("2"), READY.weighs("1.5")],
        "+++ .... + ... -0 .... ++++ -1 -1 ... -0 ......",
    ),
    ("one fails with its tunnels and is back", &[READY, READY, READY], "++++++ .. b! ++++ .. b? +++++ -0 -0 ...."),
    (
        "a group fails with its tunnels and is back",
        &[READY, READY.weighs("3"), READY.group(1), READY.group(1)],
        "+++++ a! +++ b! ++++ .... a? +++ b? +++++ -3 -0 ..",
    ),
    (
        "drained, its tunnels stay",
        &[READY, READY.weighs("2"), READY],
        "++++++ b=drain ++++ -1 .... b=ready ++++++ -0 -2 ....",
    ),
    ("a hot spare while one drains", &[READY, READY, SPARE], "++++ a=drain ++++++ .. a=ready ++++ -0 -0 +++"),
    ("a hot spare while one is disabled", &[READY, READY, SPARE], "++++ a=maint ++++++ .. -0 -1 +++"),
    (
        "disabled and enabled, its tunnels stay",
        &[READY, DISABLED, READY.weighs("3")],
        "+++++ b=ready ++++++++ b=maint -0 -0 ... b=ready +++++++",
    ),
    (
        "spare and standby",
        &[READY, READY, SPARE, STANDBY],
        "+++ a=drain +++ b=drain +++ c=drain +++ b=ready +++ c=spare +++",
    ),
    ("spare and standby while two fail", &[READY, READY, SPARE, STANDBY], "+++ a! +++ b! +++ a? ++++ b? ++++"),
];

/// All weights are alike and only who drains is named, so that turns of the others stay as they were.
const STICKY: &[(&str, Written)] = &[
    (
        "byrequests",
        ("drained, it keeps who names it", &[READY, READY, READY], "... a=drain ... .a .a .... .a ..... +a .. .b .c"),
    ),
    ("byrequests", ("disabled, it keeps nobody", &[READY, READY], ".. a=maint .a .a .. +a .b")),
    ("byrequests", ("failed, it keeps nobody", &[READY, READY, READY], "... a! .a .. .a . +a ...")),
    (
        "bybusyness",
        (
            "drained, it keeps who names it",
            &[READY, READY, READY],
            "++++++ a=drain +++ +a +a +++ .a ... -0 -0 ++ +a ++++ .b .c",
        ),
    ),
    (
        "bybusyness",
        ("a drained one beside a spare", &[READY, READY, SPARE], "++++ a=drain +++ +a +a +++ .a ... -1 -3 ++++"),
    ),
];

fn scenes(balancer: &'static str, written: &[Written]) -> Vec<Scene> {
    written.iter().map(|(name, members, text)| Scene::new(name, balancer, members, script(text))).collect()
}

#[tokio::test]
async fn byrequests_takes_turns_as_apache_does() {
    let chosen = compare(&scenes("byrequests", BY_REQUESTS)).await;

    assert!(chosen.is_empty() || chosen[0] == "abababababab", "{chosen:?}");
}

#[tokio::test]
async fn bybusyness_weighs_requests_failures_and_states_as_apache_does() {
    let chosen = compare(&scenes("bybusyness", BY_BUSYNESS)).await;

    assert!(chosen.is_empty() || chosen.iter().any(|chosen| chosen.contains('d')), "{chosen:?}");
}

#[tokio::test]
async fn a_drained_endpoint_keeps_its_clients_as_in_apache() {
    let scenes: Vec<_> = STICKY.iter().flat_map(|(balancer, written)| scenes(balancer, &[*written])).collect();

    let chosen = compare(&scenes).await;

    assert!(chosen.is_empty() || chosen[0].matches('a').count() > 4, "{chosen:?}");
}
