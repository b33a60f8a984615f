//! What a plugin is tried out with, in place of what a gateway would hand it.

use serde_json::{Value, json};

use super::super::secrets::PluginSecrets;

/// The name of the made-up cluster that routers are given where no others are named.
pub const MADE_UP_CLUSTER: &str = "chat";

/// What a plugin is handed when it is tried out.
#[derive(Clone, Debug, Default)]
pub struct TrialInputs {
    /// What each role is configured with; without it, what it would get from an empty configuration.
    pub config: Option<Value>,
    /// Handed over with that.
    pub secrets: PluginSecrets,
    /// Clusters that a router may name; where there are none, [`MADE_UP_CLUSTER`] alone.
    pub clusters: Vec<String>,
    /// How many `[[route]]` there are. Where the configuration has a longer list of routes, as many as that has.
    pub routes: usize,
}

impl TrialInputs {
    /// What `configure` of a balancer gets.
    #[must_use]
    pub fn for_balancer(&self) -> Value {
        self.secrets.within(self.config.as_ref().unwrap_or(&Value::Null))
    }

    /// What `configure` of a router or rewriter gets: where nothing is written, the list of no `[[route]]`.
    #[must_use]
    pub fn for_router_or_rewriter(&self) -> Value {
        match &self.config {
            Some(config) => self.secrets.within(config),
            None => self.secrets.within(&json!({ "routes": [] })),
        }
    }

    /// The names that a router is given, and made-up ones after them until there are `least`.
    #[must_use]
    pub fn clusters(&self, least: usize) -> Vec<String> {
        let mut names = self.clusters.clone();
        if names.is_empty() {
            names.push(MADE_UP_CLUSTER.to_owned());
        }
        let made_up = (1..).map(|number| format!("cluster-{number}")).filter(|name| !self.clusters.contains(name));
        let more = least.saturating_sub(names.len());
        names.extend(made_up.take(more));
        names
    }

    /// How many `[[route]]` a router may name.
    #[must_use]
    pub fn route_count(&self) -> usize {
        let listed = self.config.as_ref().and_then(|config| config.get("routes")).and_then(Value::as_array);
        listed.map_or(0, Vec::len).max(self.routes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_clusters_follow_those_that_are_named_and_have_other_names() {
        let named = |names: &[&str]| TrialInputs {
            clusters: names.iter().map(|name| (*name).to_owned()).collect(),
            ..TrialInputs::default()
        };

        assert_eq!(named(&[]).clusters(1), ["chat"]);
        assert_eq!(named(&[]).clusters(3), ["chat", "cluster-1", "cluster-2"]);
        assert_eq!(named(&["web", "cluster-1"]).clusters(1), ["web", "cluster-1"]);
        assert_eq!(named(&["web", "cluster-1"]).clusters(4), ["web", "cluster-1", "cluster-2", "cluster-3"]);
    }

    #[test]
    fn secrets_are_handed_over_in_each_role_with_a_configuration_and_without() {
        let secrets = || [("key".to_owned(), "hunter2".to_owned())].into_iter().collect();
        let bare = TrialInputs { secrets: secrets(), ..TrialInputs::default() };
        let with = TrialInputs { config: Some(json!({ "routes": [1, 2] })), secrets: secrets(), ..bare.clone() };

        assert_eq!(bare.for_balancer(), json!({ "key": "hunter2" }));
        assert_eq!(bare.for_router_or_rewriter(), json!({ "routes": [], "key": "hunter2" }));
        assert_eq!(with.for_router_or_rewriter(), json!({ "routes": [1, 2], "key": "hunter2" }));
        assert_eq!((bare.route_count(), with.route_count()), (0, 2));
    }
}
