//! Apache's `bybusyness` (mod_lbmethod_bybusyness, 2.4): who is least busy, and whose turn it is among equals.

use tidegate_parts::Turns;

/// Chooses the smallest busyness; among equals the greatest score; among those the earliest.
///
/// A weight breaks ties and nothing else: busyness is not divided by it, as in Apache.
pub fn pick(turns: &mut Turns, eligible: &[u32], busy: &[u32]) -> Option<u32> {
    turns.least(eligible.iter().copied().zip(busy.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cluster of endpoints a, b, c… and what each of them holds.
    struct Cluster {
        turns: Turns,
        busy: Vec<u32>,
        eligible: Vec<u32>,
    }

    impl Cluster {
        /// Weights as Apache writes them; `eligible` by letter.
        fn new(factors: &[f64], eligible: &str) -> Self {
            let weights = factors.iter().map(|factor| format!("{:.0}", factor * 100.0).parse().unwrap());
            let eligible = eligible.bytes().map(|letter| u32::from(letter - b'a')).collect();
            Self { turns: Turns::new(weights), busy: vec![0; factors.len()], eligible }
        }

        fn pick(&mut self) -> char {
            let busy: Vec<u32> = self.eligible.iter().map(|id| self.busy[*id as usize]).collect();
            char::from(b'a' + u8::try_from(pick(&mut self.turns, &self.eligible, &busy).unwrap()).unwrap())
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
}
