//! When an endpoint is probed next. Spread by a hash, so that neither endpoints nor rounds fall together.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Between the first probes of two endpoints of a cluster: a few are asked at once, a thousand within seconds.
const STAGGER: Duration = Duration::from_millis(5);

/// How far a wait may be from the interval, each way.
const JITTER: f64 = 0.05;

/// How long endpoint number `place` waits for its first probe.
pub(super) fn first(place: usize, interval: Duration) -> Duration {
    STAGGER.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX)).min(interval)
}

/// From the begin of probe number `round` (from 1) of `endpoint` to that of its next.
///
/// The first wait is shorter by up to half: endpoints that began together drift apart once and for all.
pub(super) fn wait(endpoint: &str, round: u64, interval: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    (endpoint, round).hash(&mut hasher);
    #[expect(clippy::cast_precision_loss, reason = "a fraction from 0 to 1, exact enough")]
    let fraction = (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64;
    let factor = if round == 1 { 0.5 + fraction / 2.0 } else { 1.0 + JITTER * (2.0 * fraction - 1.0) };
    interval.mul_f64(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    #[test]
    fn first_probes_come_at_once_but_not_together() {
        assert_eq!(first(0, INTERVAL), Duration::ZERO);
        assert_eq!(first(3, INTERVAL), Duration::from_millis(15));
        assert_eq!(first(1_000_000, INTERVAL), INTERVAL, "but within one interval");
    }

    #[test]
    fn later_ones_are_spread_over_the_interval() {
        let mut tenths = [0; 10];
        for number in 0..1000 {
            let endpoint = format!("ws://10.0.0.{number}:80");
            let second = wait(&endpoint, 1, INTERVAL);
            assert!((INTERVAL / 2..=INTERVAL).contains(&second), "{second:?}");
            let place = usize::try_from((second - INTERVAL / 2).as_millis() / 500).unwrap();
            tenths[place.min(9)] += 1;
        }

        assert!(tenths.iter().all(|count| (60..=140).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_interval_is_kept_within_a_few_percent() {
        let waits: Vec<_> = (2..1002).map(|round| wait("ws://10.0.0.1:80", round, INTERVAL)).collect();

        let (least, most) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
        let mean = waits.iter().sum::<Duration>() / 1000;
        assert!(least >= INTERVAL.mul_f64(0.95) && most <= INTERVAL.mul_f64(1.05) && least < most);
        assert!(mean.abs_diff(INTERVAL) < Duration::from_millis(50), "{mean:?}");
        assert_eq!(waits, (2..1002).map(|round| wait("ws://10.0.0.1:80", round, INTERVAL)).collect::<Vec<_>>());
    }
}
