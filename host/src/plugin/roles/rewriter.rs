//! A plugin as rewriter: one instance for each worker.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ::http::{HeaderName, HeaderValue, StatusCode};
use wasmtime::Store;
use wasmtime::component::Instance as Linked;

use super::super::artifact::Artifact;
use super::super::bindings::rewriter as contract;
use super::super::bindings::types::ConfigError;
use super::super::capabilities::printable;
use super::super::fault::Crash;
use super::super::host_state::HostState;
use super::super::load::{ConfigFault, Problem};
use super::super::plan::{Plan, Role};
use super::super::seat::Seat;
use super::super::surface::RoleKind;
use super::{costs_time, fields, per_worker};
use crate::lifecycle::PerWorker;
use crate::policy::{Edit, Fault, FaultKind, ResponseContext, Rewriter};

/// Header names of interest. Each costs a look into every response.
const NAMES: usize = 64;

/// Edits of one response.
const EDITS: usize = 128;

struct Rewriting {
    config: String,
}

impl Role for Rewriting {
    type Guest = contract::Guest;
    type Configured = Vec<String>;
    const KIND: RoleKind = RoleKind::Rewriter;

    /// See [`super::costs_time`].
    fn counts(kind: FaultKind) -> bool {
        costs_time(kind)
    }

    fn find(artifact: &Artifact, store: &mut Store<HostState>, instance: &Linked) -> wasmtime::Result<contract::Guest> {
        contract::GuestIndices::new(&artifact.compiled.pre)?.load(store, instance)
    }

    fn configure(
        &self,
        guest: &contract::Guest,
        store: &mut Store<HostState>,
    ) -> wasmtime::Result<Result<Vec<String>, Vec<ConfigError>>> {
        guest.call_configure(store, &self.config)
    }
}

/// See [`Artifact::rewriter`].
pub(in super::super) fn rewriter(
    artifact: &Arc<Artifact>,
    config: &serde_json::Value,
    workers: NonZeroUsize,
) -> Result<Box<dyn Rewriter>, Problem> {
    let plan = Plan::new(artifact, Rewriting { config: config.to_string() })?;
    let (seats, names) = per_worker(&plan, workers)?;
    Ok(Box::new(PluginRewriter { seats, interest: interest(&names)? }))
}

/// The header names that it asked for, each once.
fn interest(names: &[String]) -> Result<Vec<HeaderName>, Problem> {
    let (mut good, mut faults) = (Vec::new(), Vec::new());
    if names.len() > NAMES {
        let message = format!("expected at most {NAMES} header names of interest, found {}", names.len());
        return Err(Problem::Configure { faults: vec![ConfigFault { path: String::new(), message }] });
    }
    for name in names {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) if good.contains(&name) => {}
            Ok(name) => good.push(name),
            Err(_) => faults.push(ConfigFault {
                path: String::new(),
                message: format!("expected header names of interest, found `{}`", printable(name)),
            }),
        }
    }
    if faults.is_empty() { Ok(good) } else { Err(Problem::Configure { faults }) }
}

struct PluginRewriter {
    seats: PerWorker<Seat<Rewriting>>,
    interest: Vec<HeaderName>,
}

impl Rewriter for PluginRewriter {
    fn interest(&self) -> &[HeaderName] {
        &self.interest
    }

    fn rewrite(
        &self,
        context: &ResponseContext<'_>,
        status: StatusCode,
        fields: &[(HeaderName, HeaderValue)],
    ) -> Result<Vec<Edit>, Fault> {
        let mut seat = self.seats.mine();
        let ticks = seat.plan().artifact.ticks;
        let shown = Shown::of(fields);
        let context = contract::Context {
            scheme: context.scheme.into(),
            host: context.host.to_owned(),
            path: context.path.to_owned(),
            route: context.route,
            endpoint: context.endpoint.to_owned(),
        };
        let instance = seat.ready()?;
        let edits = instance
            .run(ticks, |guest, store| guest.call_rewrite(store, &context, status.as_u16().into(), &shown.fields));
        seat.settle(edits.and_then(|edits| checked(edits, fields, &shown.positions)))
    }
}

/// The fields that are text, and where each of them stood.
struct Shown {
    fields: Vec<(String, String)>,
    positions: Vec<usize>,
}

impl Shown {
    fn of(fields: &[(HeaderName, HeaderValue)]) -> Self {
        let (fields, positions) = fields
            .iter()
            .enumerate()
            .filter_map(|(position, (name, value))| {
                let text = std::str::from_utf8(value.as_bytes()).ok()?;
                Some(((name.as_str().to_owned(), text.to_owned()), position))
            })
            .unzip();
        Self { fields, positions }
    }
}

pub(super) fn checked(
    edits: Vec<contract::Edit>,
    fields: &[(HeaderName, HeaderValue)],
    positions: &[usize],
) -> Result<Vec<Edit>, Crash> {
    if edits.len() > EDITS {
        return Err(Crash::answer(format_args!("at most {EDITS} edits"), edits.len()));
    }
    let find = |index: u32| {
        let position = usize::try_from(index).ok().and_then(|index| positions.get(index)).copied();
        let field = position.and_then(|position| fields.get(position).map(|(name, _)| (position, name)));
        let (position, name) = field
            .ok_or_else(|| Crash::answer(format_args!("the index of one of {} fields", positions.len()), index))?;
        fields::allowed(name)?;
        Ok((position, name))
    };
    edits
        .into_iter()
        .map(|edit| match edit {
            contract::Edit::Replace((index, text)) => {
                let (position, name) = find(index)?;
                Ok(Edit::Replace(position, fields::value(name, &text)?))
            }
            contract::Edit::Remove(index) => Ok(Edit::Remove(find(index)?.0)),
            contract::Edit::Add((name, text)) => {
                let name = fields::name(&name)?;
                let value = fields::value(&name, &text)?;
                Ok(Edit::Add(name, value))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_interest_are_kept_once_and_are_limited() {
        let names = ["location", "Location", "set-cookie"].map(str::to_owned);
        let many: Vec<_> = (0..=NAMES).map(|name| format!("x-{name}")).collect();

        assert_eq!(interest(&names).unwrap(), ["location", "set-cookie"]);
        assert!(interest(&many[1..]).is_ok(), "as many as may be");
        assert!(interest(&many).unwrap_err().to_string().contains("at most 64 header names of interest, found 65"));
    }

    #[test]
    fn indices_count_the_fields_that_were_shown() {
        let fields = [
            (HeaderName::from_static("location"), HeaderValue::from_bytes(b"/\xff").unwrap()),
            (HeaderName::from_static("location"), HeaderValue::from_static("/a")),
        ];
        let shown = Shown::of(&fields);

        let edits = checked(vec![contract::Edit::Remove(0)], &fields, &shown.positions);

        assert_eq!(edits.unwrap(), [Edit::Remove(1)], "the first is not UTF-8 and was not shown");
    }

    #[test]
    fn edits_outside_the_contract_are_refused() {
        let fields = [
            (HeaderName::from_static("location"), HeaderValue::from_static("/a")),
            (HeaderName::from_static("content-length"), HeaderValue::from_static("3")),
        ];
        let shown = Shown::of(&fields);
        let refused = |edit| checked(vec![edit], &fields, &shown.positions).is_err();

        assert!(refused(contract::Edit::Remove(2)), "no such field");
        assert!(refused(contract::Edit::Remove(1)), "framing, though it was shown");
        assert!(refused(contract::Edit::Replace((0, "/\r\nx: y".into()))), "two lines");
        assert!(refused(contract::Edit::Add(("Transfer-Encoding".into(), "chunked".into()))), "framing");
        assert!(!refused(contract::Edit::Replace((0, "/b".into()))));
        let many = std::iter::repeat_n(contract::Edit::Remove(0), EDITS + 1).collect();
        assert!(checked(many, &fields, &shown.positions).is_err(), "too many");
    }
}
