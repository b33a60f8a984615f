use tidegate_plugin::fake::{self, Host};

use super::*;

const BY_HOST: &str = r#"{"domain":"Gateway.example"}"#;

fn router(config: &str) -> ByTenant {
    ByTenant::configure(config, vec!["east".to_owned(), "west".to_owned()]).unwrap()
}

fn line(host: &str) -> RequestLine {
    RequestLine { host: host.to_owned(), ..fake::request() }
}

/// The status of a response, or the cluster.
fn outcome(decision: Decision) -> Result<u32, u32> {
    match decision {
        Decision::Forward(Target { cluster, path: None, route: None }) => Ok(cluster),
        Decision::Respond(response) => Err(response.status),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_label_before_the_domain_is_the_tenant() {
    let host = Host::new();
    host.table("blue", "west").table("10", "east").table("", "east").table("a.blue", "east");
    let mut router = router(BY_HOST);

    for (name, expected) in [
        ("blue.gateway.example", Ok(1)),
        ("blue.gateway.example.", Ok(1)),
        ("red.gateway.example", Err(404)),
        ("gateway.example", Err(404)),
        (".gateway.example", Err(404)),
        ("a.blue.gateway.example", Err(404)),
        ("blue.gateway.example.evil.example", Err(404)),
        ("bluegateway.example", Err(404)),
        ("10.0.0.1", Err(404)),
        ("[::1]", Err(404)),
    ] {
        assert_eq!(outcome(router.route(&line(name))), expected, "{name}");
    }
    assert_eq!((host.counted("requests", "known"), host.counted("requests", "unknown")), (2.0, 8.0));
}

#[test]
fn a_header_is_the_tenant_if_it_is_there_once() {
    let host = Host::new();
    host.table("blue", "west");
    let mut router = router(r#"{"header":"x-tenant","unknown":421}"#);

    assert_eq!(outcome(router.route(&line("blue.gateway.example"))), Err(421));
    host.header("X-Tenant", "blue");
    assert_eq!(outcome(router.route(&line("a"))), Ok(1));
    assert_eq!(host.noted("tenant").as_deref(), Some("blue"));
    host.header("x-tenant", "red");
    assert_eq!(outcome(router.route(&line("a"))), Err(421), "nobody knows which of the two is meant");
}

#[test]
fn the_table_may_change_between_two_requests() {
    let host = Host::new();
    let mut router = router(r#"{"domain":"gateway.example","cluster":"east"}"#);

    assert_eq!(outcome(router.route(&line("blue.gateway.example"))), Ok(0), "the default");
    host.table("blue", "west");
    assert_eq!(outcome(router.route(&line("blue.gateway.example"))), Ok(1));
}

#[test]
fn a_table_that_names_no_cluster_sends_nobody_to_the_wrong_one() {
    let host = Host::new();
    host.table("blue", "north");
    let mut router = router(r#"{"domain":"gateway.example","cluster":"east"}"#);

    assert_eq!(outcome(router.route(&line("blue.gateway.example"))), Err(503));
    assert_eq!(host.lines()[0].1, "the table has \"north\" for tenant \"blue\", and there is no such cluster");
}

#[test]
fn a_name_too_long_for_a_note_is_served_all_the_same() {
    let host = Host::new();
    let long = "x".repeat(1000);
    host.table(&long, "west").header("x-tenant", &long);

    assert_eq!(outcome(router(r#"{"header":"x-tenant"}"#).route(&line("a"))), Ok(1));
    assert_eq!(host.noted("tenant"), None);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_sentence() {
    for (config, path, sentence) in [
        ("null", "", "expected `header` or `domain`, found neither: say what names the tenant"),
        (r#"{"header":"a","domain":"b"}"#, "/domain", "expected `header` or `domain`, found both: leave one out"),
        (r#"{"header":""}"#, "/header", "expected the name of a header, found it empty"),
        (r#"{"domain":"*.b"}"#, "/domain", "expected a domain such as gateway.example, found \"*.b\""),
        (
            r#"{"domain":"b","cluster":"north"}"#,
            "/cluster",
            "expected the name of a cluster, found \"north\": write a [cluster] for it",
        ),
        (r#"{"domain":"b","unknown":200}"#, "/unknown", "expected 400 to 499, found 200"),
    ] {
        let faults = ByTenant::configure(config, vec!["east".to_owned()]).unwrap_err();

        assert_eq!((&*faults[0].path, &*faults[0].message), (path, sentence), "{config}");
    }
}
