use std::sync::atomic::AtomicUsize;
use std::task::Wake;
use std::time::Duration;

use super::super::first_frame::{SHOWN, TYPE_AT};
use super::super::scanner::WireSide;
use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A wire and what follows it.
struct Followed {
    wire: Arc<Wire>,
    scanner: FrameScanner,
    budget: FrameBudget,
}

impl Followed {
    fn new(side: WireSide) -> Self {
        let (scanner, now) = (FrameScanner::new(side), Instant::now());
        Self { wire: Wire::new(now, &scanner), scanner, budget: FrameBudget::new(now) }
    }

    fn read(&mut self, bytes: &[u8]) -> bool {
        self.wire.read(bytes, &mut self.scanner, &mut self.budget)
    }
}

impl std::ops::Deref for Followed {
    type Target = Wire;

    fn deref(&self) -> &Wire {
        &self.wire
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_client_begins_with_preface_and_settings() {
    let mut wire = Followed::new(WireSide::Client);
    assert!(matches!(wire.unfinished(), Some((Unfinished::Preface, _))));
    for (at, byte) in PREFACE.iter().chain(EMPTY_SETTINGS).enumerate() {
        assert!(!wire.has_settings() || at > PREFACE.len() + TYPE_AT, "byte {at}");
        assert!(wire.read(&[*byte]));
    }
    assert!(wire.has_settings() && wire.first_bytes().is_empty());
    assert_eq!((wire.unfinished(), wire.frames_read()), (None, 1));
}

#[test]
fn what_is_no_settings_frame_is_kept_to_be_shown_and_wakes() {
    let mut wire = Followed::new(WireSide::Endpoint);
    let count = Arc::new(Count::default());
    wire.register(&Waker::from(Arc::clone(&count)));

    assert!(wire.read(b"HTTP/1.1 400 Bad Request\r\n"));

    assert_eq!((&wire.first_bytes()[..], wire.has_settings()), (&b"HTTP/1.1 400 Bad Request\r\n"[..], false));
    assert_eq!(count.0.load(Relaxed), 1);
    assert!(wire.read(&[b'x'; 1000]));
    assert_eq!(wire.first_bytes().len(), SHOWN);
}

#[test]
fn the_little_that_came_before_an_end_is_shown() {
    let mut wire = Followed::new(WireSide::Endpoint);
    assert!(wire.read(b"no"));
    assert!(wire.first_bytes().is_empty());
    wire.ended();
    assert_eq!(&wire.first_bytes()[..], b"no");
}

#[tokio::test(start_paused = true)]
async fn a_header_block_is_unfinished_from_its_begin_to_its_last_byte() {
    let mut wire = Followed::new(WireSide::Endpoint);
    let began = Instant::now();
    assert!(wire.read(&[0, 0, 1, 1, 0, 0, 0, 0, 1]));
    for bytes in [&[0x88][..], &[0, 0, 1, 9, 0, 0, 0, 0, 1, 0], &[0, 0, 2, 9, 4, 0, 0, 0, 1], &[0]] {
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(wire.read(bytes));
        assert_eq!(wire.unfinished(), Some((Unfinished::HeaderBlock, began)), "behind {bytes:?}");
    }
    assert!(wire.read(&[0]));
    assert_eq!(wire.unfinished(), None);

    let again = Instant::now();
    assert!(wire.read(&[0, 0, 0, 1, 4, 0, 0, 0, 3, 0, 0, 1, 1, 4, 0, 0, 0, 5]));
    assert_eq!(wire.unfinished(), Some((Unfinished::HeaderBlock, again)), "another block has a time of its own");
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_is_unfinished_since_its_last_byte() {
    let mut wire = Followed::new(WireSide::Endpoint);
    for bytes in [&[0, 0, 8, 6][..], &[0, 0, 0, 0, 0, 1]] {
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(wire.read(bytes));
        assert_eq!(wire.unfinished(), Some((Unfinished::Frame, Instant::now())));
    }
    assert!(wire.read(&[0; 7]));
    assert_eq!(wire.unfinished(), None);
}

#[test]
fn a_flood_stops_the_reading_wakes_and_stays() {
    let mut wire = Followed::new(WireSide::Endpoint);
    let count = Arc::new(Count::default());
    let pings = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(500);
    assert!(wire.read(&pings) && wire.read(&pings));
    wire.register(&Waker::from(Arc::clone(&count)));

    assert!(!wire.read(&pings));

    assert_eq!(count.0.load(Relaxed), 1);
    let fault = wire.fault().unwrap();
    assert_eq!((fault, fault.reason()), (WireFault::Flood(FloodKind::Ping), Reason::ENHANCE_YOUR_CALM));
    assert!(!wire.read(EMPTY_SETTINGS), "there is no way back");
    assert_eq!(wire.fault(), Some(fault));
}
