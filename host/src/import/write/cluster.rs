//! `[cluster.NAME]`

use std::fmt::Write as _;

use super::super::draft::{ClientTlsDraft, ClusterDraft, EndpointDraft, HealthDraft, StickyDraft};
use super::remarks::origin;
use super::route::timeouts;
use super::value::{table, text};

pub(super) fn write(out: &mut String, cluster: &ClusterDraft) {
    origin(out, &cluster.places);
    _ = writeln!(out, "[cluster.{}]", super::value::key(&cluster.name));
    if let Some(balancer) = cluster.balancer {
        _ = writeln!(out, "balancer = {}", text(balancer));
    }
    if cluster.http2 {
        out.push_str("protocol = \"h2\"\n");
    }
    if !cluster.timeouts.is_empty() {
        _ = writeln!(out, "timeouts = {}", timeouts(&cluster.timeouts));
    }
    if cluster.unpooled {
        out.push_str("pool = { size = 0 }\n");
    }
    if let Some(pause) = &cluster.pause {
        _ = writeln!(out, "pause = {{ first = {0}, longest = {0} }}", text(pause));
    }
    if let Some(recovery) = cluster.force_recovery {
        _ = writeln!(out, "force_recovery = {recovery}");
    }
    if let Some(wait) = &cluster.wait {
        _ = writeln!(out, "wait = {}", text(wait));
    }
    if !cluster.fail_on.is_empty() {
        let statuses: Vec<_> = cluster.fail_on.iter().map(ToString::to_string).collect();
        _ = writeln!(out, "fail_on = [{}]", statuses.join(", "));
    }
    if let Some(sticky) = &cluster.sticky {
        _ = writeln!(out, "sticky = {}", stickiness(sticky));
    }
    if let Some(attempts) = cluster.attempts {
        _ = writeln!(out, "retry = {{ attempts = {attempts} }}");
    }
    if let Some(tls) = &cluster.tls {
        secure(out, tls);
    }
    if let Some(health) = &cluster.health {
        _ = writeln!(out, "health = {}", probes(health));
    }
    match cluster.endpoints.as_slice() {
        [one] => _ = writeln!(out, "endpoints = [{}]", endpoint(one)),
        several => {
            out.push_str("endpoints = [\n");
            for one in several {
                _ = writeln!(out, "  {},", endpoint(one));
            }
            out.push_str("]\n");
        }
    }
    out.push('\n');
}

fn secure(out: &mut String, tls: &ClientTlsDraft) {
    let mut entries = Vec::new();
    entries.extend(tls.ca.as_ref().map(|file| format!("ca = {}", text(file))));
    if tls.unverified {
        entries.push("verify = \"none\"".to_owned());
    }
    entries.extend(tls.server_name.as_ref().map(|name| format!("server_name = {}", text(name))));
    if let Some(file) = &tls.certificate {
        entries.push(format!("certificate = {0}, key = {0}", text(file)));
    }
    if !entries.is_empty() {
        _ = writeln!(out, "tls = {}", table(&entries));
    }
}

fn endpoint(endpoint: &EndpointDraft) -> String {
    let mut entries = vec![format!("url = {}", text(&endpoint.url))];
    entries.extend(endpoint.weight.as_ref().map(|weight| format!("weight = {weight}")));
    entries.extend(endpoint.route.as_ref().map(|route| format!("route = {}", text(route))));
    entries.extend(endpoint.redirect.as_ref().map(|route| format!("redirect = {}", text(route))));
    if endpoint.group != 0 {
        entries.push(format!("group = {}", endpoint.group));
    }
    entries.extend(endpoint.state.map(|state| format!("state = {}", text(state))));
    entries.extend(endpoint.max_connections.map(|most| format!("max_connections = {most}")));
    if endpoint.ignore_errors {
        entries.push("ignore_errors = true".to_owned());
    }
    if entries.len() == 1 { text(&endpoint.url) } else { table(&entries) }
}

fn stickiness(sticky: &StickyDraft) -> String {
    let mut entries = vec![format!("cookie = {}", text(&sticky.cookie))];
    entries.extend(sticky.parameter.as_ref().map(|name| format!("parameter = {}", text(name))));
    entries.extend(sticky.separator.as_ref().map(|separator| format!("separator = {}", text(separator))));
    if sticky.no_failover {
        entries.push("failover = false".to_owned());
    }
    if sticky.issue {
        entries.push("issue = {}".to_owned());
    }
    table(&entries)
}

fn probes(health: &HealthDraft) -> String {
    let mut entries = vec![format!("probe = {}", text(health.probe))];
    entries.extend(health.path.as_ref().map(|path| format!("path = {}", text(path))));
    entries.extend(health.method.map(|method| format!("method = {}", text(method))));
    entries.extend(health.expect.as_ref().map(|list| format!("expect = [{}]", text(list))));
    entries.extend(health.body.as_ref().map(|body| format!("body = {}", text(body))));
    entries.push(format!("interval = {}", text(&health.interval)));
    entries.push(format!("rise = {}", health.rise));
    entries.push(format!("fall = {}", health.fall));
    table(&entries)
}
