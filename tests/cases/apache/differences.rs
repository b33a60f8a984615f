//! Where the choices of Apache are not ours, as docs/apache.md tells: should it change its mind, we want to know.

use tidegate_tests::Origin;

use super::httpd::{self, Httpd};
use super::play::both;
use super::scene::{DRAINED, Member, READY, SPARE, Scene, script};
use super::sides::{Ours, Side};
use crate::running::{plain, websocket};

/// Balancer, members, script, what we choose, what Apache chooses.
type Differs = (&'static str, &'static [Member], &'static str, &'static str, &'static str);

const SCENES: &[Differs] = &[
    // A tie goes by the order of the file; there, to the member that is no spare.
    ("byrequests", &[SPARE, DRAINED, READY], "......", "acacac", "cacaca"),
    ("bybusyness", &[SPARE, DRAINED, READY], "++++++", "acacac", "cacaca"),
    // Turns of who was named by a cookie; there, he has had one.
    ("byrequests", &[READY, READY], ".. .a .a .a ......", "abaaaababab", "abaaabbbaba"),
    // Turns after a change of a weight go on; there, everyone begins with a turn in hand.
    ("byrequests", &[READY, READY, READY], ".. a*3 ..........", "abcaabacaaba", "abaabacaabac"),
];

#[tokio::test]
async fn turns_differ_where_it_is_documented() {
    let scenes = SCENES.iter().map(|(balancer, members, text, ..)| Scene::new(text, balancer, members, script(text)));

    let both = both(&scenes.collect::<Vec<_>>()).await;

    for ([found, apaches], (balancer, _, text, ours, theirs)) in both.iter().zip(SCENES) {
        assert_eq!(found, ours, "ours under {balancer}: {text}");
        assert_eq!(apaches, theirs, "Apache's under {balancer}: {text}, or the documentation is out of date");
    }
}

/// Until it ends; so that a member that has just come back looks busier than it is.
#[tokio::test]
async fn a_tunnel_that_went_on_to_another_member_counts_at_the_first_as_well_in_apache() {
    let Some(program) = httpd::found() else { return };
    let (nobody, origin) = (Origin::reserved(), Origin::named("b").start().await);
    let addresses = [nobody.address(), origin.address()];
    let scene = Scene::new("one is dead", "bybusyness", &[READY, READY], Vec::new());
    let apache = Httpd::start(program, &scene.for_apache(0, &addresses)).await;
    let ours = Ours::start(&scene.for_tidegate(0, &addresses)).await;

    let theirs = websocket(plain(apache.address()).await, "/0").await;
    let here = websocket(ours.connect().await, "/0").await;

    assert_eq!((theirs.endpoint(), here.endpoint()), ("b", "b"));
    apache.counted(2).await;
    ours.counted(1).await;
    theirs.close().await;
    apache.counted(0).await;
}
