//! What a router must cope with.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderValue, Method};

use super::growth;
use super::subject::{EndedEarly, Subject, Test, TestResult, failed, nonsense, not_made};
use crate::policy::{RequestFacts, Router, Scheme};
use crate::text::shortened;
use crate::workbench::made_up::request;

/// In the order in which they are made.
pub(super) const TESTS: &[Test] = &[
    ("odd paths", paths),
    ("long and odd queries", queries),
    ("odd hosts, TLS or none", hosts),
    ("methods and upgrades", methods),
    ("headers that are not text", headers),
    ("many clusters", many_clusters),
    ("one [[route]]", one_route),
    ("memory does not grow", memory),
    ("a configuration of nonsense", nonsense_config),
];

fn made(subject: &Subject<'_>, count: usize, routes: usize) -> Result<Box<dyn Router>, EndedEarly> {
    let what = format!("{count} clusters and {routes} [[route]]");
    subject.plugin.router(count, routes).map_err(|error| not_made(&what, &error))
}

/// Whatever the router decides is within the contract, or a fault.
fn route(router: &dyn Router, request: &RequestFacts) -> TestResult {
    router.route(request).map(drop).map_err(|fault| {
        let query = request.query.as_ref().map(|query| format!("?{}", shortened(query, 60))).unwrap_or_default();
        let upgrade = request.upgrade.as_ref().map(|upgrade| format!(", upgrade {upgrade}")).unwrap_or_default();
        let (method, host, path) = (&request.method, request.host(), shortened(&request.path, 60));
        failed(format_args!("given {method} {path}{query} of host `{host}`{upgrade}: {}", fault.detail))
    })
}

fn paths(subject: &Subject<'_>) -> TestResult {
    let router = made(subject, 1, 0)?;
    let long = format!("/{}", "a".repeat(16 << 10));
    let deep = "/a".repeat(4 << 10);
    let escaped = format!("/{}", "%F0%9F%98%80".repeat(500));
    for path in [
        "/",
        "//",
        "///a//",
        "/a/b/c",
        "/%2f%2e%2e/",
        "/a%00b",
        "/;a=b;c",
        "/*",
        "/~user/",
        "/a+b",
        "/api",
        "/api/",
        "/api//",
        "/API/",
        "/index.html",
        "/%",
        "/%zz",
        "/a:b@c",
        "/!$&'()*,=",
        &long,
        &deep,
        &escaped,
    ] {
        route(&*router, &request(path))?;
    }
    Ok(())
}

fn queries(subject: &Subject<'_>) -> TestResult {
    let router = made(subject, 1, 0)?;
    let long = "x=".to_owned() + &"y".repeat(16 << 10);
    for query in ["", "a", "a=b&a=c", "q={\"a\":1}", "q=\u{e9}\u{1f600}", "?", "&&&=", "q=a#b", "%zz", &long] {
        route(&*router, &RequestFacts { query: Some(query.to_owned()), ..request("/") })?;
    }
    Ok(())
}

fn hosts(subject: &Subject<'_>) -> TestResult {
    let router = made(subject, 1, 0)?;
    let long = "a.".repeat(120) + "invalid";
    for host in ["", "localhost", "LOCALHOST:8080", "[2001:db8::1]:8443", "192.0.2.1", "xn--bcher-kva.invalid", &long] {
        for scheme in [Scheme::Http, Scheme::Https] {
            let sni = (scheme == Scheme::Https).then(|| Arc::from("front.invalid"));
            route(&*router, &RequestFacts { authority: host.parse().ok(), scheme, sni, ..request("/") })?;
        }
    }
    Ok(())
}

fn methods(subject: &Subject<'_>) -> TestResult {
    let router = made(subject, 1, 0)?;
    for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "PROPFIND", "M-SEARCH", "get", "X"] {
        for upgrade in [None, Some("websocket"), Some("h2c"), Some("tidegate-made-up")] {
            let method = Method::from_bytes(method.as_bytes()).map_err(failed)?;
            let upgrade = upgrade.map(TryInto::try_into).transpose().map_err(failed)?;
            route(&*router, &RequestFacts { method, upgrade, client: None, ..request("/websocket") })?;
        }
    }
    Ok(())
}

fn headers(subject: &Subject<'_>) -> TestResult {
    let router = made(subject, 1, 0)?;
    let mut map = HeaderMap::new();
    for name in ["cookie", "authorization", "user-agent", "x-forwarded-for", "accept-language"] {
        for value in [&b"\xff\x80"[..], b"", b"a=1; b=\xe9", &[b'x'; 8 << 10]] {
            map.append(name, HeaderValue::from_bytes(value).map_err(failed)?);
        }
    }
    for headers in [Arc::new(HeaderMap::new()), Arc::new(map)] {
        route(&*router, &RequestFacts { headers, ..request("/") })?;
    }
    Ok(())
}

fn many_clusters(subject: &Subject<'_>) -> TestResult {
    for count in [2, 3, 256] {
        let router = made(subject, count, 0)?;
        for path in ["/", "/a/b", "/websocket"] {
            route(&*router, &request(path))?;
        }
    }
    Ok(())
}

fn one_route(subject: &Subject<'_>) -> TestResult {
    let router = made(subject, 1, 1)?;
    for path in ["/", "/a/b", "/websocket"] {
        route(&*router, &request(path))?;
    }
    Ok(())
}

fn memory(subject: &Subject<'_>) -> TestResult {
    let plugin = subject.anew(subject.file.name)?;
    let router = made(&Subject { plugin: &plugin, ..*subject }, 1, 0)?;
    growth::look_for(subject, &plugin.artifact, |number| {
        let query = number.is_multiple_of(2).then(|| "a=b".to_owned());
        // Paths that differ: a decision that is remembered is not asked for.
        route(&*router, &RequestFacts { query, ..request(&format!("/made-up/{number}")) })
    })
}

fn nonsense_config(subject: &Subject<'_>) -> TestResult {
    nonsense(|config| subject.plugin.configured(config).router(1, 0).map(drop))
}
