//! What a rewriter must cope with.

use ::http::{HeaderName, HeaderValue, StatusCode};

use super::growth;
use super::subject::{EndedEarly, Subject, Test, TestResult, failed, nonsense, not_made};
use crate::policy::{ResponseContext, Rewriter, RouteId, SHOWN_FIELDS, Scheme};
use crate::text::shortened;
use crate::workbench::made_up::exchange;

/// In the order in which they are made.
pub(super) const TESTS: &[Test] = &[
    ("odd values", values),
    ("many fields of one name", many_fields),
    ("every kind of status", statuses),
    ("other endpoints, hosts and routes", exchanges),
    ("memory does not grow", memory),
    ("a configuration of nonsense", nonsense_config),
];

fn made(subject: &Subject<'_>) -> Result<Box<dyn Rewriter>, EndedEarly> {
    let rewriter = subject.plugin.rewriter().map_err(|error| not_made("its configuration", &error))?;
    if rewriter.interest().is_empty() {
        return Err(EndedEarly::NotApplicable("it asks to see no header, and is never called".to_owned()));
    }
    Ok(rewriter)
}

/// Whatever the rewriter decides is within the contract, or a fault.
fn rewrite(
    rewriter: &dyn Rewriter,
    context: &ResponseContext<'_>,
    status: StatusCode,
    fields: &[(HeaderName, HeaderValue)],
) -> TestResult {
    rewriter.rewrite(context, status, fields).map(drop).map_err(|fault| {
        let first = fields.first().map_or_else(String::new, |(name, value)| {
            format!("`{name}: {}`", shortened(&String::from_utf8_lossy(value.as_bytes()), 60))
        });
        let (count, endpoint) = (fields.len(), context.endpoint);
        failed(format_args!("given status {status} of {endpoint} with {count} fields, {first} first: {}", fault.detail))
    })
}

/// Each name of interest with `value`.
fn shown(rewriter: &dyn Rewriter, value: &[u8]) -> Result<Vec<(HeaderName, HeaderValue)>, EndedEarly> {
    let value = HeaderValue::from_bytes(value).map_err(failed)?;
    Ok(rewriter.interest().iter().map(|name| (name.clone(), value.clone())).collect())
}

fn values(subject: &Subject<'_>) -> TestResult {
    let rewriter = made(subject)?;
    let long = [b"http://192.0.2.1:8000/".to_vec(), vec![b'a'; 16 << 10]].concat();
    let all: [&[u8]; 16] = [
        b"",
        b"/",
        b"/a?b#c",
        b"http://192.0.2.1:8000/elsewhere",
        b"http://192.0.2.1:8000",
        b"HTTP://192.0.2.1:8000/A",
        b"//192.0.2.1:8000/a",
        b"ws://192.0.2.1:8000/a",
        b"https://[2001:db8::1]/",
        b"http://",
        b":",
        b"a=b; Domain=192.0.2.1; Path=/x; Secure; HttpOnly",
        b"a=\"b; c\"; path=",
        b"\xff\x80 caf\xe9",
        "http://192.0.2.1:8000/\u{e9}\u{1f600}".as_bytes(),
        &long,
    ];
    for value in all {
        rewrite(&*rewriter, &exchange(), StatusCode::FOUND, &shown(&*rewriter, value)?)?;
    }
    Ok(())
}

fn many_fields(subject: &Subject<'_>) -> TestResult {
    let rewriter = made(subject)?;
    for name in rewriter.interest() {
        let fields = vec![(name.clone(), HeaderValue::from_static("http://192.0.2.1:8000/a")); SHOWN_FIELDS];
        rewrite(&*rewriter, &exchange(), StatusCode::OK, &fields)?;
    }
    Ok(())
}

fn statuses(subject: &Subject<'_>) -> TestResult {
    let rewriter = made(subject)?;
    for status in [100, 101, 200, 204, 301, 304, 404, 500, 599, 999] {
        let status = StatusCode::from_u16(status).map_err(failed)?;
        rewrite(&*rewriter, &exchange(), status, &shown(&*rewriter, b"http://192.0.2.1:8000/a")?)?;
    }
    Ok(())
}

fn exchanges(subject: &Subject<'_>) -> TestResult {
    let rewriter = made(subject)?;
    let fields = shown(&*rewriter, b"http://192.0.2.1:8000/a")?;
    let long = format!("/{}", "a".repeat(8 << 10));
    for endpoint in ["http://192.0.2.1:8000", "ws://192.0.2.1", "https://[2001:db8::1]:8443/base", "unix:/run/made-up"]
    {
        for (host, path) in [("", "/"), ("front.invalid:8443", "/a/b"), ("[2001:db8::2]", long.as_str())] {
            for route in [None, Some(RouteId(0)), Some(RouteId(1000))] {
                let context = ResponseContext { scheme: Scheme::Https, host, path, route, endpoint, request: None };
                rewrite(&*rewriter, &context, StatusCode::FOUND, &fields)?;
            }
        }
    }
    Ok(())
}

fn memory(subject: &Subject<'_>) -> TestResult {
    let plugin = subject.anew(subject.file.name)?;
    let rewriter = made(&Subject { plugin: &plugin, ..*subject })?;
    growth::look_for(subject, &plugin.artifact, |number| {
        let fields = shown(&*rewriter, format!("http://192.0.2.1:8000/{number}").as_bytes())?;
        rewrite(&*rewriter, &exchange(), StatusCode::FOUND, &fields)
    })
}

fn nonsense_config(subject: &Subject<'_>) -> TestResult {
    nonsense(|config| subject.plugin.configured(config).rewriter().map(drop))
}
