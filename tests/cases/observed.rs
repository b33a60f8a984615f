//! Whoever asks for it at build is shown each decision of the plugins, with what it was made from.

use std::sync::{Arc, Mutex};

use tidegate::gateway::BuildOptions;
use tidegate::policy::{Decision, DecisionObserver, Observation, Observed};
use tidegate_tests::guests::wat;
use tidegate_tests::{Gateway, Origin};

use crate::faults::provoking;

/// One line for each decision.
#[derive(Debug, Default)]
struct Lines(Mutex<Vec<String>>);

impl DecisionObserver for Lines {
    fn observe(&self, observation: &Observation<'_>) {
        let plugin = &observation.decider.plugin;
        let line = match &observation.decided {
            Observed::Pick(request, chosen) => {
                let chosen = match chosen {
                    Ok(chosen) => chosen.endpoint().and_then(|id| id.of(&observation.decider.names)).cloned(),
                    Err(fault) => Some(fault.kind.as_str().to_owned()),
                };
                let (eligible, busy) = (request.eligible.as_numbers(), request.busy);
                format!("{plugin} of {:?}: {eligible:?} {busy:?} {chosen:?}", observation.decider.cluster)
            }
            Observed::Route(request, Ok(Decision::Forward(target))) => {
                format!("{plugin}: {} to {:?}", request.path, target.cluster.of(&observation.decider.names))
            }
            Observed::Route(request, other) => format!("{plugin}: {} {other:?}", request.path),
            Observed::Rewrite(shown, edits) => {
                format!("{plugin}: {} {:?} {}", shown.status, shown.fields, edits.as_ref().unwrap().len())
            }
        };
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn every_role_is_seen_with_its_inputs_and_a_failed_pick_with_its_kind() {
    let moved = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";
    let origin = Origin::saying(moved).start().await;
    let lines = Arc::new(Lines::default());
    let gateway = Gateway::configure(
        "[[route]]\npath = \"/\"\nto = \"balancer://one\"\n[cluster.one]\nbalancer = \"guest\"\n\
         endpoints = [\"http://{origin}\"]\n[plugin.guest]\nfile = {file}\n",
    )
    .put("origin", origin.address())
    .put("file", format!("{:?}", wat("trap")))
    .start_with(BuildOptions { observer: Some(lines.clone()), ..BuildOptions::default() })
    .await;

    let _picked = gateway.get("/a").await;
    let _stood_in_for = gateway.send(provoking("/b")).await;

    let seen = lines.0.lock().unwrap().clone();
    let shown = "reverse: 302 Found [(\"location\", \"/there\")] 0";
    let expected = [
        "prefix: /a to Some(\"one\")".to_owned(),
        format!("guest of Some(\"one\"): [0] [0] Some(\"http://{}\")", origin.address()),
        shown.to_owned(),
        "prefix: /b to Some(\"one\")".to_owned(),
        "guest of Some(\"one\"): [0] [0] Some(\"trap\")".to_owned(),
        shown.to_owned(),
    ];
    assert_eq!(seen, expected);
}
