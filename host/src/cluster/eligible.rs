//! Which endpoints may be chosen now: Apache's selection loop (`ap_proxy_balancer_get_best_worker`), without its
//! choice.
//!
//! Groups are used up in ascending order. Within one, ready members compete; spares compete with them, at most as many
//! as there are members that cannot take work; standbys come in when there is no other.

use crate::config::EndpointState;
use crate::policy::{EndpointId, EndpointIds};

/// What eligibility depends on, for one member.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Lower groups first.
    pub group: u32,
    /// What the operator says.
    pub state: EndpointState,
    /// Not paused after failures, below its connection limit, not tried already.
    pub usable: bool,
}

/// Fills `into` with those of `candidates` that may be chosen; with none if there is none.
pub fn eligible(candidates: impl Iterator<Item = (EndpointId, Candidate)> + Clone, into: &mut EndpointIds) {
    into.clear();
    let mut group = candidates.clone().map(|(_, candidate)| candidate.group).min();
    while let Some(current) = group {
        let members = || candidates.clone().filter(move |(_, member)| member.group == current);
        let usable =
            |wanted| members().filter(move |(_, member)| member.state == wanted && member.usable).map(|(id, _)| id);
        let missing = members().filter(|(_, member)| is_missing(member)).count();
        into.fill(usable(EndpointState::Ready).chain(usable(EndpointState::Spare).take(missing)));
        if into.is_empty() {
            into.fill(usable(EndpointState::Standby));
        }
        if !into.is_empty() {
            return;
        }
        group = candidates.clone().map(|(_, candidate)| candidate.group).filter(|other| *other > current).min();
    }
}

/// Whether a spare may take this member's place.
fn is_missing(member: &Candidate) -> bool {
    match member.state {
        EndpointState::Ready => !member.usable,
        EndpointState::Drain | EndpointState::Maint => true,
        EndpointState::Spare | EndpointState::Standby => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a member: `.` ready, `x` ready but not usable, `D` maint, `N` drain, `R` spare, `H` standby;
    /// a digit before it sets the group.
    fn ids(text: &str) -> Vec<u32> {
        let mut group = 0;
        let mut members = vec![];
        for letter in text.chars() {
            if let Some(digit) = letter.to_digit(10) {
                group = digit;
                continue;
            }
            let state = match letter {
                'D' => EndpointState::Maint,
                'N' => EndpointState::Drain,
                'R' => EndpointState::Spare,
                'H' => EndpointState::Standby,
                _ => EndpointState::Ready,
            };
            members.push(Candidate { group, state, usable: letter != 'x' });
        }
        let mut into = EndpointIds::default();
        eligible(EndpointId::each(&members).map(|(id, member)| (id, *member)), &mut into);
        into.as_numbers().to_vec()
    }

    #[test]
    fn members_are_eligible_as_in_apache() {
        let cases: &[(&str, &[u32])] = &[
            ("..", &[0, 1]),
            ("..R", &[0, 1]),
            (".DR", &[0, 2]),
            (".NR", &[0, 2]),
            (".xR", &[0, 2]),
            (".xRR", &[0, 2]),
            ("xxRR", &[2, 3]),
            ("RDD.", &[0, 3]),
            ("DDH", &[2]),
            (".DH", &[0]),
            ("DDRH", &[2]),
            ("0x0.1.", &[1]),
            ("0xx1..", &[2, 3]),
            ("0xH1..", &[1]),
            ("1..0..", &[2, 3]),
            ("0x1x5.", &[2]),
            ("xDN", &[]),
            ("", &[]),
        ];
        for (members, expected) in cases {
            assert_eq!(ids(members), *expected, "members {members:?}");
        }
    }
}
