//! Where live numbers live: keyed by cluster and endpoint, outside every generation.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::reported::SignalKeys;
use super::{AddressCount, Live, SignalKey};
use crate::clock::Clock;

/// All live numbers of the gateway.
///
/// It holds them weakly: an endpoint's numbers stay as long as a generation or a lease holds them, so an endpoint that
/// is removed and returns while its tunnels are still open finds its count again.
#[derive(Debug, Default)]
pub struct Registry {
    clusters: Mutex<HashMap<String, HashMap<String, Weak<Live>>>>,
    signals: SignalKeys,
    addresses: Mutex<HashMap<(String, u16), Weak<AddressCount>>>,
    clock: Clock,
}

impl Registry {
    /// An empty one, by whose clock endpoints fail, pause and come back.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// The clock of all that it holds.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The numbers of endpoint `url` in `cluster`; new ones if none are held.
    #[must_use]
    pub fn live(&self, cluster: &str, url: &str) -> Arc<Live> {
        let mut clusters = self.clusters.lock();
        let endpoints = clusters.entry(cluster.to_owned()).or_default();
        if let Some(live) = endpoints.get(url).and_then(Weak::upgrade) {
            return live;
        }
        // An endpoint that is no longer held makes room for the new one, so that names that come and go do not add up.
        endpoints.retain(|_, live| live.strong_count() > 0);
        let live = Arc::new(Live::of(cluster, url, self.clock.clone()));
        endpoints.insert(url.to_owned(), Arc::downgrade(&live));
        live
    }

    /// The key under which endpoints keep what they report as `name`: the same for all of them.
    #[must_use]
    pub fn signal(&self, name: &str) -> Arc<SignalKey> {
        self.signals.key(name)
    }

    /// What `host` and `port` hold over all clusters that count by address; a new count if none is held.
    #[must_use]
    pub fn address(&self, host: &str, port: u16) -> Arc<AddressCount> {
        let mut addresses = self.addresses.lock();
        let key = (host.to_owned(), port);
        if let Some(count) = addresses.get(&key).and_then(Weak::upgrade) {
            return count;
        }
        addresses.retain(|_, count| count.strong_count() > 0);
        let count = Arc::default();
        addresses.insert(key, Arc::downgrade(&count));
        count
    }

    /// Everything that is still held, by cluster, endpoints in the order of their URLs. Forgets the rest.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Vec<Arc<Live>>)> {
        let mut clusters = self.clusters.lock();
        for endpoints in clusters.values_mut() {
            endpoints.retain(|_, live| live.strong_count() > 0);
        }
        clusters.retain(|_, endpoints| !endpoints.is_empty());
        let mut all: Vec<_> = clusters
            .iter()
            .map(|(name, endpoints)| {
                let mut live: Vec<_> = endpoints.values().filter_map(Weak::upgrade).collect();
                live.sort_by(|a, b| a.url().cmp(b.url()));
                (name.clone(), live)
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::LeaseUnits;

    #[test]
    fn numbers_stay_while_anybody_holds_them() {
        let registry = Registry::default();
        let held = registry.live("chat", "ws://192.0.2.1:80");
        held.take(LeaseUnits::ONE);

        let again = registry.live("chat", "ws://192.0.2.1:80");

        assert_eq!(again.in_flight(), 1);
        assert_eq!(registry.live("other", "ws://192.0.2.1:80").in_flight(), 0, "counts are per cluster");
        assert_eq!(registry.all().len(), 1, "what nobody holds is forgotten");
    }

    #[test]
    fn an_address_has_one_count_while_anybody_holds_it() {
        let registry = Registry::default();
        let place = registry.address("192.0.2.1", 80).take(LeaseUnits::ONE);

        assert_eq!(registry.address("192.0.2.1", 80).in_flight(), 1);
        assert_eq!(registry.address("192.0.2.1", 81).in_flight(), 0);
        drop(place);
        assert_eq!(registry.address("192.0.2.1", 80).in_flight(), 0);
    }
}
