//! Trying passwords beside the workers: so many at once, so many that wait, and no more.
//!
//! A try takes a processor for milliseconds to a second, on purpose. On a worker, every tunnel of it would stand still
//! that long; without a bound, whoever sends wrong passwords would have all processors.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::credentials::Credentials;
use super::hash::PasswordHash;
use super::known::{KnownLogins, LoginTag};

/// How many logins are under way or wait for that, for each that is tried at once.
const PLACES_EACH: usize = 32;

/// How long a login waits for its turn: longer is no good to a person who waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tries passwords, and knows which were right. One for the whole gateway: it outlives every generation.
pub struct PasswordChecks {
    pub(super) known: KnownLogins,
    /// Taken while a password is tried.
    turns: Arc<Semaphore>,
    places: usize,
    /// Logins under way, by whose they are.
    under_way: Mutex<BTreeMap<Option<IpAddr>, usize>>,
}

/// There are too many logins under way, of all clients or of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooManyLogins;

/// A login that is under way.
struct LoginPlace<'c> {
    checks: &'c PasswordChecks,
    client: Option<IpAddr>,
}

impl PasswordChecks {
    /// For a gateway of so many workers. Half as many passwords are tried at once, but one at least.
    #[must_use]
    pub fn new(workers: NonZeroUsize) -> Self {
        let at_once = (workers.get() / 2).max(1);
        Self {
            known: KnownLogins::new(),
            turns: Arc::new(Semaphore::new(at_once)),
            places: at_once.saturating_mul(PLACES_EACH),
            under_way: Mutex::default(),
        }
    }

    /// Whether the password matches `hash`; one that does is kept as `tag`. Waits for its turn. Dropped, a try that has
    /// begun comes to its end by itself.
    ///
    /// # Errors
    /// [`TooManyLogins`]
    pub(super) async fn matches(
        self: &Arc<Self>,
        credentials: Credentials,
        hash: Arc<PasswordHash>,
        tag: Option<LoginTag>,
        client: Option<IpAddr>,
    ) -> Result<bool, TooManyLogins> {
        let _place = self.place(client)?;
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(TooManyLogins) };
        // A browser opens several connections at once with one password.
        if tag.is_some_and(|tag| self.known.has(&tag)) {
            return Ok(true);
        }
        let checks = self.clone();
        let tried = tokio::task::spawn_blocking(move || {
            // Until it is through, whoever asked for it.
            let _turn = turn;
            let matches = hash.matches(credentials.password());
            if let Some(tag) = tag.filter(|_| matches) {
                checks.known.keep(tag);
            }
            matches
        });
        // It cannot panic; if it did, nobody is let in by that.
        tried.await.map_err(|_| TooManyLogins)
    }

    /// A place for a login of `client`. One client has no more than half of them, so that another gets one, too.
    fn place(&self, client: Option<IpAddr>) -> Result<LoginPlace<'_>, TooManyLogins> {
        let client = client.map(network);
        let mut under_way = self.under_way.lock();
        let (all, own) = (under_way.values().sum::<usize>(), under_way.get(&client).copied().unwrap_or_default());
        if all >= self.places || own >= self.places / 2 {
            return Err(TooManyLogins);
        }
        under_way.insert(client, own.saturating_add(1));
        Ok(LoginPlace { checks: self, client })
    }
}

impl std::fmt::Debug for PasswordChecks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordChecks").finish_non_exhaustive()
    }
}

impl Drop for LoginPlace<'_> {
    fn drop(&mut self) {
        let mut under_way = self.checks.under_way.lock();
        if let Some(own) = under_way.get_mut(&self.client) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                under_way.remove(&self.client);
            }
        }
    }
}

/// What of an address is one client: of IPv6 the first half, the rest of which everybody may choose.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn checks(workers: usize) -> PasswordChecks {
        PasswordChecks::new(NonZeroUsize::new(workers).unwrap())
    }

    #[test]
    fn one_client_has_half_of_the_places_and_all_have_no_more_than_there_are() {
        let checks = &checks(4);
        let client = |last: u16| Some(IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, last, 0, 0, 0, 1)));
        let places = |client| std::iter::from_fn(move || checks.place(client).ok());

        let first: Vec<_> = places(client(1)).collect();
        let same_network = Some(IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 9, 9, 9, 9)));
        assert_eq!((first.len(), checks.place(same_network).err()), (32, Some(TooManyLogins)));
        let second: Vec<_> = places(client(2)).collect();
        assert_eq!((second.len(), checks.place(client(3)).err()), (32, Some(TooManyLogins)));

        drop(first);
        let unknown: Vec<_> = places(None).collect();
        assert_eq!(unknown.len(), 32);
        drop(unknown);
        drop(second);
        assert!(checks.under_way.lock().is_empty(), "nothing is kept of who has left");
    }

    #[test]
    fn one_worker_tries_one_at_a_time() {
        for (workers, at_once) in [(1, 1), (2, 1), (3, 1), (8, 4)] {
            assert_eq!(checks(workers).turns.available_permits(), at_once, "{workers}");
        }
    }
}
