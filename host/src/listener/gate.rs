//! How many connections may be open, in all and for one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

/// What one listener takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateLimits {
    /// Open connections, tunnels included.
    pub connections: usize,
    /// The same for one client address; `usize::MAX` is no limit.
    pub per_client: usize,
}

/// Counts the open connections of one listener. It outlives reloads; limits are given at each entry.
#[derive(Debug, Default)]
pub struct Gate {
    open: AtomicUsize,
    /// Only clients that have connections, and only while a limit for them is set.
    clients: Mutex<HashMap<IpAddr, usize>>,
}

/// Why a connection was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The listener is full.
    #[error("the listener has its limit of connections open")]
    Full,
    /// This client has too many.
    #[error("the client has its limit of connections open")]
    ClientFull,
}

/// One open connection. Dropping it makes room.
#[derive(Debug)]
#[must_use = "a connection counts only while its permit is held"]
pub struct Permit {
    gate: Arc<Gate>,
    client: Option<IpAddr>,
}

impl Gate {
    /// Lets a connection of `client` in, or says why not.
    ///
    /// # Errors
    /// [`Refusal`] at a limit.
    pub fn enter(self: &Arc<Self>, client: IpAddr, limits: GateLimits) -> Result<Permit, Refusal> {
        let counted = self.open.fetch_add(1, Relaxed) < limits.connections;
        let mut permit = Permit { gate: self.clone(), client: None };
        if !counted {
            return Err(Refusal::Full);
        }
        if limits.per_client == usize::MAX {
            return Ok(permit);
        }
        let client = client.to_canonical();
        let mut clients = self.clients.lock();
        let open = clients.entry(client).or_insert(0);
        if *open >= limits.per_client {
            return Err(Refusal::ClientFull);
        }
        *open += 1;
        permit.client = Some(client);
        Ok(permit)
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Relaxed)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.open.fetch_sub(1, Relaxed);
        if let Some(client) = self.client {
            let mut clients = self.gate.clients.lock();
            if let Some(open) = clients.get_mut(&client) {
                *open -= 1;
                if *open == 0 {
                    clients.remove(&client);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_and_room_returns() {
        let gate = Arc::new(Gate::default());
        let limits = GateLimits { connections: 3, per_client: 2 };
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());

        let first = gate.enter(a, limits).unwrap();
        let second = gate.enter(a, limits).unwrap();

        assert_eq!(gate.enter(a, limits).unwrap_err(), Refusal::ClientFull);
        let third = gate.enter(b, limits).unwrap();
        assert_eq!(gate.enter(b, limits).unwrap_err(), Refusal::Full);
        drop(first);
        let fourth = gate.enter(a, limits).unwrap();
        drop((second, third, fourth));
        assert_eq!(gate.open(), 0);
        assert!(gate.clients.lock().is_empty(), "clients that left are forgotten");
    }
}
