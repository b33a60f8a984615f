//! Health checks of members (mod_proxy_hcheck).

use super::super::draft::HealthDraft;
use super::super::report::Report;
use super::super::tree::{Directive, Place};
use super::worker::{WorkerParameters, duration, time};

/// Apache's own interval, in milliseconds.
const INTERVAL: u64 = 30_000;

/// The one check of all members, if they have one. Members that are checked differently are reported.
pub(super) fn of_members(
    members: &[(&Place, &WorkerParameters)],
    expressions: &[&Directive],
    report: &mut Report,
) -> Option<HealthDraft> {
    let mut found: Vec<(&Place, Option<HealthDraft>)> = Vec::new();
    for (place, own) in members {
        let with_template = match own.get("hctemplate") {
            Some(name) => template(name, expressions, place, report).extended(own),
            None => (*own).clone(),
        };
        found.push((place, check(&with_template, expressions, place, report)));
    }
    let (_first, check) = found.first()?.clone();
    if let Some((place, _other)) = found.iter().find(|(_place, other)| *other != check) {
        report.refuse(
            place,
            "members are checked in different ways, a cluster has one health check: none is written",
            "clusters of members that are checked alike, or one `health` for all",
        );
        return None;
    }
    check
}

fn template(name: &str, expressions: &[&Directive], place: &Place, report: &mut Report) -> WorkerParameters {
    let mut own = WorkerParameters::default();
    match expressions.iter().find(|line| line.is("ProxyHCTemplate") && line.word(0) == Some(name)) {
        Some(line) => _ = own.add(line.words.get(1..).unwrap_or_default(), &line.place),
        None => report.refuse(place, format!("there is no ProxyHCTemplate `{name}`"), "write it before the member"),
    }
    own
}

fn check(
    own: &WorkerParameters,
    expressions: &[&Directive],
    place: &Place,
    report: &mut Report,
) -> Option<HealthDraft> {
    let method = own.get("hcmethod")?.to_ascii_uppercase();
    let mut health = HealthDraft {
        interval: duration(own.get("hcinterval").and_then(|text| time(text, 1000)).unwrap_or(INTERVAL).max(100)),
        rise: own.number("hcpasses").unwrap_or(1).max(1),
        fall: own.number("hcfails").unwrap_or(1).max(1),
        ..HealthDraft::default()
    };
    match method.as_str() {
        "NONE" => return None,
        "TCP" => health.probe = "tcp",
        "CPING" => {
            report.refuse(place, "CPING is of AJP", "health = { probe = \"tcp\" }");
            return None;
        }
        _ => {
            health.probe = "http";
            health.method = match method.trim_end_matches("11") {
                "HEAD" => Some("HEAD"),
                "OPTIONS" => Some("OPTIONS"),
                _ => None,
            };
            health.path = Some(own.get("hcuri").filter(|path| path.starts_with('/')).unwrap_or("/").to_owned());
        }
    }
    if let Some(name) = own.get("hcexpr") {
        let line = expressions.iter().find(|line| line.is("ProxyHCExpr") && line.word(0) == Some(name));
        match line.map(|line| (line, expression(&line.raw))) {
            Some((_line, Some(Expected::Statuses(list)))) => health.expect = Some(list),
            Some((_line, Some(Expected::Body(text)))) => health.body = Some(text),
            Some((line, None)) => {
                report.refuse(
                    &line.place,
                    "the expression of the health check has no counterpart",
                    "`expect` names statuses, `body` a text that has to be there",
                );
            }
            None => report.refuse(place, format!("there is no ProxyHCExpr `{name}`"), "write it before the member"),
        }
    }
    Some(health)
}

enum Expected {
    Statuses(String),
    Body(String),
}

/// The two usual forms: `%{REQUEST_STATUS} =~ /^[234]/` and `hc('body') =~ /text/`.
fn expression(raw: &str) -> Option<Expected> {
    let inner = raw.split_once('{')?.1.rsplit_once('}')?.0;
    let (subject, pattern) = inner.split_once("=~")?;
    let pattern = pattern.trim().strip_prefix('/')?.strip_suffix('/')?;
    if subject.contains("REQUEST_STATUS") && !subject.contains('!') {
        let digits = pattern.strip_prefix("^[")?.strip_suffix(']').or_else(|| pattern.strip_prefix('^'))?;
        let numbers: Vec<u32> = digits.chars().map(|digit| digit.to_digit(10)).collect::<Option<_>>()?;
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        let consecutive = numbers.iter().zip(first..).all(|(found, expected)| *found == expected);
        return (consecutive && (2..=5).contains(&first) && last <= 5)
            .then(|| Expected::Statuses(format!("{first}00-{last}99")));
    }
    let plain = !pattern.is_empty() && pattern.chars().all(|c| c.is_alphanumeric() || " -_/:".contains(c));
    (subject.contains("hc('body')") && plain).then(|| Expected::Body(pattern.to_owned()))
}
