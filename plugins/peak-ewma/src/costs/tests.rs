use super::*;

const MS: f64 = 1e3;
const SECOND: f64 = 1e6;

/// Endpoints with live numbers, and a clock.
struct Cluster {
    costs: Costs,
    now: f64,
    numbers: Vec<Candidate>,
}

impl Cluster {
    /// `answers` in milliseconds.
    fn new(answers: &[f64]) -> Self {
        Self::weighted(&vec![100; answers.len()], answers)
    }

    fn weighted(weights: &[u32], answers: &[f64]) -> Self {
        let settings = Settings { decay: 10.0 * SECOND, penalty: SECOND };
        let numbers = (0..).zip(answers).map(|(id, ms)| Candidate { id, busy: 0, answer: ms * MS, failures: 0.0 });
        Self { costs: Costs::new(weights.iter().copied(), settings), now: 5.0, numbers: numbers.collect() }
    }

    fn pick(&mut self) -> u32 {
        self.costs.pick(self.numbers.iter().copied(), self.now).unwrap()
    }

    /// Picks at `rate` a second for `seconds`; each is answered at once, in `answer` milliseconds by id. Counts by id.
    fn serve(&mut self, seconds: u32, rate: u32, answer: &[f64]) -> Vec<u32> {
        let mut found = vec![0; self.numbers.len()];
        for turn in 0..seconds * rate {
            let id = self.pick() as usize;
            found[id] += 1;
            // No two times in a row are the same.
            self.numbers[id].answer = answer[id] * MS + f64::from(turn % 7);
            self.now += SECOND / f64::from(rate);
        }
        found
    }

    fn cost(&self, id: usize) -> f64 {
        self.costs.all().nth(id).unwrap().unwrap() / MS
    }
}

#[test]
fn the_fastest_for_what_it_holds_is_chosen() {
    let table: &[(&[u32], &[f64], &[u32], u32)] = &[
        (&[100, 100], &[10.0, 5.0], &[0, 0], 1),
        (&[100, 100], &[10.0, 5.0], &[0, 2], 0), // 10 against 15
        (&[100, 400], &[10.0, 20.0], &[0, 0], 1),
        (&[100, 100], &[10.0, 10.0], &[0, 0], 0),
        (&[100, 100], &[f64::NAN, f64::NAN], &[1, 0], 1),
        (&[100, 100], &[10.0, f64::NAN], &[1, 0], 1),
        (&[100, 100], &[10.0, f64::NAN], &[0, 1], 0),
        (&[100, 100], &[f64::INFINITY, -1.0], &[1, 0], 1),
    ];

    for (weights, answers, busy, expected) in table {
        let mut cluster = Cluster::weighted(weights, answers);
        cluster.numbers.iter_mut().zip(*busy).for_each(|(number, busy)| number.busy = *busy);
        assert_eq!(cluster.pick(), *expected, "{weights:?} {answers:?} {busy:?}");
    }
}

#[test]
fn a_peak_is_believed_at_once_and_forgotten_slowly() {
    let mut cluster = Cluster::new(&[10.0, 20.0]);
    cluster.pick();

    cluster.numbers[0].answer = 500.0 * MS;
    cluster.pick();
    assert!((cluster.cost(0) - 500.0).abs() < 1e-6);

    cluster.now += 10.0 * SECOND;
    cluster.numbers[0].answer = 100.0 * MS;
    cluster.pick();
    assert!((cluster.cost(0) - (100.0 + 400.0 * (-1_f64).exp())).abs() < 1e-6, "{}", cluster.cost(0));
}

#[test]
fn a_slow_endpoint_is_tried_now_and_then_and_used_again_when_it_is_fast() {
    let mut cluster = Cluster::new(&[10.0, 1000.0]);

    let slow = cluster.serve(120, 100, &[10.0, 1000.0]);
    let after = cluster.serve(300, 100, &[10.0, 1.0]);

    assert!((1..20).contains(&slow[1]), "tried, but not used: {slow:?}");
    assert!(after[1] > 10_000, "it became the faster one: {after:?}");
}

#[test]
fn a_new_endpoint_is_tried_and_not_flooded() {
    let mut cluster = Cluster::new(&[10.0, 10.0, f64::NAN]);
    for _ in 0..30 {
        let id = cluster.pick() as usize;
        cluster.numbers[id].busy += 1;
    }

    assert!(cluster.numbers.iter().all(|number| number.busy == 10), "a burst is shared: {:?}", cluster.numbers);
}

#[test]
fn everyone_is_tried_also_by_one_request_after_the_other() {
    let mut cluster = Cluster::new(&[f64::NAN; 5]);

    let found = cluster.serve(1, 100, &[10.0, 12.0, 50.0, 10.0, 11.0]);

    assert!(found.iter().all(|found| *found > 0), "{found:?}");
}

#[test]
fn what_was_forgotten_gets_no_whole_burst() {
    let mut cluster = Cluster::new(&[10.0, 10.0]);
    cluster.pick();
    cluster.now += 1e3 * SECOND;
    cluster.numbers[0].answer += 1.0;
    for _ in 0..30 {
        let id = cluster.pick() as usize;
        cluster.numbers[id].busy += 1;
    }

    assert!((15..=20).contains(&cluster.numbers[1].busy), "two thirds at the most: {:?}", cluster.numbers);
}

#[test]
fn a_failure_is_an_answer_that_took_long() {
    let mut cluster = Cluster::new(&[10.0, 20.0, f64::NAN]);
    cluster.numbers[2].busy = 9;
    assert_eq!(cluster.pick(), 0);

    cluster.numbers[0].failures = 3.0;
    assert_eq!(cluster.pick(), 1);
    assert!((cluster.cost(0) - 1000.0).abs() < 1e-6, "however many there were");
    cluster.numbers[0].failures = 4.0;
    cluster.pick();
    assert!((cluster.cost(0) - 2000.0).abs() < 1e-6);

    cluster.numbers[2].failures = 1.0;
    cluster.pick();
    assert!((cluster.cost(2) - 1000.0).abs() < 1e-6, "also where nothing was known");
}

#[test]
fn failures_and_answers_before_the_first_look_are_history() {
    let mut cluster = Cluster::new(&[10.0, 20.0]);
    cluster.costs.set(0, 300.0 * MS);
    cluster.numbers[0].failures = 7.0;

    assert_eq!(cluster.pick(), 1);
    assert!((cluster.cost(0) - 300.0).abs() < 1e-6, "a cost that was handed over is kept");
}

#[test]
fn time_that_stands_still_or_goes_back_is_no_time() {
    let mut cluster = Cluster::new(&[10.0, 20.0]);
    cluster.pick();
    cluster.now = -1e9;

    assert_eq!(cluster.pick(), 0);
    assert_eq!(cluster.costs.pick(std::iter::empty(), f64::NAN), None);
    assert_eq!(cluster.pick(), 0);
}
