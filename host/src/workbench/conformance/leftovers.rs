//! Whether a balancer reads what earlier calls have left in its memory: behind the end of `busy`, or where the arguments
//! of `configure` were.
//!
//! Picks from long lists fill that memory with busynesses, and a pick from a short one follows. Twice, with the same
//! eligible endpoints, all of which are equally busy in each pick: only *how* busy differs. Who reads no more than the
//! arguments chooses the same both times.

use super::cluster::MadeUpCluster;
use super::state::{SHARED, shown};
use super::subject::{EndedEarly, Subject, TestResult, failed};
use crate::policy::{EndpointId, EndpointIds};
use crate::workbench::made_up::endpoints;

/// How many are eligible in the picks that fill memory. The busynesses of each are left over behind those of the next.
const LENGTHS: [usize; 7] = [256, 128, 64, 32, 16, 8, 4];

/// Endpoints of the clusters here.
const SIZE: usize = 256;

/// Times that memory is filled and endpoints are chosen.
const ROUNDS: usize = 4;

/// Fails a balancer that chooses by what was left over.
pub(super) fn are_not_read(subject: &Subject<'_>) -> TestResult {
    let of = |busy: fn(u32) -> u32, most: usize| choices(subject, busy, most);
    let first = of(once, SIZE)?;
    if first != of(once, SIZE)? {
        return Err(EndedEarly::NotApplicable(
            "its choices differ from one instance to the next, by chance or time".into(),
        ));
    }
    let second = of(again, SIZE)?;
    let Some(at) = first.iter().zip(&second).position(|(one, other)| one.1 != other.1) else { return Ok(()) };
    // Lists that are no longer than the last one leave nothing behind it: who chooses differently even so remembers.
    if of(once, probe().len())? != of(again, probe().len())? {
        return Err(EndedEarly::NotApplicable(
            "its choices depend on how busy endpoints were in earlier picks, or how busy all of them are".into(),
        ));
    }
    let shares = SHARED.iter().find(|shared| subject.plugin.artifact.imports().any(|import| import == **shared));
    if let Some(shared) = shares {
        return Err(EndedEarly::NotApplicable(format!(
            "its choices depend on what earlier calls have left in memory, or on `{shared}`, which it imports"
        )));
    }
    let (one, two) = (first.get(at), second.get(at));
    let given = one.map(|(given, _)| given.as_str()).unwrap_or_default();
    let (one, two) = (shown(one.map(|(_, chosen)| chosen)), shown(two.map(|(_, chosen)| chosen)));
    Err(failed(format_args!(
        "{given}: chose {one}, and {two} after the same calls with other numbers in `busy`: it reads what earlier calls \
         have left in its memory. `busy` is by position: `busy[i]` is of the endpoint `eligible[i]`, no id is an index \
         of it. What is kept of the arguments of `configure` must be copied, or their memory not used again"
    )))
}

/// The busyness of all in the picks of one length.
fn once(step: u32) -> u32 {
    if step.is_multiple_of(2) { 10 + step } else { 1000 + step }
}

/// The same with the order of any two of them reversed, and what was less than a usual weight made more.
fn again(step: u32) -> u32 {
    if step.is_multiple_of(2) { 2000 - step } else { 30 - step }
}

/// Each pick of some rounds on a new instance, with what was chosen; no list is longer than `most`.
fn choices(
    subject: &Subject<'_>,
    busy: fn(u32) -> u32,
    most: usize,
) -> Result<Vec<(String, Option<EndpointId>)>, EndedEarly> {
    let mut cluster = MadeUpCluster::of(subject, &endpoints(SIZE))?;
    let all: Vec<_> = EndpointId::each(&[(); SIZE]).map(|(id, ())| id).collect();
    let mut choices = Vec::new();
    for _ in 0..ROUNDS {
        for (step, length) in (0..).zip(LENGTHS) {
            for part in all.iter().take(length).copied().collect::<Vec<_>>().chunks(most) {
                let eligible: EndpointIds = part.iter().copied().collect();
                let chosen = cluster.pick(&eligible, &[busy(step)], None)?;
                choices.push((format!("given {length} endpoints that are equally busy"), chosen));
            }
        }
        let chosen = cluster.pick(&probe(), &[3], None)?;
        let text = "given 4 of 256 endpoints, eligible [5, 14, 35, 62], busy [3, 3, 3, 3], no affinity";
        choices.push((text.to_owned(), chosen));
    }
    Ok(choices)
}

/// Read as indices of `busy`, these ids are in what lists of 8, 16, 32 and 64 have left over.
fn probe() -> EndpointIds {
    [5, 14, 35, 62].into()
}
