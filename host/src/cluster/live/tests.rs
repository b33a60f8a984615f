//! Standings over time, and what leads from one to the other.

use std::borrow::Cow;

use super::*;

const PAUSE: PauseConfig = PauseConfig { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
const ONCE: Thresholds = Thresholds { rise: 1, fall: 1 };
const OUTLIER: OutlierConfig = OutlierConfig {
    consecutive: 2,
    rate: 1.0,
    window: Duration::from_secs(10),
    minimum: 100,
    ejection: Duration::from_secs(10),
    longest: Duration::from_secs(60),
    share: 1.0,
};

fn second(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[test]
fn failures_lead_from_pause_to_trial_and_back() {
    let (live, now) = (Live::new("ws://192.0.2.1:80"), Instant::now());
    assert_eq!(live.health(now), Health::Healthy);

    assert_eq!(live.pause(&PAUSE, PauseCause::Unreachable, now), Some(second(1)));
    assert_eq!(live.health(now), Health::Paused);
    assert_eq!(live.health(now + second(1)), Health::Suspect);
    assert!(live.begin_trial(now + second(1)));
    assert_eq!(live.health(now + second(1)), Health::Paused, "for the others");
    live.end_trial(now + second(1));
    live.succeeded(Duration::from_millis(1), now + second(2));

    assert_eq!(live.health(now + second(2)), Health::Healthy);
    assert_eq!(
        live.report(now + second(3)),
        HealthReport { health: Health::Healthy, since: now + second(2), reason: None }
    );
}

#[test]
fn a_connection_ends_the_trial_of_who_could_not_be_reached() {
    for (cause, others) in [(PauseCause::Unreachable, Health::Suspect), (PauseCause::Answer, Health::Paused)] {
        let (live, now) = (Live::new("ws://192.0.2.1:80"), Instant::now());
        live.pause(&PAUSE, cause, now);
        let after = now + second(1);
        assert!(live.begin_trial(after));

        assert_eq!(live.connected(after), others == Health::Suspect, "{cause:?}");

        assert_eq!(live.health(after), others, "{cause:?}: until there is an answer");
        assert_eq!(live.begin_trial(after), others == Health::Suspect, "{cause:?}");
    }
}

#[test]
fn the_worst_word_counts() {
    let (live, now) = (Live::new("ws://192.0.2.1:80"), Instant::now());
    let ticket = live.begin_probes(now);
    live.pause(&PAUSE, PauseCause::Unreachable, now);
    live.eject("2 failures in a row".to_owned(), &OUTLIER, now);
    live.probed(ticket, Err("answered 500"), ONCE, now);
    let reason = |reason: &'static str| Some(Cow::Borrowed(reason));

    assert_eq!(live.report(now).reason, reason("answered 500"));
    assert_eq!(live.health(now), Health::Unhealthy);
    live.succeeded(Duration::from_millis(1), now);
    assert_eq!(live.health(now), Health::Unhealthy, "an answer is no probe");
    live.probed(ticket, Ok(()), ONCE, now + second(1));
    assert_eq!(live.health(now + second(1)), Health::Ejected, "a probe does not know how real work goes");
    assert_eq!(live.report(now + second(1)).since, now);
    assert_eq!(live.health(now + second(10)), Health::Healthy, "the pause has gone with the bad probe");
}

#[test]
fn a_good_probe_does_not_cut_a_pause_short() {
    let (live, now) = (Live::new("ws://192.0.2.1:80"), Instant::now());
    let ticket = live.begin_probes(now);
    live.probed(ticket, Ok(()), ONCE, now);
    live.pause(&PAUSE, PauseCause::Answer, now);

    live.probed(ticket, Ok(()), ONCE, now);

    assert_eq!(live.health(now), Health::Paused, "an endpoint may pass probes and fail at work");
}

#[test]
fn what_becomes_healthy_starts_slowly() {
    let now = Instant::now();
    let length = second(100);
    let offers = |live: &Live, at| (0..100).filter(|_| live.is_offered(length, at)).count();
    let fresh = Live::new("ws://192.0.2.1:80");
    assert_eq!(offers(&fresh, now), 100, "a cluster that starts has nobody warm to spare it");

    let paused = Live::new("ws://192.0.2.1:80");
    paused.pause(&PAUSE, PauseCause::Unreachable, now);
    paused.succeeded(Duration::from_millis(1), now + second(2));
    let ejected = Live::new("ws://192.0.2.1:80");
    ejected.eject("bad".to_owned(), &OUTLIER, now);
    assert!(ejected.admits(now + second(10)));
    let probed = Live::new("ws://192.0.2.1:80");
    let ticket = probed.begin_probes(now);
    probed.probed(ticket, Err("refused"), ONCE, now);
    probed.probed(ticket, Ok(()), ONCE, now + second(5));
    let introduced = Live::new("ws://192.0.2.1:80");
    introduced.warm_up(now);

    for (live, since) in [(paused, 2), (ejected, 10), (probed, 5), (introduced, 0)] {
        let half = offers(&live, now + second(since + 50));
        assert!(half.abs_diff(50) <= 1, "since {since}: {half} of 100");
        assert_eq!(offers(&live, now + second(since + 100)), 100, "since {since}");
    }
}

#[test]
fn an_operator_can_have_failures_forgotten() {
    let (live, now) = (Live::new("ws://192.0.2.1:80"), Instant::now());
    live.pause(&PAUSE, PauseCause::Unreachable, now);
    live.eject("bad".to_owned(), &OUTLIER, now);

    live.reset(now);

    assert_eq!(live.health(now), Health::Healthy);
    assert_eq!(live.ejections(), 1, "what happened has happened");
}

#[test]
fn failures_at_once_eject_once() {
    let (live, now) = (Live::new("ws://192.0.2.1:80"), Instant::now());

    for _ in 0..10 {
        if let Some(reason) = live.record(true, &OUTLIER, now) {
            live.eject(reason, &OUTLIER, now);
        }
    }

    assert_eq!(live.ejections(), 1);
    assert_eq!(live.report(now).reason, Some("2 failures in a row".into()));
}
