use super::*;
use crate::figures::{imbalance, mean_moved, moved, names, table};

#[test]
fn every_slot_has_an_endpoint_and_shares_follow_weights() {
    let cases: &[(&[u32], usize)] = &[
        (&[100], 7),
        (&[100, 100], 251),
        (&[100, 300], 65_537),
        (&[100, 250, 1, 10_000], 65_537),
        (&[10_000, 1, 1, 1, 1], 251),
        (&[1; 251], 251),
    ];

    for (weights, size) in cases {
        let (names, total) = (names(weights.len()), f64::from(weights.iter().sum::<u32>()));
        let counts = crate::figures::counts(&table(&names, weights, *size), weights.len());

        assert_eq!(counts.iter().sum::<usize>(), *size, "no slot is free");
        for (count, weight) in counts.iter().zip(*weights) {
            let due = (f64::from(*weight) / total * *size as f64).max(1.0);
            assert!((*count as f64 - due).abs() <= 1.0 + weights.len() as f64, "{weights:?} of {size}: {counts:?}");
        }
    }
}

#[test]
fn balance_is_that_of_the_paper() {
    // "M > 100 × N … at most a 1 % difference" (§3.4).
    for (endpoints, size, most) in
        [(10, 65_537, 1.001), (100, 65_537, 1.005), (655, 65_537, 1.01), (1000, 65_537, 1.02)]
    {
        let found = imbalance(&table(&names(endpoints), &vec![100; endpoints], size), endpoints);
        assert!(found <= most, "{endpoints} in {size}: {found}");
    }
}

#[test]
fn who_leaves_moves_little_but_its_own_keys() {
    for (endpoints, most) in [(2, 0.51), (10, 0.12), (100, 0.03)] {
        let names = names(endpoints);
        let before = table(&names, &vec![100; endpoints], 65_537);
        let after = table(&names[1..], &vec![100; endpoints - 1], 65_537);

        let share = moved(&before, &after, &names, &names[1..]).all;

        assert!(share <= most, "one of {endpoints} leaves: {share} moved");
        assert!(share >= 0.99 / endpoints as f64, "its own have to");
    }
}

#[test]
fn what_moves_without_need_is_as_little_as_in_the_paper() {
    // Figure 12: with 1 % of 1,000 endpoints gone at once, about 2.3 % in the small table, 0.6 % in the large one.
    for (size, most) in [(65_537, 0.025), (655_373, 0.007)] {
        let others = mean_moved(1000, 10, size, 2).others;
        assert!(others > 0.0 && others <= most, "{size}: {others}");
    }
}

#[test]
fn a_table_does_not_depend_on_the_order_in_which_endpoints_are_written() {
    let written = ["b", "c", "a"];
    let members = |ids: [u32; 3]| {
        let mut members = ids.map(|id| Member { id, name: written[id as usize], weight: 100 });
        members.sort_by_key(|member| member.name);
        Table::new(&members, 251)
    };

    let (one, other) = (members([0, 1, 2]), members([2, 0, 1]));

    assert!((0..1000).all(|key| one.from(one.slot(key)).eq(other.from(other.slot(key)))));
}

#[test]
fn keys_next_to_each_other_go_far_apart() {
    let table = table(&names(4), &[100; 4], 65_537);
    let slots: Vec<_> = (0..1000).map(|key| table.slot(key)).collect();

    assert!(slots.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(slots.iter().filter(|slot| **slot < 65_537 / 2).count().abs_diff(500) < 60);
}

#[test]
fn nothing_makes_it_panic() {
    let member = |weight| Member { id: 0, name: "", weight };

    for (members, size) in [(vec![], 7), (vec![member(0)], 0), (vec![member(0)], 1), (vec![member(u32::MAX); 9], 2)] {
        let table = Table::new(&members, size);
        assert_eq!(table.from(table.slot(7)).count(), size);
        assert_eq!(table.from(99).count(), size);
    }
}
