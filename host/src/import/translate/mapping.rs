//! `ProxyPass`, `ProxyPassMatch`, `Redirect`, `Alias`: rules of a server or of a Location.

use super::super::report::{Report, Severity};
use super::super::tree::{Directive, Place, Word};
use super::goal::{Goal, goal};
use super::path::RulePath;
use super::pattern::{escape, exact_path, mapping, understood};
use super::rule::{RuleEffect, TrafficRule};
use super::shape::{PatternTail, shape};
use super::worker::{ParameterFault, WorkerParameters};

/// Which paths a Location is about.
#[derive(Clone, Debug)]
pub(super) enum LocationPath {
    Prefix(String),
    Pattern(String),
}

/// The rule of a ProxyPass or ProxyPassMatch; `location`: in which it stands.
pub(super) fn proxy_pass(
    line: &Directive,
    location: Option<&LocationPath>,
    report: &mut Report,
) -> Option<TrafficRule> {
    let place = &line.place;
    let mut words = line.words.as_slice();
    let mut pattern = line.is("ProxyPassMatch");
    let path = match location {
        Some(path) => path.clone(),
        None => {
            let mut first = take(&mut words)?;
            if first == "~" {
                pattern = true;
                first = take(&mut words)?;
            }
            if pattern { LocationPath::Pattern(first) } else { LocationPath::Prefix(first) }
        }
    };
    let Some(url) = take(&mut words) else {
        report.refuse(place, format!("{} has too few words", line.name), "write a path and a URL");
        return None;
    };
    let worker = parameters(words, place, report)?;
    let path = match path {
        LocationPath::Prefix(path) if path.starts_with('/') => LocationPath::Prefix(path),
        LocationPath::Prefix(path) => {
            report.refuse(place, format!("`{path}` is no path"), "begin it with /");
            return None;
        }
        pattern @ LocationPath::Pattern(_) => pattern,
    };
    if url == "!" {
        let path = plain_path(&path, place, report)?;
        let rule = TrafficRule::new(place.clone(), path, RuleEffect::Local { told: false });
        return Some(TrafficRule { worker, ..rule });
    }
    let goal = match goal(&url) {
        Ok(goal) => goal,
        Err(no) => {
            report.refuse(place, no.what, no.remedy);
            // What follows must not get its requests.
            let path = plain_path(&path, place, report)?;
            let mut rule = TrafficRule::new(place.clone(), path, RuleEffect::Respond(501));
            rule.remarks.push("not imported, see the report".to_owned());
            return Some(rule);
        }
    };
    let (path, to) = match path {
        LocationPath::Prefix(path) => {
            warn_of_slashes(&path, &goal, place, report);
            let mut to = if path == "/" && goal.path == "/" { String::new() } else { goal.path.clone() };
            if path.ends_with('/') && !to.is_empty() && !to.ends_with('/') {
                to.push('/');
            }
            (RulePath::Prefix(path), to)
        }
        LocationPath::Pattern(text) => {
            if !pattern && !text.contains(['*', '?', '[']) {
                let what = format!(
                    "Apache takes `{text}` for a path as it stands, as no *, ? or [ is in it, and forwards nothing; here \
                     it is a pattern"
                );
                report.add(
                    place,
                    Severity::Changed,
                    what,
                    Some("take the route out, if these paths are not for clients"),
                );
            }
            let found = understood(mapping(&text, &goal.path, true), place, report)?;
            found.tell_caret(&text, place, report);
            found.tell_boundary(place, report);
            (found.path, found.to)
        }
    };
    let rule = TrafficRule::new(place.clone(), path, RuleEffect::Forward(Goal { path: to, ..goal }));
    Some(TrafficRule { worker, ..rule })
}

fn take(words: &mut &[Word]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    *words = rest;
    Some(first.text.clone())
}

/// Parameters behind a URL. `None`: Apache refuses the line.
pub(super) fn parameters(words: &[Word], place: &Place, report: &mut Report) -> Option<WorkerParameters> {
    let mut worker = WorkerParameters::default();
    if let Some(ParameterFault::NoValue(word)) = worker.add(words, place).into_iter().next() {
        let remedy = if word.starts_with('#') {
            "put the comment on a line of its own"
        } else {
            "write KEY=VALUE, or take it out; Apache refuses the file"
        };
        report.refuse(place, format!("`{word}` behind the URL is no parameter"), remedy);
        return None;
    }
    for (name, place) in worker.unknown() {
        report.refuse(
            place,
            format!("the parameter `{name}` is not known, and Apache refuses the file"),
            "correct its name",
        );
    }
    Some(worker)
}

/// Apache puts the rest of the path behind the URL as it is.
fn warn_of_slashes(path: &str, goal: &Goal, place: &Place, report: &mut Report) {
    let example = |to: &str, rest: &str| format!("{to}{rest}");
    let (from, to) = (path.ends_with('/'), goal.path.ends_with('/'));
    if from && !to {
        let what = if goal.path.is_empty() && path == "/" {
            "slash on one side: Apache joins the server's name and the path, so that only / works there; here every \
             path does"
                .to_owned()
        } else if goal.path.is_empty() {
            return;
        } else {
            format!(
                "slash on one side: Apache makes {} of {path}x; here it is the path behind {}/",
                example(&goal.path, "x"),
                goal.path
            )
        };
        report.add(place, Severity::Changed, what, Some("end both with / or neither"));
    } else if !from && to {
        let what = format!(
            "slash on one side: {path}/x becomes {} at the server, in Apache and here",
            example(&goal.path, "/x")
        );
        report.add(place, Severity::Note, what, Some("end both with / or neither"));
    }
}

/// The paths of a Location as a rule has them.
pub(super) fn plain_path(path: &LocationPath, place: &Place, report: &mut Report) -> Option<RulePath> {
    match path {
        LocationPath::Prefix(path) => Some(RulePath::Prefix(path.clone())),
        LocationPath::Pattern(text) => understood(exact_path(text), place, report),
    }
}

/// The rule of a Redirect, RedirectMatch, RedirectPermanent or RedirectTemp.
pub(super) fn redirect(
    line: &Directive,
    location: Option<&LocationPath>,
    tls: Option<bool>,
    report: &mut Report,
) -> Option<TrafficRule> {
    let place = &line.place;
    let mut words = line.words.as_slice();
    let mut status = if line.is("RedirectPermanent") { 301 } else { 302 };
    if let Some(first) = words.first()
        && !line.is("RedirectPermanent")
        && !line.is("RedirectTemp")
        && let Some(named) = status_word(&first.text)
    {
        status = named;
        take(&mut words);
    }
    let by_pattern = line.is("RedirectMatch");
    // A Location's own: every path of it is sent to one URL, without what is left of the path.
    let of_location = location.filter(|_| words.len() < 2);
    let path = match of_location {
        Some(path) => path.clone(),
        _ => {
            let first = take(&mut words)?;
            if by_pattern { LocationPath::Pattern(first) } else { LocationPath::Prefix(first) }
        }
    };
    let to = take(&mut words);
    let Some(to) = to else {
        let path = plain_path(&path, place, report)?;
        return Some(TrafficRule::new(
            place.clone(),
            path,
            RuleEffect::Respond(if status < 400 { 410 } else { status }),
        ));
    };
    if to.contains("%{") {
        report.refuse(
            place,
            format!("where `{to}` leads comes from the request"),
            "a redirect knows $host, $path, $query and the groups of its pattern",
        );
        return None;
    }
    let status = if [301, 302, 303, 307, 308].contains(&status) {
        status
    } else {
        report.refuse(place, format!("{status} is no status of a redirect"), "301, 302, 303, 307 or 308");
        return None;
    };
    match path {
        LocationPath::Prefix(path) if of_location.is_some() => {
            let end = if path.ends_with('/') { "" } else { "(/|$)" };
            let path = understood(RulePath::pattern(&format!("^{}{end}", escape(&path))), place, report)?;
            let to = to.replace('$', "$$");
            Some(TrafficRule::new(place.clone(), path, RuleEffect::Redirect { to, status }))
        }
        LocationPath::Prefix(path) => {
            if path == "/"
                && tls != Some(true)
                && let Some(rest) = to.strip_prefix("https://")
                && let Some(host) = rest.strip_suffix('/')
                && !host.contains('/')
            {
                let path = RulePath::Prefix("/".to_owned());
                let host = Some(host.trim_end_matches(":443").to_ascii_lowercase());
                return Some(TrafficRule::new(place.clone(), path, RuleEffect::ToTls { status, host }));
            }
            let bare = to.split_once("://").is_some_and(|(_scheme, rest)| !rest.contains('/'));
            if path.ends_with('/') && !to.ends_with('/') && !to.contains(['?', '#']) {
                let what = if bare {
                    format!("no slash at the end: Apache sends {path}x to {to}x; here it goes to {to}/x")
                } else {
                    format!("slash on one side: {path}x goes to {to}x")
                };
                report.add(place, Severity::Changed, what, Some("end both with / or neither"));
                if bare && path == "/" && to.starts_with("https://") && tls != Some(true) {
                    let host = to.get(8..).map(str::to_ascii_lowercase);
                    let path = RulePath::Prefix(path);
                    return Some(TrafficRule::new(place.clone(), path, RuleEffect::ToTls { status, host }));
                }
            }
            let to = if path == "/" && to.ends_with('/') && !to.starts_with('/') {
                to.trim_end_matches('/').to_owned()
            } else {
                to
            };
            // Without a pattern a `$` is a `$`.
            let to = to.replace('$', "$$");
            Some(TrafficRule::new(place.clone(), RulePath::Prefix(path), RuleEffect::Redirect { to, status }))
        }
        LocationPath::Pattern(text) => {
            let everything = shape(&text).filter(|shape| shape.literal == "/" && shape.tail == PatternTail::Any);
            if let Some(shape) = everything
                && tls != Some(true)
                && let Some(rest) = to.strip_prefix("https://")
                && let Some(host) = rest
                    .strip_suffix("/$1")
                    .filter(|_| shape.group == Some(1))
                    .or_else(|| rest.strip_suffix("$1").filter(|_| shape.group == Some(0)))
                && !host.contains(['/', '$'])
            {
                let path = RulePath::Prefix("/".to_owned());
                let host = Some(host.to_ascii_lowercase());
                return Some(TrafficRule::new(place.clone(), path, RuleEffect::ToTls { status, host }));
            }
            let path = understood(RulePath::pattern(&text), place, report)?;
            Some(TrafficRule::new(place.clone(), path, RuleEffect::Redirect { to, status }))
        }
    }
}

fn status_word(word: &str) -> Option<u16> {
    match word.to_ascii_lowercase().as_str() {
        "permanent" => Some(301),
        "temp" => Some(302),
        "seeother" => Some(303),
        "gone" => Some(410),
        number => number.parse().ok().filter(|status| (300..600).contains(status)),
    }
}

/// The path of an Alias, which Apache takes for files.
pub(super) fn alias(line: &Directive, report: &mut Report) -> Option<RulePath> {
    let first = line.word(0)?.to_owned();
    let path = if line.is("AliasMatch") { LocationPath::Pattern(first) } else { LocationPath::Prefix(first) };
    plain_path(&path, &line.place, report)
}
