use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};

use super::*;
use crate::policy::{
    BalancerRefusal, ClusterId, DeciderLabel, EndpointId, EndpointIds, ExchangeEffects, FaultKind, ForwardTarget,
    HeadSide, ResponseContext, RouteId, Scheme,
};

fn request() -> RequestFacts {
    RequestFacts {
        method: Method::GET,
        scheme: Scheme::Http,
        authority: "gateway.test:80".parse().ok(),
        path: "/a".to_owned(),
        query: Some("b=c".to_owned()),
        upgrade: None,
        client: None,
        sni: None,
        headers: Arc::new(HeaderMap::new()),
        connection: None,
        effects: ExchangeEffects::default(),
        body: None,
    }
}

fn label(names: &[&str]) -> DeciderLabel {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    DeciderLabel { plugin: "mine".to_owned(), digest: "00".into(), cluster: Some("chat".to_owned()), names }
}

fn shown(decider: &DeciderLabel, decided: Observed<'_>) -> String {
    shown_with(decider, decided, &Effects::default())
}

fn shown_with(decider: &DeciderLabel, decided: Observed<'_>, effects: &Effects) -> String {
    line(&Observation { decider, decided, effects, took: Duration::from_nanos(12_340) })
}

fn fault() -> Fault {
    Fault { plugin: "mine".into(), kind: FaultKind::Trap, detail: "unreachable\n  at pick".to_owned() }
}

#[test]
fn a_pick_has_all_that_it_was_made_from() {
    let (decider, request) = (label(&["ws://a", "ws://b", "ws://c"]), request());
    let pick = PickRequest { eligible: &[0, 2].into(), busy: &[3, 1], affinity: Some(7), request: Some(&request) };

    let chosen = |choice| shown(&decider, Observed::Pick(&pick, Ok(choice)));
    let failed = shown(&decider, Observed::Pick(&pick, Err(&fault())));

    let inputs = "pick     chat  GET gateway.test:80/a?b=c  eligible 0 2  busy 3 1  affinity 7  → ";
    assert_eq!(chosen(Choice::one(EndpointId(2))), format!("{inputs}2 ws://c  12.3 µs"));
    let weighed = Choice::Take(EndpointId(0), 40.try_into().unwrap());
    assert_eq!(chosen(weighed), format!("{inputs}0 ws://a  units 40  12.3 µs"));
    let refused = Choice::Refuse(BalancerRefusal::new(429, Some(3)).unwrap());
    assert_eq!(chosen(refused), format!("{inputs}none: 429, Retry-After 3 s  12.3 µs"));
    let instead = "FAULT (trap): unreachable\n  at pick; the least busy stands in: 2 ws://c  12.3 µs";
    assert_eq!(failed, format!("{inputs}{instead}"));
}

#[test]
fn long_lists_are_cut_and_their_rest_is_counted() {
    let decider = label(&[]);
    let eligible: EndpointIds = (0..20).map(EndpointId).collect();
    let pick = PickRequest { eligible: &eligible, busy: &[0; 20], affinity: None, request: None };

    let line = shown(&decider, Observed::Pick(&pick, Ok(None.into())));

    assert!(line.contains("13 14 15 … (4 more)  busy") && line.contains("→ none: 503"), "{line}");
}

#[test]
fn a_routers_decision_names_cluster_path_and_route() {
    let (decider, request) = (label(&["one", "two"]), request());
    let target = ForwardTarget { cluster: ClusterId(1), path: Some("/x".to_owned()), route: Some(RouteId(0)) };
    let seen = |decision: Result<&Decision, &Fault>| shown(&decider, Observed::Route(&request, decision));

    let forward = seen(Ok(&Decision::Forward(target)));

    assert_eq!(forward, "route    GET gateway.test:80/a?b=c  → two  path /x  route 0  12.3 µs");
    assert!(seen(Ok(&Decision::Unmatched)).contains("→ unmatched: 404"));
    assert!(seen(Err(&fault())).contains("at pick; 503"));
}

#[test]
fn what_is_done_beside_a_decision_stands_behind_it() {
    let (decider, request) = (label(&[]), request());
    let mut effects = Effects::default();
    let (name, value) = (http::HeaderName::from_static("x-user"), HeaderValue::from_static("alice"));
    effects.note(Note { key: "tenant".to_owned(), value: "blue".to_owned() });
    effects.edit(HeadSide::Request, HeadEdit::Set(name.clone(), value));
    effects.edit(HeadSide::Response, HeadEdit::Remove(name));

    let line = shown_with(&decider, Observed::Route(&request, Ok(&Decision::Next)), &effects);

    let beside = "request: set x-user: alice  response: remove x-user  note tenant: blue";
    assert_eq!(line, format!("route    GET gateway.test:80/a?b=c  → next  {beside}  12.3 µs"));
}

#[test]
fn a_rewriters_edits_name_the_fields() {
    let decider = label(&[]);
    let context = ResponseContext {
        scheme: Scheme::Http,
        host: "gateway.test",
        path: "/a",
        route: None,
        endpoint: "http://a",
        request: None,
    };
    let fields = [(http::header::LOCATION, HeaderValue::from_static("/inner"))];
    let response = ShownResponse { context: &context, status: StatusCode::FOUND, fields: &fields };
    let edits = [HeaderEdit::Replace(0, HeaderValue::from_static("/outer"))];

    let line = shown(&decider, Observed::Rewrite(&response, Ok(&edits)));

    assert_eq!(line, "rewrite  302 of /a from http://a  location: /inner  → replace location: /outer  12.3 µs");
}
