//! What a balancer keeps between picks: for its cluster alone, for its successor, and of what it is told by feedback.

use std::time::Duration;

use super::cluster::MadeUpCluster;
use super::subject::{EndedEarly, Subject, TestResult, failed, not_made};
use crate::plugin::Artifact;
use crate::policy::{Balancer, EndpointId, EndpointIds, LeaseEnding, Outcome, PickRequest};
use crate::workbench::made_up::endpoints;
use crate::workbench::printed;

/// Endpoints of the clusters here.
const SIZE: usize = 16;

/// Picks that are compared.
const PICKS: u64 = 200;

/// Capabilities by which instances may rightly differ from each other.
pub(super) const SHARED: [&str; 5] = ["counters", "limit", "clock", "chance", "table"];

/// The same picks must get the same choices, whether another cluster picks in between or not. Where a plugin chooses by
/// chance or time, or by `counters`, which all instances share, there is nothing to compare.
pub(super) fn of_clusters(subject: &Subject<'_>) -> TestResult {
    // Names of their own, for `counters` belong to the name.
    let names = ["alone", "alone again", "beside another"].map(|how| format!("{} {how}", subject.file.name));
    let [alone, again, beside] = names.map(|name| subject.anew(&name));
    let (alone, again, beside) = (alone?, again?, beside?);
    let cluster = |plugin| MadeUpCluster::of(&Subject { plugin, ..*subject }, &endpoints(SIZE));
    let alone = sequence(&mut cluster(&alone)?, |_| Ok(()))?;
    if alone != sequence(&mut cluster(&again)?, |_| Ok(()))? {
        return Err(EndedEarly::NotApplicable(
            "its choices differ from one instance to the next, by chance or time".into(),
        ));
    }
    let mut other = cluster(&beside)?;
    let found = sequence(&mut cluster(&beside)?, |number| pick(&mut other, number + 1).map(drop))?;
    let Some(first) = alone.iter().zip(&found).position(|(one, other)| one != other) else { return Ok(()) };
    let (one, two) = (shown(alone.get(first)), shown(found.get(first)));
    if let Some(shared) =
        SHARED.iter().find(|shared| subject.plugin.artifact.imports().any(|import| import == **shared))
    {
        return Err(EndedEarly::NotApplicable(format!(
            "pick {first} chose {one} alone and {two} beside another cluster, but it imports `{shared}`; if that holds \
             something of one cluster, put the names of its endpoints into the key"
        )));
    }
    Err(failed(format_args!("pick {first} chose {one} where its cluster picks alone, {two} beside another cluster")))
}

/// Choices of a fixed sequence of picks, with something else done between them.
fn sequence(
    cluster: &mut MadeUpCluster,
    mut between: impl FnMut(u64) -> TestResult,
) -> Result<Vec<Option<EndpointId>>, EndedEarly> {
    let mut choices = Vec::new();
    for number in 0..PICKS {
        choices.push(pick(cluster, number)?);
        between(number)?;
    }
    Ok(choices)
}

fn pick(cluster: &mut MadeUpCluster, number: u64) -> Result<Option<EndpointId>, EndedEarly> {
    let eligible: EndpointIds = match number % 4 {
        0 => [0, 3, 4, 9, 15].into(),
        1 => [2].into(),
        _ => EndpointId::each(&[(); SIZE]).map(|(id, ())| id).collect(),
    };
    cluster.pick(&eligible, &[1, 1, 0, 2, 1], None)
}

pub(super) fn shown(choice: Option<&Option<EndpointId>>) -> String {
    choice.copied().flatten().map_or_else(|| "none".to_owned(), |id| id.to_string())
}

/// What is saved is taken by the next version, with the same members and with others.
pub(super) fn hand_over(subject: &Subject<'_>) -> TestResult {
    if !subject.plugin.artifact.exports().any(|export| export == "handover") {
        return Err(EndedEarly::NotApplicable("it exports no `handover`".to_owned()));
    }
    let mut before = MadeUpCluster::of(subject, &endpoints(SIZE))?;
    sequence(&mut before, |_| Ok(()))?;
    let Some(saved) = before.balancer.save() else {
        let fault = subject.plugin.artifact.role_status(subject.role).and_then(|status| status.last_fault);
        let fault = fault.unwrap_or_default();
        // Its first word is the kind by which faults are counted.
        return Err(failed(format_args!("`save` fails: {}", fault.split_once(": ").map_or(&*fault, |(_, why)| why))));
    };
    for size in [SIZE, 3, 4 * SIZE] {
        let what = format!("a cluster of {size} made-up endpoints");
        let name = subject.file.name;
        let (made, printed, _) =
            printed::collect(name, || subject.plugin.successor(&endpoints(size), Some(saved.clone())));
        let mut balancer = made.map_err(|error| not_made(&what, &error))?;
        // Only the log says that a state was not taken: it refuses no swap.
        if let Some(refused) =
            printed.iter().find(|line| line.text.contains("predecessor's state")).filter(|_| size == SIZE)
        {
            return Err(failed(format_args!(
                "what `save` returned ({} bytes), `restore` does not take: {}",
                saved.len(),
                refused.text
            )));
        }
        let eligible: EndpointIds = EndpointId::each(&vec![(); size]).map(|(id, ())| id).collect();
        let busy = vec![0; size];
        let pick = PickRequest { eligible: &eligible, busy: &busy, affinity: None, request: None };
        balancer.pick(&pick).map_err(|fault| failed(format_args!("after `restore`, in {what}: {}", fault.detail)))?;
    }
    Ok(())
}

/// Every way in which a lease can end.
pub(super) fn feedback(subject: &Subject<'_>) -> TestResult {
    let plugin = subject.anew(subject.file.name)?;
    let mut cluster = MadeUpCluster::of(&Subject { plugin: &plugin, ..*subject }, &endpoints(SIZE))?;
    if !cluster.balancer.wants_feedback() {
        return Err(EndedEarly::NotApplicable("it exports no `feedback`".to_owned()));
    }
    for number in 0..PICKS {
        if let Some(id) = pick(&mut cluster, number)? {
            feed_back(&mut *cluster.balancer, id, number);
        }
    }
    // A lease that began before this instance did is not heard of; but one that was opened may end long after the
    // endpoint has left those that are eligible.
    cluster.balancer.opened(EndpointId(7));
    cluster.pick(&[1].into(), &[0], None)?;
    cluster.balancer.closed(EndpointId(7), &outcome(0));
    no_faults(subject, &plugin.artifact)
}

/// A lease that begins and ends.
pub(super) fn feed_back(balancer: &mut dyn Balancer, id: EndpointId, number: u64) {
    balancer.opened(id);
    balancer.closed(id, &outcome(number));
}

fn outcome(number: u64) -> Outcome {
    let (ending, status) = match number % 5 {
        0 => (LeaseEnding::Complete, Some(200)),
        1 => (LeaseEnding::Unreachable, None),
        2 => (LeaseEnding::Broken, None),
        3 => (LeaseEnding::Abandoned, Some(101)),
        _ => (LeaseEnding::Complete, Some(503)),
    };
    let duration = Duration::from_micros(if number.is_multiple_of(7) { 0 } else { number << 20 });
    let first_byte = status.map(|_| duration / 2);
    Outcome { ending, status, duration, first_byte, sent: number, received: number << 32 }
}

/// Faults of feedback cost no request; they are counted alone.
pub(super) fn no_faults(subject: &Subject<'_>, artifact: &Artifact) -> TestResult {
    match artifact.role_status(subject.role).and_then(|status| status.last_fault) {
        Some(fault) => Err(failed(fault)),
        None => Ok(()),
    }
}
