//! Apache's `byrequests` (mod_lbmethod_byrequests, 2.4): smooth weighted round robin.

use tidegate_parts::Turns;

/// Chooses the greatest score, the earliest among equals. Everyone's score grows by its weight first, and the winner
/// pays for all.
pub fn pick(turns: &mut Turns, eligible: &[u32]) -> Option<u32> {
    turns.turn(eligible)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(turns: &mut Turns, eligible: &[u32], count: usize) -> String {
        (0..count).map(|_| char::from(b'a' + u8::try_from(pick(turns, eligible).unwrap()).unwrap())).collect()
    }

    #[test]
    fn sequences_are_those_of_apache() {
        let table: &[(&[u32], &str)] = &[
            (&[100, 100], "abababab"),
            (&[100, 300], "babbbabbbabbbabb"),
            (&[100, 250], "babbbabbabbbabba"),
            (&[100, 100, 100], "abcabcabc"),
        ];

        for (weights, expected) in table {
            let mut turns = Turns::new(weights.iter().copied());
            let all: Vec<u32> = (0..).take(weights.len()).collect();
            assert_eq!(sequence(&mut turns, &all, expected.len()), *expected, "{weights:?}");
        }
    }

    #[test]
    fn who_cannot_be_chosen_gathers_no_turns() {
        let mut turns = Turns::new([100, 100, 100]);

        assert_eq!(sequence(&mut turns, &[0, 2], 6), "acacac", "b is away");
        assert_eq!(sequence(&mut turns, &[0, 1, 2], 6), "abcabc", "and gets no more than its share when it returns");
    }
}
