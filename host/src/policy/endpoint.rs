//! What a balancer is configured with.

/// A member of a cluster as its balancer knows it. Ids of picks are places in the list of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The URL, as configured: it names the endpoint in logs, and no other of the cluster has it.
    pub name: String,
    /// Load factor in hundredths, 1 to 10,000: 100 = 1.0.
    pub weight: u32,
    /// Apache's lbset, 0 to 99: lower first.
    pub group: u32,
    /// Sticky route.
    pub route: Option<String>,
    /// Operator's labels.
    pub labels: Vec<(String, String)>,
}

impl Endpoint {
    /// One with default weight and group, and nothing else.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), weight: 100, group: 0, route: None, labels: Vec::new() }
    }
}
