//! Hosts, and answers that the gateway gives itself.

use tidegate_tests::{Gateway, Origin, get};

#[tokio::test]
async fn hosts_tell_routes_apart() {
    let origin = Origin::named("a").start().await;
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/"
        hosts = ["one.example", "*.wild.example"]
        to = "http://{a}/one/"
        [[route]]
        path = "/"
        hosts = ["two.example"]
        to = "http://{a}/two/"
    "#,
    )
    .origin(&origin)
    .start()
    .await;
    for (host, expected) in [
        ("one.example", Some("/one/")),
        ("ONE.Example:8080", Some("/one/")),
        ("a.wild.example", Some("/one/")),
        ("wild.example", None),
        ("two.example", Some("/two/")),
        ("not-two.example", None),
        ("[::1]:80", None),
    ] {
        let mut request = get("/");
        request.headers_mut().insert("host", host.parse().unwrap());

        let answer = gateway.send(request).await;

        match expected {
            Some(target) => assert_eq!(answer.seen().target, target, "{host}"),
            None => assert_eq!(answer.status, 404, "{host}"),
        }
    }
}

#[tokio::test]
async fn a_response_of_the_configuration_is_given_as_written() {
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/ping"
        respond = { status = 418, body = "short and stout\n", headers = { X-Kettle = "yes" } }
    "#,
    )
    .start()
    .await;
    let mut client = gateway.http().await;

    let answer = client.send(get("/ping/below")).await;
    let unmatched = client.send(get("/pingpong")).await;

    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (418, "short and stout\n"));
    assert_eq!(answer.header("x-kettle"), "yes");
    assert_eq!(unmatched.status, 404);
    assert!(unmatched.text().contains("no route"), "a 404 of the gateway says whose it is: {}", unmatched.text());
}

#[tokio::test]
async fn redirects_lead_where_they_say() {
    let gateway = Gateway::configure(
        r#"
        [[route]]
        path = "/old"
        redirect = { to = "/new" }
        [[route]]
        path = "/gone"
        redirect = { to = "https://elsewhere.example/x", status = 308 }
        [[route]]
        path_regex = "^/re/(.*)$"
        redirect = { to = "https://elsewhere.example/$1", status = 301 }
        [[route]]
        path = "/search"
        redirect = { to = "/find?by=path", status = 303 }
        [[route]]
        path = "/"
        redirect = { to = "https://elsewhere.example", status = 307 }
    "#,
    )
    .start()
    .await;

    for (target, status, location) in [
        ("/old", 302, "/new"),
        ("/old/a%20b?x=1&y=%20", 302, "/new/a%20b?x=1&y=%20"),
        ("/gone", 308, "https://elsewhere.example/x"),
        ("/re/a%2Fb?x=1", 301, "https://elsewhere.example/a%2Fb?x=1"),
        ("/re//evil.example/x", 301, "https://elsewhere.example//evil.example/x"),
        ("/search?by=body", 303, "/find?by=path"),
        ("/.evil.example", 307, "https://elsewhere.example/.evil.example"),
        ("//evil.example?q", 307, "https://elsewhere.example/evil.example?q"),
    ] {
        let answer = gateway.get_exactly(target).await;

        assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location), "{target}");
    }
}

#[tokio::test]
async fn without_routes_everything_is_404() {
    let gateway = Gateway::configure("").start().await;

    let answer = gateway.get("/").await;

    assert_eq!(answer.status, 404);
}

/// Apache's `Header always`: a page's protection, or what lets a script read an answer, has to be on errors as well.
#[tokio::test]
async fn every_answer_of_a_route_has_its_response_headers() {
    let origin = Origin::named("a").start().await;
    let broken = Origin::saying("no HTTP at all\r\n\r\n").start().await;
    let nobody = Origin::reserved();
    let edits = "response_headers = { set = { X-Frame-Options = \"DENY\", X-Kind = \"set\" }, remove = [\"X-Own\"] }";
    let text = format!(
        r#"
        [[route]]
        path = "/through"
        to = "http://{{a}}"
        {edits}
        [[route]]
        path = "/down"
        to = "http://{}"
        {edits}
        [[route]]
        path = "/broken"
        to = "http://{}"
        {edits}
        [[route]]
        path = "/moved"
        redirect = {{ to = "/new" }}
        {edits}
        [[route]]
        path = "/here"
        respond = {{ status = 403, headers = {{ X-Kind = "own", X-Own = "1", X-Kept = "1" }} }}
        {edits}
    "#,
        nobody.address(),
        broken.address()
    );
    let gateway = Gateway::configure(&text).origin(&origin).start().await;

    for (path, status) in [("/through", 200), ("/down", 503), ("/broken", 502), ("/moved", 302), ("/here", 403)] {
        let answer = gateway.get(path).await;

        assert_eq!(answer.status, status, "{path}");
        assert_eq!((answer.header("x-frame-options"), answer.header("x-kind")), ("DENY", "set"), "{path}");
        assert_eq!(answer.header("x-own"), "", "{path}");
        assert_eq!(answer.headers.get_all("x-kind").iter().count(), 1, "{path}");
    }
    assert_eq!(gateway.get("/moved").await.header("location"), "/new");
    assert_eq!(gateway.get("/here").await.header("x-kept"), "1");
    assert_eq!(gateway.get("/nowhere").await.header("x-frame-options"), "", "no route, no edits");
}
