//! Who may hold a connection to the admin server: strangers a few, and not for long; those who have been let in many.
//!
//! ```text
//! accepted ─▶ stranger ──token──▶ calling ⇄ idle ─▶ gone
//!                ╰── makes room for the next stranger     ╰── makes room for the next who is let in
//! ```
//!
//! No caller waits in a queue and no connection is refused: a probe gets its response, however
//! many others hold connections.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Connections at a time of those who have not been let in: all, and of one address. One more takes the slot of the
/// oldest.
const STRANGERS: usize = 64;
const OF_ONE_ADDRESS: usize = 16;

/// Connections at a time of those who have been let in. One more takes the slot of the one that has been idle longest.
const KNOWN: usize = 64;

/// All connections.
#[derive(Debug, Default)]
pub(super) struct CallerSlots(Mutex<SlotTable>);

/// One connection's slot. Dropping it leaves it.
#[derive(Debug)]
pub(super) struct CallerSlot {
    slots: Arc<CallerSlots>,
    id: u64,
    left: CancellationToken,
}

/// A call that was let in, while it is served.
#[derive(Debug)]
#[must_use = "the connection counts as idle once this is dropped"]
pub(super) struct ActiveCall<'p>(&'p CallerSlot);

#[derive(Debug, Default)]
struct SlotTable {
    next: u64,
    /// Oldest first.
    entries: Vec<SlotEntry>,
}

#[derive(Debug)]
struct SlotEntry {
    id: u64,
    from: IpAddr,
    state: SlotState,
    leave: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotState {
    /// It has not been let in.
    Stranger,
    /// Its call is being served.
    Calling,
    /// It was let in, and may call again.
    Idle,
}

impl CallerSlots {
    /// A slot for a connection from `peer`, always; another may have to go for it.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> CallerSlot {
        let left = CancellationToken::new();
        let id = self.0.lock().enter(party(peer), left.clone());
        CallerSlot { slots: self.clone(), id, left }
    }
}

impl CallerSlot {
    /// The connection is let in. None if all slots are taken by calls under way.
    pub(super) fn call(&self) -> Option<ActiveCall<'_>> {
        let admitted = self.slots.0.lock().call(self.id);
        if admitted { Some(ActiveCall(self)) } else { None }
    }

    /// Resolves when the connection must make room.
    pub(super) async fn lost(&self) {
        self.left.cancelled().await;
    }
}

impl Drop for CallerSlot {
    fn drop(&mut self) {
        self.slots.0.lock().entries.retain(|entry| entry.id != self.id);
    }
}

impl Drop for ActiveCall<'_> {
    fn drop(&mut self) {
        self.0.slots.0.lock().finished(self.0.id);
    }
}

impl SlotTable {
    fn enter(&mut self, from: IpAddr, leave: CancellationToken) -> u64 {
        let strangers = || self.entries.iter().filter(|entry| entry.state == SlotState::Stranger);
        let of = |party: IpAddr| strangers().filter(|entry| entry.from == party).count();
        let crowded = if of(from) >= OF_ONE_ADDRESS {
            Some(from)
        } else if strangers().count() >= STRANGERS {
            // Of those who hold most, so that a crowd of one address costs others nothing.
            strangers().map(|entry| entry.from).max_by_key(|party| of(*party))
        } else {
            None
        };
        if let Some(party) = crowded {
            self.dismiss(|entry| entry.state == SlotState::Stranger && entry.from == party);
        }
        let id = self.next;
        self.next += 1;
        self.entries.push(SlotEntry { id, from, state: SlotState::Stranger, leave });
        id
    }

    fn call(&mut self, id: u64) -> bool {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else { return false };
        let known = self.entries.iter().filter(|entry| entry.state != SlotState::Stranger).count();
        let is_new = self.entries.get(at).is_some_and(|entry| entry.state == SlotState::Stranger);
        if is_new && known >= KNOWN && !self.dismiss(|entry| entry.state == SlotState::Idle) {
            return false;
        }
        self.set_state(id, SlotState::Calling);
        true
    }

    fn finished(&mut self, id: u64) {
        self.set_state(id, SlotState::Idle);
        // The oldest comes first, and this one has just been used.
        if let Some(at) = self.entries.iter().position(|entry| entry.id == id) {
            let entry = self.entries.remove(at);
            self.entries.push(entry);
        }
    }

    fn set_state(&mut self, id: u64, state: SlotState) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.state = state;
        }
    }

    /// Sends the first of these away. False if there is none.
    fn dismiss(&mut self, these: impl Fn(&SlotEntry) -> bool) -> bool {
        let Some(at) = self.entries.iter().position(these) else { return false };
        self.entries.remove(at).leave.cancel();
        true
    }
}

/// Who an address stands for: with IPv6 everybody has a network of 64 bits (RFC 4291 §2.5.4).
fn party(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn held(slots: &[CallerSlot]) -> Vec<bool> {
        slots.iter().map(|slot| !slot.left.is_cancelled()).collect()
    }

    #[test]
    fn one_address_holds_a_few_and_its_oldest_makes_room() {
        let slots = Arc::new(CallerSlots::default());
        let other = slots.enter(ip("192.0.2.1"));

        let crowd: Vec<_> = (0..OF_ONE_ADDRESS + 2).map(|_| slots.enter(ip("192.0.2.9"))).collect();

        let held = held(&crowd);
        assert_eq!(held.iter().filter(|held| **held).count(), OF_ONE_ADDRESS);
        assert_eq!(held[..3], [false, false, true], "the oldest went");
        assert!(!other.left.is_cancelled());
    }

    #[test]
    fn when_all_are_taken_who_holds_most_makes_room() {
        let slots = Arc::new(CallerSlots::default());
        let probe = slots.enter(ip("192.0.2.1"));
        let crowds: Vec<_> = (0..64).map(|number: u8| slots.enter(IpAddr::from([10, 0, 0, number / 10]))).collect();

        let late = slots.enter(ip("192.0.2.2"));

        assert!(!probe.left.is_cancelled() && !late.left.is_cancelled());
        assert_eq!(held(&crowds).iter().filter(|held| **held).count(), STRANGERS - 2);
        assert_eq!(slots.0.lock().entries.len(), STRANGERS);
    }

    #[test]
    fn who_was_let_in_is_not_sent_away_by_strangers() {
        let slots = Arc::new(CallerSlots::default());
        let (calling, idle) = (slots.enter(ip("192.0.2.9")), slots.enter(ip("192.0.2.9")));
        let call = calling.call().unwrap();
        drop(idle.call());

        let _crowd: Vec<_> = (0..STRANGERS * 2).map(|_| slots.enter(ip("192.0.2.9"))).collect();

        assert!(!calling.left.is_cancelled() && !idle.left.is_cancelled());
        drop(call);
    }

    #[test]
    fn one_more_who_is_let_in_takes_the_place_of_who_was_idle_longest() {
        let slots = Arc::new(CallerSlots::default());
        let known: Vec<_> = (0..KNOWN)
            .map(|_| {
                let slot = slots.enter(ip("127.0.0.1"));
                drop(slot.call());
                slot
            })
            .collect();
        drop(known[0].call());

        let next = slots.enter(ip("127.0.0.1"));

        assert!(next.call().is_some());
        assert_eq!(held(&known)[..3], [true, false, true], "the first has called again");
    }

    #[test]
    fn when_all_places_are_calls_under_way_one_more_is_not_let_in() {
        let slots = Arc::new(CallerSlots::default());
        let known: Vec<_> = (0..64).map(|number: u8| slots.enter(IpAddr::from([10, 0, 0, number]))).collect();
        let calls: Vec<_> = known.iter().filter_map(CallerSlot::call).collect();
        let next = slots.enter(ip("127.0.0.1"));

        assert!(next.call().is_none());
        drop(calls);

        assert!(next.call().is_some());
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        assert_eq!(party(ip("2001:db8:1:2:3::4")), party(ip("2001:db8:1:2::9")));
        assert_ne!(party(ip("2001:db8:1:2::4")), party(ip("2001:db8:1:3::4")));
        assert_eq!(party(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_eq!(party(ip("::1")), ip("::1"));
    }
}
