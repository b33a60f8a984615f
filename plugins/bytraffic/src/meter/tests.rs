use super::*;

/// Endpoints a, b, c… and the bytes that each has carried.
struct Cluster {
    meters: Meters,
    bytes: Vec<f64>,
    busy: Vec<u32>,
}

impl Cluster {
    fn new(weights: &[u32]) -> Self {
        let meters = Meters::new(weights.iter().copied());
        Self { meters, bytes: vec![0.0; weights.len()], busy: vec![0; weights.len()] }
    }

    /// The same endpoints and more, with other weights, in a new instance.
    fn heir(self, weights: &[u32]) -> Self {
        let mut heir = Self::new(weights);
        for (id, reading) in self.meters.readings().enumerate() {
            heir.meters.set(id, reading.unwrap());
        }
        heir.bytes[..self.bytes.len()].copy_from_slice(&self.bytes);
        heir
    }

    fn pick(&mut self, eligible: &[u32]) -> u32 {
        let (bytes, busy) = (&self.bytes, &self.busy);
        let candidate = |id: &u32| Candidate { id: *id, busy: busy[*id as usize], bytes: bytes[*id as usize] };
        self.meters.pick(eligible.iter().map(candidate)).unwrap()
    }

    /// One after the other, each of which carries `bytes`.
    fn sequence(&mut self, eligible: &[u32], count: usize, bytes: f64) -> String {
        let carry = |_| {
            let id = self.pick(eligible);
            self.bytes[id as usize] += bytes;
            char::from(b'a' + u8::try_from(id).unwrap())
        };
        (0..count).map(carry).collect()
    }
}

#[test]
fn fewest_bytes_for_the_weight() {
    let table: &[(&[u32], &[f64], u32)] = &[
        (&[100, 100], &[10.0, 9.0], 1),
        (&[100, 100], &[9.0, 9.0], 0),
        (&[100, 300], &[10.0, 29.0], 1),
        (&[100, 300], &[10.0, 31.0], 0),
        (&[1, 10_000], &[1.0, 9_999.0], 1),
        (&[100, 100], &[f64::NAN, 0.0], 0),
        (&[100, 100], &[1e308, 1e300], 1),
        (&[0, 1], &[f64::MAX, f64::INFINITY], 1),
    ];

    for (weights, bytes, expected) in table {
        let mut cluster = Cluster::new(weights);
        cluster.pick(&[0, 1]);
        cluster.bytes = bytes.to_vec();
        assert_eq!(cluster.pick(&[0, 1]), *expected, "{weights:?} {bytes:?}");
    }
}

#[test]
fn equal_requests_are_shared_by_weight() {
    assert_eq!(Cluster::new(&[100, 100]).sequence(&[0, 1], 6, 50.0), "ababab");
    assert_eq!(Cluster::new(&[100, 300]).sequence(&[0, 1], 8, 300.0), "abbbabbb");
}

#[test]
fn a_tunnel_counts_while_it_flows() {
    let mut cluster = Cluster::new(&[100, 100]);
    assert_eq!(cluster.pick(&[0, 1]), 0);
    cluster.busy[0] = 1;
    assert_eq!(cluster.pick(&[0, 1]), 1, "no byte has flowed yet: the tunnel that is open decides");

    cluster.busy[1] = 1;
    cluster.bytes[1] = 7.0;

    assert_eq!(cluster.pick(&[0, 1]), 0);
}

#[test]
fn who_joins_starts_at_the_lowest_level_of_the_others() {
    let mut old = Cluster::new(&[100, 100]);
    old.sequence(&[0, 1], 1000, 1e6);

    let mut new = old.heir(&[100, 100, 100]);

    assert_eq!(new.sequence(&[0, 1, 2], 9, 1e6), "abcabcabc", "c need not catch up");
}

#[test]
fn who_was_away_need_not_catch_up_either() {
    let mut cluster = Cluster::new(&[100, 100, 100]);
    cluster.sequence(&[0, 1, 2], 9, 1e6);
    cluster.sequence(&[0, 1], 2000, 1e6);

    assert_eq!(cluster.sequence(&[0, 1, 2], 6, 1e6), "abcabc");
}

#[test]
fn who_was_left_out_of_a_retry_keeps_its_level() {
    let mut cluster = Cluster::new(&[100, 100]);
    cluster.sequence(&[0, 1], 2, 1e6);
    cluster.bytes[1] = 9e6;
    assert_eq!(cluster.pick(&[0, 1]), 0);
    assert_eq!(cluster.pick(&[1]), 1);

    assert_eq!(cluster.sequence(&[0, 1], 8, 1e6), "aaaaaaaa", "a has carried 1 MB, b 9 MB");
}

#[test]
fn what_flowed_before_does_not_count_and_counters_may_start_again() {
    let mut cluster = Cluster::new(&[100, 100]);
    cluster.bytes = vec![5e9, 1e3];
    assert_eq!(cluster.sequence(&[0, 1], 4, 10.0), "abab", "all start alike under a new balancer");

    cluster.bytes = vec![0.0, 0.0];

    assert_eq!(cluster.sequence(&[0, 1], 4, 10.0), "baba", "the last bytes of b were never seen");
}

#[test]
fn a_changed_weight_counts_from_now_on() {
    let mut old = Cluster::new(&[100, 100]);
    old.sequence(&[0, 1], 100, 1e6);

    let found = old.heir(&[100, 200]).sequence(&[0, 1], 30, 1e6);

    assert_eq!(found.matches('b').count(), 20, "{found}");
}

#[test]
fn readings_are_written_exactly_and_garbage_is_refused() {
    let reading = Reading { level: 0.1 + 0.2, bytes: 1e15 };

    assert_eq!(reading.to_string().parse(), Ok(reading));
    for garbage in ["", "1", "x/1", "7ff8000000000000/0", "fff0000000000000/0", "bff0000000000000/0"] {
        assert_eq!(garbage.parse::<Reading>(), Err(()), "{garbage}");
    }
}

#[test]
fn nobody_to_choose_is_none() {
    let mut meters = Meters::new([100]);

    assert_eq!(meters.pick(std::iter::empty()), None);
    assert_eq!(meters.pick([Candidate { id: 7, busy: 0, bytes: 0.0 }].into_iter()), None);
}
