//! Members of a balancer, and how it chooses among them.

use super::super::draft::{EndpointDraft, StickyDraft, TimeoutsDraft};
use super::super::report::{Report, Severity};
use super::super::tree::Place;
use super::goal::Goal;
use super::worker::{WorkerParameters, duration};

/// A member as written.
#[derive(Clone, Debug)]
pub(super) struct MemberFacts {
    pub(super) place: Place,
    pub(super) goal: Goal,
    pub(super) parameters: WorkerParameters,
}

pub(super) fn method(own: &WorkerParameters, report: &mut Report) -> &'static str {
    match own.get("lbmethod").map(str::to_ascii_lowercase).as_deref() {
        None | Some("byrequests") => "byrequests",
        Some("bybusyness") => "bybusyness",
        Some("bytraffic") => "bytraffic",
        Some("heartbeat") => {
            if let Some(place) = own.place("lbmethod") {
                report.refuse(
                    place,
                    "heartbeats need a listener of their own",
                    "[heartbeat] listen = \"IP:PORT\", and signals = { ready = { heartbeat = \"ready\" } }",
                );
            }
            "byrequests"
        }
        Some(other) => {
            if let Some(place) = own.place("lbmethod") {
                report.refuse(
                    place,
                    format!("`{other}` is no method of balancing here"),
                    "balancer = \"byrequests\" stands there now; see docs/balancing.md for others",
                );
            }
            "byrequests"
        }
    }
}

pub(super) fn endpoint(member: &MemberFacts, report: &mut Report) -> EndpointDraft {
    let parameters = &member.parameters;
    let mut endpoint = EndpointDraft { url: member.goal.url(), ..EndpointDraft::default() };
    endpoint.route = parameters.get("route").map(str::to_owned);
    endpoint.redirect = parameters.get("redirect").map(str::to_owned);
    endpoint.group = parameters.number("lbset").unwrap_or(0).min(99);
    endpoint.weight = parameters
        .get("loadfactor")
        .filter(|weight| *weight != "1" && weight.parse::<f64>().is_ok())
        .map(str::to_owned);
    endpoint.max_connections = parameters.number("max").filter(|most| *most > 0);
    if let Some(place) = parameters.place("max").filter(|_place| endpoint.max_connections.is_some()) {
        report.add(
            place,
            Severity::Changed,
            "max= counts connections of each process of Apache, max_connections those of the gateway",
            None,
        );
    }
    let mut set = true;
    for letter in parameters.get("status").unwrap_or_default().chars() {
        match letter.to_ascii_uppercase() {
            '+' => set = true,
            '-' => set = false,
            'D' | 'S' if set => endpoint.state = Some("maint"),
            'N' if set => endpoint.state = Some("drain"),
            'R' if set => endpoint.state = Some("spare"),
            'H' if set => endpoint.state = Some("standby"),
            'I' => endpoint.ignore_errors = set,
            _ => {}
        }
    }
    endpoint
}

/// The times of members; those of responses are told here and stand on the routes.
pub(super) fn timeouts(members: &[MemberFacts], report: &mut Report) -> TimeoutsDraft {
    let _largest = common(members, "timeout", report);
    TimeoutsDraft { connect: common(members, "connectiontimeout", report).map(duration), ..TimeoutsDraft::default() }
}

/// The largest value of a time in seconds, with a word if members differ.
pub(super) fn common(members: &[MemberFacts], name: &str, report: &mut Report) -> Option<u64> {
    let values: Vec<_> =
        members.iter().filter_map(|member| member.parameters.millis(name, 1000).map(|value| (value, member))).collect();
    let largest = values.iter().map(|(value, _member)| *value).max()?;
    let other = values.iter().find(|(value, _member)| *value != largest).map(|(_value, member)| *member);
    let silent = members.iter().find(|member| member.parameters.get(name).is_none()).and(values.first());
    if let Some(member) = other.or_else(|| silent.map(|(_value, member)| *member)) {
        let what = format!("`{name}` differs between members; the largest counts for the cluster");
        report.add(&member.place, Severity::Changed, what, Some("clusters of members that are treated alike"));
    }
    Some(largest)
}

pub(super) fn sticky(own: &WorkerParameters, issues: Option<&str>, report: &mut Report) -> Option<StickyDraft> {
    let written = own.get("stickysession")?;
    let (cookie, parameter) =
        written.split_once('|').map_or((written, None), |(cookie, name)| (cookie, Some(name.to_owned())));
    let separator = own
        .get("stickysessionsep")
        .map(|sep| if sep.eq_ignore_ascii_case("off") { String::new() } else { sep.to_owned() });
    let issue = issues == Some(cookie);
    // One name is that of a parameter as well, which cookies that the gateway gives out make needless.
    let parameter = parameter.or_else(|| (!issue).then(|| cookie.to_owned()));
    if let Some(other) = issues.filter(|_name| !issue)
        && let Some(place) = own.place("stickysession")
    {
        let what = format!("the cookie that clients get is {other}, the one that is read is {cookie}");
        report.add(place, Severity::Changed, what, Some("issue = {} in `sticky`, with the cookie that is meant"));
    }
    Some(StickyDraft { cookie: cookie.to_owned(), parameter, separator, no_failover: own.is_on("nofailover"), issue })
}
