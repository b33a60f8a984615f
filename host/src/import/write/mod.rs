//! A draft as text, as a person would write it.

mod cluster;
mod listener;
mod remarks;
mod route;
mod value;

use std::fmt::Write as _;

use super::draft::Draft;
pub(super) use value::text;

/// The text of a `tidegate.toml`.
#[must_use]
pub fn write(draft: &Draft) -> String {
    let mut out = String::new();
    if !draft.error_pages.files.is_empty() {
        out.push_str("[gateway]\n");
        route::error_pages(&mut out, &draft.error_pages);
        out.push('\n');
    }
    if !draft.trusted.is_empty() {
        _ = writeln!(out, "[gateway.forwarded]\ntrusted = {}\n", value::list(&draft.trusted));
    }
    for listener in &draft.listeners {
        listener::write(&mut out, listener);
    }
    for route in &draft.routes {
        route::write(&mut out, route);
    }
    for cluster in &draft.clusters {
        cluster::write(&mut out, cluster);
    }
    // One line end at the end.
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
