//! Where time and chance come from: the system, or a simulation that repeats itself.
//!
//! The registry of endpoints and the runtime of plugins hold one each, and read no other clock for what they decide.
//! Deadlines of plugins and timers of sockets are those of the machine: they bound what runs here, whatever is
//! simulated.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Where the machine's [`Clock::elapsed`] starts: when somebody first asks.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A source of time and chance. Cheap to clone; clones agree with each other.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands still until it is advanced.
    Simulated(Arc<Simulation>),
}

impl Clock {
    /// Monotonic time.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Simulated(simulation) => simulation.began + simulation.elapsed(),
        }
    }

    /// Monotonic time as a number: since the first question in this process, or since the begin of the simulation.
    /// Whoever asks, all answers can be compared.
    #[must_use]
    #[inline]
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::System => Instant::now().saturating_duration_since(*BEGAN),
            Self::Simulated(simulation) => simulation.elapsed(),
        }
    }

    /// Wall clock: time since 1970, UTC.
    #[must_use]
    pub fn wall(&self) -> Duration {
        match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Self::Simulated(simulation) => simulation.wall + simulation.elapsed(),
        }
    }

    /// 64 random bits: keyed by the operating system once per thread, then hashed (SipHash-1-3). Good for shuffling,
    /// sampling and hash seeds; not for keys. A simulation gives the same sequence for the same seed.
    #[must_use]
    pub fn random(&self) -> u64 {
        match self {
            Self::System => RandomState::new().build_hasher().finish(),
            Self::Simulated(simulation) => simulation.random(),
        }
    }

    /// A number from 0 up to, but not, 1: [`Self::random`], of which a float has 53 bits.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub fn chance(&self) -> f64 {
        (self.random() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Time that passes when it is told to, and chance from a seed.
#[derive(Debug)]
pub struct Simulation {
    began: Instant,
    wall: Duration,
    /// Nanoseconds.
    elapsed: AtomicU64,
    random: AtomicU64,
}

impl Simulation {
    /// One that begins at `wall` after 1970 and draws its random numbers from `seed`.
    #[must_use]
    pub fn new(seed: u64, wall: Duration) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), wall, elapsed: AtomicU64::new(0), random: AtomicU64::new(seed) })
    }

    /// Lets time pass, to at most 584 years after the begin.
    pub fn advance(&self, by: Duration) {
        self.elapsed.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Relaxed))
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.random.fetch_add(STEP, Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulated_time_passes_when_it_is_advanced_and_by_as_much() {
        let simulation = Simulation::new(7, Duration::from_secs(1_000));
        let clock = Clock::Simulated(Arc::clone(&simulation));
        let begin = clock.now();

        simulation.advance(Duration::from_millis(1_500));

        assert_eq!(clock.now() - begin, Duration::from_millis(1_500));
        assert_eq!(clock.elapsed(), Duration::from_millis(1_500));
        assert_eq!(clock.clone().wall(), Duration::from_millis(1_001_500));
    }

    #[test]
    fn clocks_of_the_system_agree_with_each_other() {
        let one = Clock::System.elapsed();
        let other = Clock::System.clone().elapsed();

        assert!(one <= other && other <= Clock::System.elapsed());
    }

    #[test]
    fn chances_are_spread_over_the_numbers_from_0_to_1() {
        let clock = Clock::Simulated(Simulation::new(7, Duration::ZERO));
        let chances: Vec<_> = (0..1_000).map(|_| clock.chance()).collect();

        assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
        for tenth in (0..10).map(|tenth| f64::from(tenth) / 10.0) {
            assert!(chances.iter().any(|chance| (tenth..tenth + 0.1).contains(chance)), "none from {tenth} on");
        }
    }

    #[test]
    fn a_seed_gives_one_sequence_and_the_system_none() {
        let draw = |clock: Clock| [(); 4].map(|()| clock.random());
        let seeded = |seed| Clock::Simulated(Simulation::new(seed, Duration::ZERO));

        assert_eq!(draw(seeded(7)), draw(seeded(7)));
        assert_ne!(draw(seeded(7)), draw(seeded(8)));
        assert_eq!(seeded(0).random(), 0xe220_a839_7b1d_cdaf, "the first number of SplitMix64 with seed 0");
        assert_ne!(Clock::System.random(), Clock::System.random());
    }
}
