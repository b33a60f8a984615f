use tidegate_plugin::fake::{self, Host};

use super::*;

fn endpoint(name: &str, models: Option<&str>) -> Endpoint {
    Endpoint {
        labels: models.map(|models| ("models".to_owned(), models.to_owned())).into_iter().collect(),
        ..fake::endpoint(name)
    }
}

fn among(count: usize, config: &str) -> Inference {
    Inference::configure(config, (0..count).map(|id| endpoint(&format!("http://{id}"), None)).collect()).unwrap()
}

fn taken(choice: Choice) -> u32 {
    match choice {
        Choice::Take(taken) => taken.endpoint,
        Choice::Refuse(refusal) => panic!("refused with {}", refusal.status),
    }
}

#[test]
fn the_model_of_the_body_says_who_may_have_it() {
    let host = Host::new();
    let endpoints = [endpoint("http://a", Some("llama, qwen")), endpoint("http://b", Some("mistral"))];
    let mut balancer = Inference::configure("null", endpoints.to_vec()).unwrap();
    let mut ask = |model: &str, ids: &[u32]| {
        host.body_field("model", model);
        balancer.choose(Candidates::new(ids, &vec![0; ids.len()]), None)
    };

    assert_eq!((taken(ask("mistral", &[0, 1])), taken(ask("qwen", &[0, 1]))), (1, 0));
    assert_eq!(ask("gpt", &[0, 1]), Choice::refuse(503, None));
    assert_eq!(ask("mistral", &[0]), Choice::refuse(503, None), "who has it may not be chosen now");
}

#[test]
fn a_conversation_stays_where_it_was_until_that_is_too_busy() {
    let host = Host::new();
    let mut balancer = among(4, r#"{"slack": 10}"#);
    host.body_blocks([1, 2, 3, 4]);
    let first = balancer.choose(Candidates::new(&[0, 1, 2, 3], &[5, 5, 0, 5]), None);
    host.body_blocks([1, 2, 3, 4, 5]);

    assert_eq!(first, Choice::take(2, 4), "four blocks are new");
    assert_eq!(balancer.choose(Candidates::new(&[0, 1, 2, 3], &[0, 0, 10, 0]), None), Choice::take(2, 1));
    assert_ne!(taken(balancer.choose(Candidates::new(&[0, 1, 2, 3], &[0, 0, 11, 0]), None)), 2);
}

#[test]
fn what_every_prompt_begins_with_does_not_send_all_to_one_endpoint() {
    let host = Host::new();
    for (length, shared) in [(2, 1), (3, 2), (8, 1), (40, 39)] {
        let mut balancer = among(8, "null");
        let mut got = [0_u32; 8];
        for request in 0..800 {
            // All begin with the same blocks, and nobody is ever busy.
            host.body_blocks(
                (0..shared).chain((shared..length).map(|block| 1000 + request * 100 + block)).collect::<Vec<_>>(),
            );
            got[taken(balancer.choose(Candidates::new(&[0, 1, 2, 3, 4, 5, 6, 7], &[0; 8]), None)) as usize] += 1;
        }
        assert!(got.iter().all(|got| (80..=120).contains(got)), "{shared} of {length} blocks are shared: {got:?}");
    }
}

#[test]
fn who_is_full_gets_nothing_as_long_as_there_is_another() {
    let host = Host::new();
    let both = Candidates::new(&[0, 1], &[0, 30]);
    let mut balancer = among(2, "null");
    let mut strict = among(2, r#"{"refuse": true}"#);
    for (signal, full, free) in [("waiting", 16.0, 15.0), ("cache", 0.95, 0.94)] {
        host.signal(signal, [full, free]);
        assert_eq!(taken(balancer.choose(both, None)), 1, "{signal}");
        host.signal(signal, [full, full]);
        assert_eq!(taken(balancer.choose(both, None)), 0, "{signal}: all are");
        assert_eq!(strict.choose(both, None), Choice::refuse(429, Some(1)));
        host.signal(signal, [f64::NAN, f64::NAN]);
        assert_eq!(taken(strict.choose(both, None)), 0, "{signal} is not known");
    }
}

#[test]
fn what_endpoints_have_had_survives_a_swap_by_their_names() {
    let host = Host::new();
    host.body_blocks([1, 2, 3]);
    let mut before = among(3, "null");
    let holder = taken(before.choose(Candidates::new(&[0, 1, 2], &[1, 0, 1]), None));
    let state = before.save();
    let mut after = Inference::configure("null", vec![endpoint("http://9", None), endpoint("http://1", None)]).unwrap();

    after.restore(&state).unwrap();

    assert_eq!(holder, 1);
    assert_eq!(after.choose(Candidates::new(&[0, 1], &[0, 5]), None), Choice::take(1, 1));
    assert!(among(1, "null").restore(b"http://1 9\nab").is_err());
    assert!(before.save().len() < MOST_STATE);
}

#[test]
fn a_block_longer_than_what_is_seen_is_refused_with_its_place() {
    let faults = Inference::configure(r#"{"bytes": 1000, "block": 2000}"#, Vec::new()).unwrap_err();

    assert_eq!((&*faults[0].path, &*faults[0].message), ("/block", "expected at most `bytes`, 1000, found 2000"));
}
