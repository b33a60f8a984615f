//! The same tunnels through a real Apache httpd 2.4 and through ours: who gets which, and what becomes of a Location.
//!
//! Needs `apache2` with its modules (Debian's package); says so and does nothing where they are missing.

pub(crate) mod httpd;
mod locations;

use tidegate_tests::{BoxedIo, Gateway, Origin, Websocket, eventually, within};

use crate::running::{held, plain, websocket};
use httpd::Httpd;

/// Tunnels that are opened and closed in one scene.
const STEPS: usize = 48;

/// A member in both languages: what Apache is told, and what we are.
type Member = (&'static str, &'static str);

const READY: Member = ("", "");
const DISABLED: Member = ("status=+D", ", state = \"maint\"");
const SPARE: Member = ("status=+R", ", state = \"spare\"");
const STANDBY: Member = ("status=+H", ", state = \"standby\"");
const THRICE: Member = ("loadfactor=3", ", weight = 3");
const TWO_AND_A_HALF: Member = ("loadfactor=2.5", ", weight = 2.5");

const SCENES: &[(&str, &[Member])] = &[
    ("two alike", &[READY, READY]),
    ("two with weights", &[READY, THRICE]),
    ("three alike", &[READY, READY, READY]),
    ("three with weights", &[TWO_AND_A_HALF, READY, THRICE]),
    ("a spare that is not needed", &[READY, READY, SPARE]),
    ("a spare for a disabled one", &[READY, DISABLED, SPARE]),
    ("two spares for one disabled", &[READY, DISABLED, SPARE, SPARE]),
    ("a standby that is not needed", &[READY, READY, STANDBY]),
    ("a standby for all", &[DISABLED, DISABLED, STANDBY]),
    ("four, everything at once", &[THRICE, DISABLED, SPARE, STANDBY]),
    ("four with weights", &[READY, THRICE, TWO_AND_A_HALF, READY]),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    /// Closes the tunnel at this place among those that are open, oldest first.
    Close(usize),
}

/// Opens and closes in an order that looks like chance and is always the same: more opens than closes, and in the end
/// everything is closed.
fn script(seed: usize) -> Vec<Step> {
    let (mut state, mut open, mut steps) = (seed as u64 + 1, 0, Vec::new());
    for _ in 0..STEPS {
        // Knuth's MMIX constants.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chance = usize::try_from(state >> 40).unwrap();
        if open == 0 || chance % 5 < 3 {
            open += 1;
            steps.push(Step::Open);
        } else {
            steps.push(Step::Close((chance / 5) % open));
            open -= 1;
        }
    }
    steps.extend((0..open).map(|_| Step::Close(0)));
    steps
}

#[tokio::test]
async fn tunnels_go_to_the_endpoint_that_apache_chooses() {
    let Some(apache) = httpd::found() else { return };
    let origins = [
        Origin::named("a").start().await,
        Origin::named("b").start().await,
        Origin::named("c").start().await,
        Origin::named("d").start().await,
    ];
    let (mut theirs, mut ours) = (String::new(), String::new());
    for (number, (_, members)) in SCENES.iter().enumerate() {
        let members = members.iter().zip(&origins);
        let (mut balancer, mut endpoints) = (String::new(), String::new());
        for ((apache, tidegate), origin) in members {
            balancer += &format!("BalancerMember ws://{} {apache}\n", origin.address());
            endpoints += &format!("{{ url = \"ws://{}\"{tidegate} }},", origin.address());
        }
        theirs += &format!("<Proxy balancer://scene{number}>\n{balancer}ProxySet lbmethod=bybusyness\n</Proxy>\n");
        theirs += &format!("ProxyPass /{number} balancer://scene{number}/\n");
        ours += &format!("[[route]]\npath = \"/{number}\"\nto = \"balancer://scene{number}/\"\n");
        ours += &format!("[cluster.scene{number}]\nendpoints = [{endpoints}]\n");
    }
    let apache = Httpd::start(apache, &theirs).await;
    let gateway = Gateway::configure(&ours).start().await;

    let mut chosen = Vec::new();
    for (number, (scene, members)) in SCENES.iter().enumerate() {
        let path = format!("/{number}");
        let script = script(number);
        let counted = async |open: usize| {
            // It counts a close when its thread gets there.
            within("Apache's counts", async { while apache.busy().await != open {} }).await;
        };
        let expected = play(&script, &path, async || plain(apache.address()).await, counted).await;
        let counted = async |open: usize| {
            eventually("the counts", || held(&gateway) == open).await;
        };
        let found = play(&script, &path, async || gateway.connect().await, counted).await;

        assert_eq!(found, expected, "{scene}: ours, and Apache's, for {members:?} and {script:?}");
        chosen.push((scene, found));
    }
    // Were it not so, all this would prove little.
    assert!(chosen.iter().any(|(_, found)| found.contains('d')), "{chosen:?}");
}

/// Plays the script; the letters of the endpoints in the order of the opens.
async fn play(script: &[Step], path: &str, connect: impl AsyncFn() -> BoxedIo, counted: impl AsyncFn(usize)) -> String {
    let (mut open, mut chosen): (Vec<Websocket>, _) = (Vec::new(), String::new());
    for step in script {
        match step {
            Step::Open => {
                let tunnel = websocket(connect().await, path).await;
                chosen.push_str(tunnel.endpoint());
                open.push(tunnel);
            }
            Step::Close(place) => open.remove(*place).close().await,
        }
        counted(open.len()).await;
    }
    chosen
}
