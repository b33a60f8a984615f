//! What a cluster does about a member that fails. Leases carry the policy: they report to the endpoint's live state
//! after their cluster may be gone.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Live;
use super::live::PauseCause;
use crate::config::{self, OutlierConfig, PauseConfig};

/// The rules of a cluster for one of its members. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FailurePolicy {
    rules: Arc<ClusterRules>,
    ignore_errors: bool,
}

#[derive(Debug)]
struct ClusterRules {
    pause: PauseConfig,
    outlier: Option<OutlierConfig>,
    /// Members that count for the share that may be ejected. Weak: a tunnel keeps no endpoint but its own.
    peers: Vec<Weak<Live>>,
    /// Held from looking at the share to changing it: of two failures at once, one is second.
    ejecting: Mutex<()>,
}

impl FailurePolicy {
    /// The failure policy of each member of `cluster`, in order. `lives` are theirs.
    #[must_use]
    pub fn of(cluster: &config::ClusterConfig, lives: &[Arc<Live>]) -> Vec<Self> {
        let peers = cluster.endpoints.iter().zip(lives).filter(|(endpoint, _)| endpoint.state.takes_work());
        let rules = Arc::new(ClusterRules {
            pause: cluster.pause,
            outlier: cluster.outlier,
            peers: peers.map(|(_, live)| Arc::downgrade(live)).collect(),
            ejecting: Mutex::default(),
        });
        let member =
            |endpoint: &config::EndpointConfig| Self { rules: rules.clone(), ignore_errors: endpoint.ignore_errors };
        cluster.endpoints.iter().map(member).collect()
    }

    /// The member failed in a way that keeps work from it. Returns the pause if it begins now.
    pub(super) fn pause(&self, live: &Live, cause: PauseCause, now: Instant) -> Option<Duration> {
        if self.ignore_errors {
            return None;
        }
        live.pause(&self.rules.pause, cause, now)
    }

    /// How a piece of the member's work went.
    pub(super) fn record(&self, live: &Live, failed: bool, now: Instant) {
        let Some(outlier) = self.rules.outlier.as_ref().filter(|_| !self.ignore_errors) else { return };
        let Some(reason) = live.record(failed, outlier, now) else { return };
        let _one_at_a_time = self.rules.ejecting.lock();
        let others = self.rules.peers.iter().filter_map(Weak::upgrade).filter(|peer| !std::ptr::eq(&**peer, live));
        let ejected = others.filter(|peer| peer.is_ejected(now)).count();
        if may_eject(ejected, self.rules.peers.len(), outlier.share) {
            live.eject(reason, outlier, now);
        } else {
            tracing::debug!(endpoint = live.url(), reason, "not ejected: too many of its cluster are");
        }
    }
}

impl Default for FailurePolicy {
    /// The default pauses, and no ejections.
    fn default() -> Self {
        let rules = ClusterRules {
            pause: PauseConfig::default(),
            outlier: None,
            peers: Vec::new(),
            ejecting: Mutex::default(),
        };
        Self { rules: Arc::new(rules), ignore_errors: false }
    }
}

/// Whether one more may be ejected where `ejected` of `all` are. The share is a limit: it is rounded down.
fn may_eject(ejected: usize, all: usize, share: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "numbers of endpoints are small")]
    let after = (ejected + 1) as f64 / all as f64;
    // Not multiplied: 0.29 * 100 is less than 29.
    after <= share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_a_limit() {
        for (ejected, all, share, expected) in [
            (0, 2, 0.5, true),
            (1, 2, 0.5, false),
            (0, 3, 0.5, true),
            (1, 3, 0.5, false),
            (1, 4, 0.5, true),
            (0, 1, 0.5, false),
            (0, 1, 1.0, true),
            (0, 9, 0.1, false),
            (0, 10, 0.1, true),
            (28, 100, 0.29, true),
            (29, 100, 0.29, false),
            (0, 0, 1.0, false),
        ] {
            assert_eq!(may_eject(ejected, all, share), expected, "{ejected} of {all} at {share}");
        }
    }
}
