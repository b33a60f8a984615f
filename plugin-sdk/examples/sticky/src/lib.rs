//! A session stays with its endpoint; a new one goes to the least busy. For MCP and for agents.
//!
//! ```text
//! id of the client's own:     balancer ─▶ table of sessions ─▶ its endpoint, or the least busy
//! id of the endpoint's (MCP): rewriter ─▶ "id~endpoint" to the client
//!                             "id~endpoint" ─▶ router ─▶ note ─▶ balancer      (the endpoint sees "id")
//! ```

pub mod mark;
pub mod sessions;

use serde::Deserialize;
use tidegate_plugin::edits::Side;
use tidegate_plugin::{
    About, Balancer, Candidates, Config, ConfigError, Context, Decision, Describe, Edit, Endpoint, Field, Handover,
    RequestLine, Rewriter, Router, edits, export_balancer, export_rewriter, export_router, notes, request,
};

use sessions::Sessions;

/// What the router tells the balancer: the mark of an endpoint.
const NOTE: &str = "session-endpoint";

/// As written.
#[derive(Clone, Debug, Deserialize, Config)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Header that has the id of a session.
    #[config(non_empty)]
    header: String,
    /// Field of the query that may have it, where the header is missing.
    query: Option<String>,
    /// Cookie that may have it, where both are missing.
    cookie: Option<String>,
    /// Sessions that are known; of those that were not used for longest, half may be forgotten.
    #[config(range = 2..=100_000)]
    most: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { header: "mcp-session-id".to_owned(), query: None, cookie: None, most: 100_000 }
    }
}

impl Settings {
    /// The id that the request names.
    fn id(&self) -> Option<String> {
        let filled = |id: &String| !id.is_empty();
        let header = request::header(&self.header).filter(filled);
        let query = || parameter(&request::line()?.query?, self.query.as_deref()?);
        let cookies = || request::values("cookie").iter().find_map(|line| cookie(line, self.cookie.as_deref()?));
        header.or_else(|| query().filter(filled)).or_else(|| cookies().filter(filled))
    }
}

/// The first value of `name` in a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The value of `name` in a field of cookies.
fn cookie(field: &str, name: &str) -> Option<String> {
    let mut pairs = field.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The balancer.
#[derive(Debug)]
pub struct StickyLeastBusy {
    settings: Settings,
    sessions: Sessions,
    marks: Vec<String>,
    weights: Vec<u32>,
    /// By id, when it last got a new session: where all are as busy, they take turns.
    given: Vec<u64>,
    turn: u64,
}

impl Balancer for StickyLeastBusy {
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
        let settings = Settings::read(config)?;
        let half = usize::try_from(settings.most / 2).unwrap_or(usize::MAX);
        let given = vec![0; endpoints.len()];
        let marks = endpoints.iter().map(|endpoint| mark::of(&endpoint.name)).collect();
        let weights = endpoints.iter().map(|endpoint| endpoint.weight.max(1)).collect();
        let sessions = Sessions::new(half, endpoints.into_iter().map(|endpoint| endpoint.name).collect());
        Ok(Self { settings, sessions, marks, weights, given, turn: 0 })
    }

    fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
        if let Some(noted) = notes::noted(NOTE) {
            let has_mark = |id: u32| usize::try_from(id).ok().and_then(|id| self.marks.get(id)) == Some(&noted);
            let own = candidates.iter().map(|candidate| candidate.id).find(|id| has_mark(*id));
            // Without its endpoint the session is gone: whoever gets the request says so, and the client begins anew.
            return own.or_else(|| self.least_busy(candidates));
        }
        let Some(id) = self.settings.id() else { return self.least_busy(candidates) };
        let session = sessions::key(&id);
        if let Some(endpoint) = self.sessions.find(session).filter(|endpoint| candidates.contains(*endpoint)) {
            return Some(endpoint);
        }
        let endpoint = self.least_busy(candidates)?;
        self.sessions.set(session, endpoint);
        Some(endpoint)
    }
}

impl StickyLeastBusy {
    fn least_busy(&mut self, candidates: Candidates<'_>) -> Option<u32> {
        let place = |id: u32| usize::try_from(id).unwrap_or(usize::MAX);
        let load = |busy: u32, id: u32| {
            let weight = self.weights.get(place(id)).copied().unwrap_or(1);
            // In hundredths of a connection for each of the weight: whole numbers compare exactly.
            (u64::from(busy) * 1_000_000 / u64::from(weight), self.given.get(place(id)).copied().unwrap_or(0))
        };
        let least = candidates.iter().min_by_key(|candidate| load(candidate.busy, candidate.id))?.id;
        self.turn += 1;
        if let Some(given) = self.given.get_mut(place(least)) {
            *given = self.turn;
        }
        Some(least)
    }
}

impl Handover for StickyLeastBusy {
    fn save(&self) -> Vec<u8> {
        self.sessions.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), String> {
        self.sessions.restore(state)
    }
}

impl Describe for StickyLeastBusy {
    fn description() -> About {
        About {
            name: "sticky".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "A session stays with its endpoint; a new one goes to the least busy.".to_owned(),
            schema: Some(Settings::schema()),
        }
    }
}

/// The router: takes the mark of an endpoint off an id, and notes it for the balancer.
#[derive(Debug)]
pub struct Unmarks(Settings);

impl Router for Unmarks {
    fn configure(config: &str, _clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
        Settings::read(config).map(Self)
    }

    fn route(&mut self, _line: &RequestLine) -> Decision {
        if let Some(value) = request::header(&self.0.header)
            && let Some((id, mark)) = mark::split(&value)
        {
            edits::set(Side::Request, &self.0.header, id);
            notes::note(NOTE, mark);
        }
        Decision::Next
    }
}

/// The rewriter: puts the mark of the endpoint behind an id that it gives.
#[derive(Debug)]
pub struct Marks(Settings);

impl Rewriter for Marks {
    fn configure(config: &str) -> Result<Self, Vec<ConfigError>> {
        Settings::read(config).map(Self)
    }

    fn interest(&self) -> Vec<String> {
        vec![self.0.header.to_ascii_lowercase()]
    }

    fn rewrite(&mut self, context: &Context, _status: u32, headers: &[Field]) -> Vec<Edit> {
        let marked =
            (0..).zip(headers).map(|(index, (_, id))| Edit::Replace((index, mark::join(id, &context.endpoint))));
        marked.collect()
    }
}

export_balancer!(StickyLeastBusy + Handover + Describe);
export_router!(Unmarks);
export_rewriter!(Marks);

#[cfg(test)]
mod tests;
