use tidegate_plugin::fake::{Edited, Host, context, endpoints, request as line};
use tidegate_plugin::{Balancer, Candidates, Edit, Handover, Rewriter, Router};

use super::*;

fn balancer(config: &str, names: &[&str]) -> StickyLeastBusy {
    StickyLeastBusy::configure(config, endpoints(names)).unwrap()
}

fn pick(balancer: &mut StickyLeastBusy, session: &str, eligible: &[u32]) -> u32 {
    let host = Host::new();
    host.header("mcp-session-id", session);
    balancer.pick(Candidates::new(eligible, &vec![0; eligible.len()]), None).unwrap()
}

#[test]
fn a_session_stays_and_a_new_one_goes_to_the_least_busy() {
    let mut sticky = balancer("null", &["a", "b", "c"]);
    let host = Host::new();
    host.header("mcp-session-id", "one");

    assert_eq!(sticky.pick(Candidates::new(&[0, 1, 2], &[5, 2, 3]), None), Some(1));
    assert_eq!(sticky.pick(Candidates::new(&[0, 1, 2], &[0, 90, 0]), None), Some(1), "busy or not");
    assert_eq!(sticky.pick(Candidates::new(&[0, 2], &[1, 0]), None), Some(2), "its endpoint is away");
    assert_eq!(sticky.pick(Candidates::new(&[0, 1, 2], &[0, 0, 9]), None), Some(2), "where it went");
}

#[test]
fn new_sessions_take_turns_where_nobody_is_busy() {
    let mut sticky = balancer("null", &["a", "b", "c"]);
    let picks: Vec<u32> = (0..6).map(|session| pick(&mut sticky, &session.to_string(), &[0, 1, 2])).collect();
    assert_eq!(picks, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn an_id_may_stand_in_the_query_or_a_cookie() {
    let mut sticky = balancer(r#"{"query": "session", "cookie": "sid"}"#, &["a", "b"]);
    let choose = |sticky: &mut StickyLeastBusy, busy: [u32; 2]| sticky.pick(Candidates::new(&[0, 1], &busy), None);
    let host = Host::new();
    host.line(RequestLine { query: Some("a=1&session=one".to_owned()), ..line() });
    assert_eq!((choose(&mut sticky, [1, 0]), choose(&mut sticky, [0, 1])), (Some(1), Some(1)));
    drop(host);
    let host = Host::new();
    host.line(RequestLine { query: Some("session=o%6Ee&session=other".to_owned()), ..line() });
    assert_eq!(choose(&mut sticky, [0, 1]), Some(1), "the same id, written otherwise");
    drop(host);
    let host = Host::new();
    host.header("cookie", "a=1; sid=one");
    assert_eq!(choose(&mut sticky, [0, 1]), Some(1), "the same id");
    drop(host);
    let host = Host::new();
    host.header("cookie", "sid=");
    assert_eq!((choose(&mut sticky, [0, 1]), choose(&mut sticky, [1, 0])), (Some(0), Some(1)), "no id is no session");
}

/// A published report of a hash in its place: from 98 % to 5 %.
#[test]
fn a_change_of_members_moves_the_sessions_of_who_left_and_no_others() {
    let names = ["a", "b", "c", "d", "e"];
    let mut before = balancer("null", &names[..4]);
    let first: Vec<u32> = (0..1_000).map(|session| pick(&mut before, &format!("s{session}"), &[0, 1, 2, 3])).collect();

    let mut grown = balancer("null", &names);
    grown.restore(&before.save()).unwrap();
    let kept = (0..1_000).filter(|n| pick(&mut grown, &format!("s{n}"), &[0, 1, 2, 3, 4]) == first[*n]).count();
    let modulo = |n: usize, of: u64| sessions::key(&format!("s{n}")) % of;
    let by_hash = (0..1_000).filter(|n| modulo(*n, 4) == modulo(*n, 5)).count();
    assert_eq!(kept, 1_000);
    assert!(by_hash < 250, "a hash over the count of endpoints: {by_hash} of 1000");

    // Without `a`, ids are others.
    let mut shrunk = balancer("null", &names[1..4]);
    shrunk.restore(&before.save()).unwrap();
    for (session, before) in first.iter().enumerate().filter(|(_, before)| **before != 0) {
        assert_eq!(pick(&mut shrunk, &format!("s{session}"), &[0, 1, 2]), before - 1, "s{session}");
    }
}

#[test]
fn the_table_is_bounded_and_keeps_what_is_used() {
    let mut sticky = balancer("null", &["a", "b"]);
    let own = pick(&mut sticky, "own", &[0, 1]);
    for session in 0..300_000_u64 {
        sticky.sessions.set(session, 0);
        if session % 10_000 == 0 {
            assert_eq!(pick(&mut sticky, "own", &[0, 1]), own);
        }
        assert!(sticky.sessions.count() <= 100_000);
    }
    let state = sticky.save();
    assert!(state.len() <= 1 << 20 && state.len() > 500_000, "{}", state.len());
    let mut next = balancer("null", &["b", "a"]);
    next.restore(&state).unwrap();
    assert_eq!(next.sessions.count(), sticky.sessions.count());
    assert_eq!(pick(&mut next, "own", &[0, 1]), 1 - own, "by name");
}

#[test]
fn a_state_that_is_none_is_refused() {
    for state in [&b""[..], b"a", b"a\n\n123", b"\xff\n\n", b"a\n\n12345678\x01\x00"] {
        assert!(balancer("null", &["a"]).restore(state).is_err(), "{state:?}");
    }
    assert!(balancer("null", &["a"]).restore(&balancer("null", &[]).save()).is_ok());
}

#[test]
fn an_id_that_the_endpoint_gives_carries_its_mark_and_leads_back() {
    let names = ["http://a:1", "http://b:1"];
    let answer = Marks::configure("null").unwrap().rewrite(
        &Context { endpoint: names[1].to_owned(), ..context() },
        200,
        &[("mcp-session-id".to_owned(), "s~1".to_owned())],
    );
    let [Edit::Replace((0, marked))] = &answer[..] else { panic!("{answer:?}") };

    let host = Host::new();
    host.header("mcp-session-id", marked);
    assert!(matches!(Unmarks::configure("null", Vec::new()).unwrap().route(&line()), Decision::Next));
    assert_eq!(host.edits(), [Edited::Set(Side::Request, "mcp-session-id".to_owned(), "s~1".to_owned())]);
    let mut sticky = balancer("null", &names);
    assert_eq!(sticky.pick(Candidates::new(&[0, 1], &[0, 9]), None), Some(1));
    assert_eq!(sticky.pick(Candidates::new(&[0], &[0]), None), Some(0), "its endpoint is away");
    assert_eq!(sticky.sessions.count(), 0, "the mark is enough");
    for plain in ["s", "s~", "~0123abcd", "s~0123abc", "s~0123ABCD", "s~0123abcg"] {
        assert_eq!(mark::split(plain), None, "{plain}");
    }
}
