//! What a plugin implements: one trait per role, and one per optional interface.

use crate::{About, Candidates, ConfigError, Context, Decision, Edit, Endpoint, Field, Outcome, RequestLine};

/// Who gets the next connection or request. One instance per cluster: plain state is right and safe.
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

/// Optional for a balancer: what became of its choices.
///
/// After a swap `closed` for a lease of the earlier instance is not delivered to the new one: do not hand over counts that
/// are kept through `opened` and `closed`; `busy` in [`Balancer::pick`] is always right.
pub trait Feedback: Balancer {
    /// A choice of `endpoint` was taken up.
    fn opened(&mut self, endpoint: u32) {
        let _ = endpoint;
    }

    /// It came to its end.
    fn closed(&mut self, endpoint: u32, outcome: Outcome) {
        let _ = (endpoint, outcome);
    }
}

/// Optional for a balancer: state that outlives a swap to the next version of itself.
pub trait Handover: Balancer {
    /// Writes the state down, at most 1 MiB, within the time that a pick has. Key it by endpoint name: ids may differ in the
    /// next version.
    fn save(&self) -> Vec<u8>;

    /// Takes over what an earlier version saved. Called after `configure`, before the first `pick`.
    ///
    /// # Errors
    /// One sentence; the instance then starts fresh.
    fn restore(&mut self, state: &[u8]) -> Result<(), String>;
}

/// Which cluster, which path, or an answer right away. One instance per worker thread.
pub trait Router: Sized + 'static {
    /// `config` is the operator's as JSON text ("null" if there is none); `clusters` are the names that
    /// `Target::cluster` indexes.
    ///
    /// # Errors
    /// Every fault found in `config`; the plugin is then not taken into use.
    fn configure(config: &str, clusters: Vec<String>) -> Result<Self, Vec<ConfigError>>;

    /// Decides for one request.
    fn route(&mut self, request: &RequestLine) -> Decision;
}

/// Optional for a router: its decisions may be remembered.
pub trait Repeats: Router {
    /// Asked once, after `configure`. True promises that [`Router::route`] answers equal requests equally for as long as
    /// this instance lives. The gateway asks all the same if the plugin imports more than `log`.
    fn repeats(&self) -> bool {
        true
    }
}

/// What goes back to the client. One instance per worker thread.
pub trait Rewriter: Sized + 'static {
    /// `config` is the operator's as JSON text ("null" if there is none).
    ///
    /// # Errors
    /// Every fault found in `config`; the plugin is then not taken into use.
    fn configure(config: &str) -> Result<Self, Vec<ConfigError>>;

    /// Lower-case names of the headers it wants to see, at most 64; asked once, after `configure`.
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
