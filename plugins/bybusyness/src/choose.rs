//! Apache's `bybusyness` (mod_lbmethod_bybusyness, 2.4): who is least busy, and whose turn it is among equals.

/// An endpoint that may be chosen, with what it holds now.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Id of the endpoint.
    pub id: u32,
    /// Connections and requests in flight.
    pub busy: u32,
}

/// One score per endpoint, Apache's `lbstatus`: it grows by the weight whenever the endpoint could have been chosen,
/// and pays for all when it is.
#[derive(Clone, Debug)]
pub struct Scores(Vec<Entry>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    weight: i64,
    score: i64,
}

impl Scores {
    /// Everyone at zero. Weights are load factors in hundredths.
    pub fn new(weights: impl Iterator<Item = u32>) -> Self {
        Self(weights.map(|weight| Entry { weight: i64::from(weight), score: 0 }).collect())
    }

    /// Chooses the smallest busyness; among equals the greatest score; among those the earliest.
    ///
    /// A weight breaks ties and nothing else: busyness is not divided by it, as in Apache.
    pub fn pick(&mut self, candidates: impl Iterator<Item = Candidate>) -> Option<u32> {
        let mut best: Option<(u32, i64, u32)> = None;
        let mut total: i64 = 0;
        for Candidate { id, busy } in candidates {
            let Some(entry) = self.entry(id) else { continue };
            entry.score = entry.score.saturating_add(entry.weight);
            total = total.saturating_add(entry.weight);
            let (score, better) = (entry.score, |(least, most, _): (u32, i64, u32)| {
                busy < least || (busy == least && entry.score > most)
            });
            if best.is_none_or(better) {
                best = Some((busy, score, id));
            }
        }
        let (_, _, id) = best?;
        let winner = self.entry(id)?;
        winner.score = winner.score.saturating_sub(total);
        Some(id)
    }

    /// Sets the score of one endpoint.
    pub fn set(&mut self, index: usize, score: i64) {
        if let Some(entry) = self.0.get_mut(index) {
            entry.score = score;
        }
    }

    /// The scores, in the order of the endpoints.
    pub fn all(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().map(|entry| entry.score)
    }

    fn entry(&mut self, id: u32) -> Option<&mut Entry> {
        self.0.get_mut(usize::try_from(id).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cluster of endpoints a, b, c… and what each of them holds.
    struct Cluster {
        scores: Scores,
        busy: Vec<u32>,
        eligible: Vec<u32>,
    }

    impl Cluster {
        /// Weights as Apache writes them; `eligible` by letter.
        fn new(factors: &[f64], eligible: &str) -> Self {
            let weights = factors.iter().map(|factor| format!("{:.0}", factor * 100.0).parse().unwrap());
            let eligible = eligible.bytes().map(|letter| u32::from(letter - b'a')).collect();
            Self { scores: Scores::new(weights), busy: vec![0; factors.len()], eligible }
        }

        fn pick(&mut self) -> char {
            let busy = &self.busy;
            let candidates = self.eligible.iter().map(|&id| Candidate { id, busy: busy[id as usize] });
            char::from(b'a' + u8::try_from(self.scores.pick(candidates).unwrap()).unwrap())
        }

        fn holding(&mut self, letter: char) -> &mut u32 {
            &mut self.busy[letter as usize - 'a' as usize]
        }

        /// Opens as many tunnels as `expected` has letters, and keeps them.
        fn hold(&mut self, expected: &str) {
            let found = (0..expected.len()).map(|_| {
                let letter = self.pick();
                *self.holding(letter) += 1;
                letter
            });
            assert_eq!(found.collect::<String>(), expected, "held open");
        }

        /// One request at a time.
        fn sequence(&mut self, expected: &str) {
            let found: String = (0..expected.len()).map(|_| self.pick()).collect();
            assert_eq!(found, expected, "one at a time");
        }
    }

    #[test]
    fn held_tunnels_spread_as_in_apache() {
        let table: &[(&[f64], &str, &str)] = &[
            (&[1.0, 1.0], "ab", "abababab"),
            (&[1.0, 3.0], "ab", "babababa"),
            (&[1.0, 1.0, 1.0], "ab", "abababab"), // c is a spare, and not needed
            (&[1.0, 1.0, 1.0], "ac", "acacacac"), // b is disabled, the spare c takes its place
            (&[1.0, 1.0, 1.0], "c", "cccccccc"),  // a and b are disabled, c is the standby
        ];

        for (factors, eligible, expected) in table {
            Cluster::new(factors, eligible).hold(expected);
        }
    }

    #[test]
    fn requests_after_held_tunnels_follow_apache() {
        let table: &[(&[f64], &str, &str)] =
            &[(&[1.0, 1.0], "abababab", "abababab"), (&[1.0, 3.0], "babababa", "bbbbbbbb")];

        for (factors, held, then) in table {
            let mut cluster = Cluster::new(factors, "ab");
            cluster.hold(held);
            cluster.sequence(then);
        }
    }

    #[test]
    fn tunnels_that_come_and_go_follow_apache() {
        let mut cluster = Cluster::new(&[1.0, 1.0, 1.0], "abc");

        for step in "+a +b +c +a -b +b -a -a +a +c".split(' ') {
            let letter = step.chars().nth(1).unwrap();
            if step.starts_with('+') {
                assert_eq!(cluster.pick(), letter, "at {step}");
                *cluster.holding(letter) += 1;
            } else {
                *cluster.holding(letter) -= 1;
            }
        }

        assert_eq!(cluster.busy, [1, 1, 2]);
    }

    #[test]
    fn nobody_to_choose_is_none() {
        let mut scores = Scores::new([100].into_iter());

        assert_eq!(scores.pick(std::iter::empty()), None);
        assert_eq!(scores.pick([Candidate { id: 7, busy: 0 }].into_iter()), None, "an id that was never configured");
    }
}
