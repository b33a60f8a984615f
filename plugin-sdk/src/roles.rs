//! What a plugin implements: one trait per role, and one per optional interface.

use crate::{
    About, Candidates, Choice, ConfigError, Context, Decision, Edit, Endpoint, Field, Outcome, Refusal, RequestLine,
    Sight, Taken,
};

/// Who gets the next connection or request. One instance per cluster: plain state is right and safe.
///
/// A whole plugin, with everything that is optional for a balancer: who broke off last is chosen last.
///
/// ```
/// use serde::Deserialize;
/// use tidegate_plugin::{
///     About, Balancer, Candidates, Config, ConfigError, Describe, Ending, Endpoint, Feedback, Handover, Outcome, clock,
///     export_balancer, log,
/// };
///
/// #[derive(Deserialize, Config)]
/// #[serde(deny_unknown_fields, default)]
/// struct Settings {
///     /// Seconds for which an endpoint that broke off is chosen last.
///     #[config(range = 1..=3600)]
///     rest: u32,
/// }
///
/// impl Default for Settings {
///     fn default() -> Self {
///         Self { rest: 10 }
///     }
/// }
///
/// struct Rests {
///     settings: Settings,
///     names: Vec<String>,
///     /// By id: when it may be chosen like the others again, in microseconds.
///     until: Vec<f64>,
/// }
///
/// impl Balancer for Rests {
///     fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
///         let settings = Settings::read(config)?;
///         let until = vec![0.0; endpoints.len()];
///         Ok(Self { settings, names: endpoints.into_iter().map(|endpoint| endpoint.name).collect(), until })
///     }
///
///     fn pick(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Option<u32> {
///         let now = clock::now();
///         let rests = |id: u32| self.until.get(id as usize).is_some_and(|until| *until > now);
///         candidates.iter().min_by_key(|it| (rests(it.id), it.busy)).map(|it| it.id)
///     }
/// }
///
/// impl Feedback for Rests {
///     fn closed(&mut self, endpoint: u32, outcome: Outcome) {
///         if matches!(outcome.ending, Ending::Unreachable | Ending::Broken)
///             && let Some(until) = self.until.get_mut(endpoint as usize)
///         {
///             *until = clock::now() + f64::from(self.settings.rest) * 1e6;
///             log::debug(format!("endpoint {endpoint} rests"));
///         }
///     }
/// }
///
/// /// The names of those that rest, a line each: ids and clocks are others in the next version.
/// impl Handover for Rests {
///     fn save(&self) -> Vec<u8> {
///         let now = clock::now();
///         let resting = self.names.iter().zip(&self.until).filter(|(_, until)| **until > now);
///         resting.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\n").into_bytes()
///     }
///
///     fn restore(&mut self, state: &[u8]) -> Result<(), String> {
///         let state = std::str::from_utf8(state).map_err(|_| "expected names, found no text")?;
///         for (name, until) in self.names.iter().zip(&mut self.until) {
///             if state.lines().any(|resting| resting == name) {
///                 *until = clock::now() + f64::from(self.settings.rest) * 1e6;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// impl Describe for Rests {
///     fn description() -> About {
///         About {
///             name: "rests".to_owned(),
///             version: "0.1.0".to_owned(),
///             summary: "Fewest in flight; who broke off rests.".to_owned(),
///             schema: Some(Settings::schema()),
///         }
///     }
/// }
///
/// export_balancer!(Rests + Feedback + Handover + Describe);
///
/// // Its test, with a gateway that the test plays.
/// use tidegate_plugin::fake::{Host, endpoints};
///
/// let host = Host::new();
/// let mut rests = Rests::configure(r#"{"rest": 5}"#, endpoints(&["ws://a", "ws://b"])).unwrap();
/// let both = Candidates::new(&[0, 1], &[0, 7]);
/// assert_eq!(rests.pick(both, None), Some(0));
///
/// let (status, first_byte) = (None, None);
/// let broken = Outcome { ending: Ending::Broken, status, duration: 1e3, first_byte, sent: 0.0, received: 0.0 };
/// rests.closed(0, broken);
///
/// assert_eq!(rests.pick(both, None), Some(1));
/// assert_eq!(host.lines().len(), 1);
///
/// let mut next = Rests::configure("null", endpoints(&["ws://b", "ws://a"])).unwrap();
/// next.restore(&rests.save()).unwrap();
///
/// assert_eq!(next.pick(Candidates::new(&[0, 1], &[7, 0]), None), Some(0), "a rests in the next version, too");
/// host.advance(std::time::Duration::from_secs(11));
/// assert_eq!(next.pick(Candidates::new(&[0, 1], &[7, 0]), None), Some(1));
/// ```
pub trait Balancer: Sized + 'static {
    /// Made once per swap or change, and again after a fault. `config` is the operator's as JSON text ("null" if there is
    /// none); an endpoint's id is its index in `endpoints`.
    ///
    /// # Errors
    /// Every fault found in `config`; the plugin is then not taken into use.
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>>;

    /// Chooses one of `candidates` by its id, or none to refuse with 503. `affinity`: 31-bit hash of what the cluster
    /// keeps together, if it keeps anything together.
    fn pick(&mut self, candidates: Candidates<'_>, affinity: Option<u32>) -> Option<u32>;
}

/// A balancer that says more than an id: how much a choice weighs, and with which status it refuses. It is used wherever a
/// [`Balancer`] is, and its crate exports none of these.
///
/// A whole plugin: what a request costs stands in its header `x-cost`, and no endpoint takes more than a hundred at once.
///
/// ```
/// use tidegate_plugin::{Candidates, Choice, Chooser, ConfigError, Endpoint, export_chooser, request};
///
/// struct ByCost;
///
/// impl Chooser for ByCost {
///     fn configure(_config: &str, _endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>> {
///         Ok(Self)
///     }
///
///     fn choose(&mut self, candidates: Candidates<'_>, _affinity: Option<u32>) -> Choice {
///         let cost = request::header("x-cost").and_then(|cost| cost.parse().ok()).unwrap_or(1).clamp(1, 100);
///         match candidates.iter().min_by_key(|it| it.busy) {
///             Some(least) if least.busy + cost <= 100 => Choice::take(least.id, cost),
///             _ => Choice::refuse(429, Some(1)),
///         }
///     }
/// }
///
/// export_chooser!(ByCost);
///
/// use tidegate_plugin::fake::Host;
///
/// let host = Host::new();
/// let mut by_cost = ByCost::configure("null", Vec::new()).unwrap();
/// let both = Candidates::new(&[0, 4], &[90, 70]);
/// assert_eq!(by_cost.choose(both, None), Choice::take(4, 1));
///
/// host.header("x-cost", "31");
///
/// assert_eq!(by_cost.choose(both, None), Choice::refuse(429, Some(1)));
/// ```
pub trait Chooser: Sized + 'static {
    /// As [`Balancer::configure`].
    ///
    /// # Errors
    /// Every fault found in `config`; the plugin is then not taken into use.
    fn configure(config: &str, endpoints: Vec<Endpoint>) -> Result<Self, Vec<ConfigError>>;

    /// Chooses one of `candidates` by its id, or refuses. Their `busy` is a sum of units. `affinity`: 31-bit hash of what
    /// the cluster keeps together, if it keeps anything together.
    fn choose(&mut self, candidates: Candidates<'_>, affinity: Option<u32>) -> Choice;
}

impl Choice {
    /// The endpoint with this id. Until its response or tunnel ends, `units` are added to its `busy`: 1 to 1,000; a request
    /// that nobody weighed counts 1.
    #[must_use]
    pub const fn take(endpoint: u32, units: u32) -> Self {
        Self::Take(Taken { endpoint, units })
    }

    /// None, with the status 429 or 503, and the seconds of Retry-After: 0 to 86,400.
    #[must_use]
    pub const fn refuse(status: u32, after: Option<u32>) -> Self {
        Self::Refuse(Refusal { status, after })
    }
}

/// Optional for a balancer or chooser: what became of its choices.
///
/// After a swap `closed` for a lease of the earlier instance is not delivered to the new one: do not hand over counts that
/// are kept through `opened` and `closed`; `busy` in [`Balancer::pick`] is always right.
pub trait Feedback: Sized + 'static {
    /// A choice of `endpoint` was taken up.
    fn opened(&mut self, endpoint: u32) {
        let _ = endpoint;
    }

    /// It came to its end.
    fn closed(&mut self, endpoint: u32, outcome: Outcome) {
        let _ = (endpoint, outcome);
    }
}

/// Optional for a balancer or chooser: state that outlives a swap to the next version of itself.
pub trait Handover: Sized + 'static {
    /// Writes the state down, at most 1 MiB, within the time that a pick has. Key it by endpoint name: ids may differ in the
    /// next version.
    fn save(&self) -> Vec<u8>;

    /// Takes over what an earlier version saved. Called after `configure`, before the first `pick`.
    ///
    /// # Errors
    /// One sentence; the instance then starts fresh.
    fn restore(&mut self, state: &[u8]) -> Result<(), String>;
}

/// Optional for a router, balancer or chooser: it decides by the beginning of bodies, which [`body`](crate::body) gives.
pub trait Preview: Sized + 'static {
    /// How much of a body is awaited before a decision, for two seconds at the most: `bytes` of 1 to 262,144, and blocks to
    /// hash of 16 bytes and more, or 0. Asked once, after `configure`.
    fn wants(&self) -> Sight;
}

/// Which cluster, which path, or a response right away. One instance per worker thread.
///
/// A whole plugin: the header `x-tenant` names the cluster, and a request without it learns so.
///
/// ```
/// use tidegate_plugin::{
///     About, ConfigError, Decision, Describe, RequestLine, Response, Router, Target, config, export_router, request,
/// };
///
/// struct ByTenant {
///     clusters: Vec<String>,
/// }
///
/// impl Router for ByTenant {
///     fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>> {
///         config::nothing_but_routes(config)?;
///         Ok(Self { clusters })
///     }
///
///     fn route(&mut self, _line: &RequestLine) -> Decision {
///         let Some(tenant) = request::header("x-tenant") else {
///             let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
///             return Decision::Respond(Response { status: 400, headers, body: b"x-tenant is missing\n".to_vec() });
///         };
///         match (0_u32..).zip(&self.clusters).find(|(_, name)| **name == tenant) {
///             Some((cluster, _)) => Decision::Forward(Target { cluster, path: None, route: None }),
///             None => Decision::Unmatched,
///         }
///     }
/// }
///
/// impl Describe for ByTenant {
///     fn description() -> About {
///         let summary = "The header x-tenant names the cluster.".to_owned();
///         About { name: "by-tenant".to_owned(), version: "0.1.0".to_owned(), summary, schema: None }
///     }
/// }
///
/// export_router!(ByTenant + Describe);
///
/// use tidegate_plugin::fake::{self, Host};
///
/// let host = Host::new();
/// let mut router = ByTenant::configure("null", vec!["blue".to_owned(), "red".to_owned()]).unwrap();
/// assert!(matches!(router.route(&fake::request()), Decision::Respond(Response { status: 400, .. })));
///
/// host.header("x-tenant", "red");
///
/// assert_eq!(router.route(&fake::request()), Decision::Forward(Target { cluster: 1, path: None, route: None }));
/// ```
pub trait Router: Sized + 'static {
    /// `config` is the operator's as JSON text ("null" if there is none); `clusters` are the names that
    /// `Target::cluster` indexes.
    ///
    /// # Errors
    /// Every fault found in `config`; the plugin is then not taken into use.
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>>;

    /// Decides for one request. `Decision::Next` leaves it to the plugin behind, and behind the last one to where the
    /// route leads: of the plugins of a `[[route]]` alone.
    fn route(&mut self, request: &RequestLine) -> Decision;
}

/// Optional for a router: its decisions may be remembered.
pub trait Repeats: Router {
    /// Asked once, after `configure`. True promises that [`Router::route`] answers equal requests equally for as long as
    /// this instance lives. The gateway remembers no decision for which a function other than those of [`log`](crate::log)
    /// was called.
    fn repeats(&self) -> bool {
        true
    }
}

/// What goes back to the client. One instance per worker thread.
///
/// A whole plugin: what endpoints say of their software stays inside.
///
/// ```
/// use tidegate_plugin::{
///     About, ConfigError, Context, Describe, Edit, Field, Rewriter, config, export_rewriter,
/// };
///
/// struct Hides;
///
/// impl Rewriter for Hides {
///     fn configure(config: &str) -> Result<Self, Vec<ConfigError>> {
///         config::nothing_but_routes(config)?;
///         Ok(Self)
///     }
///
///     fn interest(&self) -> Vec<String> {
///         ["server", "x-powered-by"].map(str::to_owned).to_vec()
///     }
///
///     fn rewrite(&mut self, _context: &Context, _status: u32, headers: &[Field]) -> Vec<Edit> {
///         (0_u32..).zip(headers).map(|(index, _)| Edit::Remove(index)).collect()
///     }
/// }
///
/// impl Describe for Hides {
///     fn description() -> About {
///         let summary = "Removes what endpoints say of their software.".to_owned();
///         About { name: "hides".to_owned(), version: "0.1.0".to_owned(), summary, schema: None }
///     }
/// }
///
/// export_rewriter!(Hides + Describe);
///
/// let mut hides = Hides::configure("null").unwrap();
/// let edits = hides.rewrite(&tidegate_plugin::fake::context(), 200, &[("server".to_owned(), "x/1.0".to_owned())]);
/// assert_eq!(edits, [Edit::Remove(0)]);
/// ```
pub trait Rewriter: Sized + 'static {
    /// `config` is the operator's as JSON text ("null" if there is none).
    ///
    /// # Errors
    /// Every fault found in `config`; the plugin is then not taken into use.
    fn configure(config: &str) -> Result<Self, Vec<ConfigError>>;

    /// Lower-case names of the headers it wants to see, at most 64; asked once, after `configure`. With `":status"` among
    /// them it is shown every response, whether it has these headers or not.
    fn interest(&self) -> Vec<String>;

    /// Decides the edits for one response that carries at least one header of interest. `headers` holds those
    /// alone, grouped by name in the order of [`Self::interest`]; those of one name are in the order of the response.
    fn rewrite(&mut self, context: &Context, status: u32, headers: &[Field]) -> Vec<Edit>;
}

/// Optional for every role: what the plugin is.
pub trait Describe {
    /// Name, version, one sentence, and the JSON schema of the configuration.
    fn description() -> About;
}
