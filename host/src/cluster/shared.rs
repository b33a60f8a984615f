//! What an address holds over all clusters that count by address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::policy::LeaseUnits;

/// The units of the requests and tunnels that one host and port holds. Those of clusters that count for themselves are not in it.
#[derive(Debug, Default)]
pub struct AddressCount(AtomicU32);

/// One request's or tunnel's place in it. Dropping it makes room.
///
/// A lease holds it to its end, whatever becomes of the cluster and of how that counts: nothing is given back that was
/// not taken.
#[derive(Debug)]
#[must_use = "it is counted only while this is held"]
pub(super) struct AddressShare {
    address: Arc<AddressCount>,
    units: LeaseUnits,
}

impl AddressCount {
    /// How many units it holds now.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.0.load(Relaxed)
    }

    pub(super) fn take(self: &Arc<Self>, units: LeaseUnits) -> AddressShare {
        self.0.fetch_add(units.get(), Relaxed);
        AddressShare { address: self.clone(), units }
    }
}

impl Drop for AddressShare {
    fn drop(&mut self) {
        let before = self.address.0.fetch_sub(self.units.get(), Relaxed);
        debug_assert!(before >= self.units.get(), "a place was given back twice");
    }
}
