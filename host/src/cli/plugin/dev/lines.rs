//! A decision as one line for people.

use std::fmt::Write as _;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::policy::{
    Balancer as _, Choice, Decision, Effects, EndpointId, Fault, HeadEdit, HeaderEdit, LeaseUnits, LeastBusy, Note,
    Observation, Observed, PickRequest, RequestFacts, ShownResponse,
};
use crate::text::shortened;

/// Numbers of a list that are shown.
const NUMBERS: usize = 16;

/// Characters of a path or value that are shown.
const TEXT: usize = 120;

/// What was decided, from what, and how long it took.
pub(super) fn line(observation: &Observation<'_>) -> String {
    let Observation { decider, decided, effects, took } = observation;
    let mut line = match decided {
        Observed::Pick(request, chosen) => {
            let cluster = decider.cluster.as_deref().unwrap_or_default();
            format!("pick     {cluster}  {}", pick(request, *chosen, &decider.names))
        }
        Observed::Route(request, decision) => {
            format!("route    {}  → {}", asked(request), outcome(*decision, |one| route(one, &decider.names)))
        }
        Observed::Rewrite(shown, edits) => {
            format!("rewrite  {}  → {}", response(shown), outcome(*edits, |edits| rewrite(edits, shown.fields)))
        }
    };
    line.push_str(&beside(effects));
    // A string takes all that is written to it.
    let _ = write!(line, "  {}", time(*took));
    line
}

fn pick(request: &PickRequest<'_>, chosen: Result<Choice, &Fault>, names: &[String]) -> String {
    let named = |id: EndpointId| format!("{id} {}", id.of(names).map_or("", String::as_str));
    let chosen = match chosen {
        Ok(Choice::Take(id, LeaseUnits::ONE)) => named(id),
        Ok(Choice::Take(id, units)) => format!("{}  units {}", named(id), units.get()),
        Ok(Choice::Refuse(refusal)) => format!("none: {refusal}"),
        Err(fault) => {
            let instead = LeastBusy.pick(request).ok().and_then(Choice::endpoint).map(named).unwrap_or_default();
            format!("{}; the least busy stands in: {instead}", failed(fault))
        }
    };
    let affinity = request.affinity.map_or_else(|| "-".to_owned(), |hash| hash.to_string());
    let (eligible, busy) = (numbers(request.eligible.as_numbers()), numbers(request.busy));
    let asked = request.request.map(asked).unwrap_or_default();
    format!("{asked}  eligible {eligible}  busy {busy}  affinity {affinity}  → {chosen}")
}

fn route(decision: &Decision, clusters: &[String]) -> String {
    match decision {
        Decision::Forward(target) => {
            let mut text = target.cluster.of(clusters).cloned().unwrap_or_default();
            if let Some(path) = &target.path {
                let _ = write!(text, "  path {}", shortened(path, TEXT));
            }
            if let Some(route) = target.route {
                let _ = write!(text, "  route {route}");
            }
            text
        }
        Decision::Respond(response) => {
            let mut text = format!("responds {}", response.status.as_u16());
            for (name, value) in &response.headers {
                let _ = write!(text, "  {}", field(name, value));
            }
            let _ = write!(text, "  {} bytes", response.body.len());
            text
        }
        Decision::Unmatched => "unmatched: 404".to_owned(),
        Decision::Next => "next".to_owned(),
    }
}

fn response(shown: &ShownResponse<'_>) -> String {
    let ShownResponse { context, status, fields } = shown;
    let mut text = format!("{} of {} from {}", status.as_u16(), shortened(context.path, TEXT), context.endpoint);
    for (name, value) in *fields {
        let _ = write!(text, "  {}", field(name, value));
    }
    text
}

fn rewrite(edits: &[HeaderEdit], fields: &[(HeaderName, HeaderValue)]) -> String {
    let name = |at: &usize| fields.get(*at).map(|(name, _)| name.as_str()).unwrap_or_default().to_owned();
    let edits = edits.iter().map(|edit| match edit {
        HeaderEdit::Replace(at, value) => format!("replace {}: {}", name(at), text(value)),
        HeaderEdit::Remove(at) => format!("remove {}", name(at)),
        HeaderEdit::Add(name, value) => format!("add {}", field(name, value)),
    });
    let edits: Vec<_> = edits.collect();
    if edits.is_empty() { "no edits".to_owned() } else { edits.join(", ") }
}

/// What was done beside deciding.
fn beside(effects: &Effects) -> String {
    let mut text = String::new();
    for (side, edits) in [("request", effects.request()), ("response", effects.response())] {
        for edit in edits {
            let edit = match edit {
                HeadEdit::Set(name, value) => format!("set {}", field(name, value)),
                HeadEdit::Append(name, value) => format!("append {}", field(name, value)),
                HeadEdit::Remove(name) => format!("remove {name}"),
            };
            let _ = write!(text, "  {side}: {edit}");
        }
    }
    for Note { key, value } in effects.notes() {
        let _ = write!(text, "  note {}: {}", shortened(key, TEXT), shortened(value, TEXT));
    }
    text
}

fn outcome<T>(result: Result<T, &Fault>, shown: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|fault| format!("{}; 503", failed(fault)), shown)
}

/// A fault in full: its sentence may have the lines of a backtrace.
fn failed(fault: &Fault) -> String {
    format!("FAULT ({}): {}", fault.kind.as_str(), fault.detail)
}

fn asked(request: &RequestFacts) -> String {
    let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let what = request.upgrade.as_ref().map_or_else(|| request.method.to_string(), ToString::to_string);
    format!("{what} {}{}", request.host_and_port(), shortened(&format!("{}{query}", request.path), TEXT))
}

fn field(name: &HeaderName, value: &HeaderValue) -> String {
    format!("{name}: {}", text(value))
}

fn text(value: &HeaderValue) -> String {
    shortened(&String::from_utf8_lossy(value.as_bytes()), TEXT)
}

fn numbers(all: &[u32]) -> String {
    let shown: Vec<_> = all.iter().take(NUMBERS).map(u32::to_string).collect();
    let more = all.len().saturating_sub(NUMBERS);
    let more = if more > 0 { format!(" … ({more} more)") } else { String::new() };
    format!("{}{more}", shown.join(" "))
}

fn time(took: Duration) -> String {
    let micros = took.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.1} ms", micros / 1e3) }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
