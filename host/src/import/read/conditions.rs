//! Conditions on what is read: which lines of a file count.
//!
//! Every module counts as there: what a module does is carried over or told directive by directive, and to leave out what
//! depends on one could leave out who may come in. Of the modules that exclude each other, the ways to run processes
//! (MPM), `event` is there. What stands under `!module` is left out for the same reason.

use std::cmp::Ordering;

use regex_automata::nfa::thompson::{self, backtrack::BoundedBacktracker};
use regex_automata::util::syntax;

use super::variables::Variables;
use super::words;

/// The version that `<IfVersion>` compares with: the one that the importer was compared with.
const VERSION: [u32; 3] = [2, 4, 71];

/// Ways to run processes that are not there, without `mod_`, `mpm_`, `_module` and `.c`.
const OTHER_MPMS: [&str; 8] = ["prefork", "worker", "itk", "winnt", "netware", "os2", "motorz", "peruser"];

/// Whether lines count, or what is wrong with the question.
pub(super) type Applies = Result<bool, String>;

/// `<IfModule [!]NAME>`
pub(super) fn module(argument: &str, loaded: impl Fn(&str) -> bool) -> Applies {
    let (is_not, name) = negated(argument)?;
    let bare = name.trim_start_matches("mod_").trim_end_matches(".c").trim_end_matches("_module");
    let is_there = loaded(name) || !OTHER_MPMS.contains(&bare.trim_start_matches("mpm_"));
    Ok(is_there != is_not)
}

/// `<IfDefine [!]NAME>`. As in Apache, quotes and blanks are part of the name.
pub(super) fn define(argument: &str, variables: &Variables<'_>) -> Applies {
    let (is_not, name) = negated(argument)?;
    Ok(variables.is_defined(name) != is_not)
}

/// `<IfDirective [!]NAME>` and `<IfSection [!]NAME>`: whether Apache knows the name. Each counts as known, as modules do.
pub(super) fn known(argument: &str) -> Applies {
    let (is_not, _) = negated(argument)?;
    Ok(!is_not)
}

/// `[!]NAME`, and whether it is negated.
pub(super) fn negated(argument: &str) -> Result<(bool, &str), String> {
    let (is_not, name) = match argument.strip_prefix('!') {
        Some(name) => (true, name),
        None => (false, argument),
    };
    if name.is_empty() { Err("expected a name, found none".to_owned()) } else { Ok((is_not, name)) }
}

/// `<IfVersion [[!]OPERATOR] VERSION>`
pub(super) fn version(argument: &str) -> Applies {
    let words = words::all(argument);
    let words: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
    let (operator, wanted) = match words[..] {
        [wanted] => ("=", wanted),
        [operator, wanted] => (operator, wanted),
        _ => return Err(format!("expected an operator and a version, found {} words", words.len())),
    };
    let (is_not, operator) = negated(operator)?;
    if operator == "~" || wanted.starts_with('/') {
        return matches(wanted.trim_matches('/')).map(|found| found != is_not);
    }
    let order = compared(wanted)?;
    let holds = match operator {
        "=" | "==" => order == Ordering::Equal,
        ">" => order == Ordering::Greater,
        "<" => order == Ordering::Less,
        ">=" => order != Ordering::Less,
        "<=" => order != Ordering::Greater,
        _ => return Err(format!("expected one of `=`, `>`, `>=`, `<`, `<=`, `~`, found `{operator}`")),
    };
    Ok(holds != is_not)
}

/// How the version that is there compares with `wanted`, whose missing parts are 0.
fn compared(wanted: &str) -> Result<Ordering, String> {
    let mut parts = [0_u32; 3];
    let mut given = wanted.split('.');
    for part in &mut parts {
        let Some(number) = given.next() else { break };
        *part = number.parse().map_err(|_no_number| format!("expected a version like `2.4.10`, found `{wanted}`"))?;
    }
    Ok(VERSION.cmp(&parts))
}

fn matches(pattern: &str) -> Applies {
    let [major, minor, patch] = VERSION;
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let limited = thompson::Config::new().utf8(false).nfa_size_limit(Some(1 << 20));
    let regex = BoundedBacktracker::builder()
        .syntax(syntax)
        .thompson(limited)
        .build(pattern)
        .map_err(|_unclear| format!("expected a regular expression, found `{pattern}`"))?;
    // A version is far shorter than what would be too long for it.
    Ok(regex.try_is_match(&mut regex.create_cache(), format!("{major}.{minor}.{patch}").as_bytes()).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_module_is_there_but_other_ways_to_run_processes() {
        for (argument, expected) in [
            ("mod_ssl.c", true),
            ("ssl_module", true),
            ("!mod_ssl.c", false),
            ("mod_php7.c", true),
            ("mpm_prefork_module", false),
            ("!mpm_prefork_module", true),
            ("prefork.c", false),
            ("worker.c", false),
            ("mpm_event_module", true),
        ] {
            assert_eq!(module(argument, |_| false), Ok(expected), "{argument}");
        }
        assert_eq!(module("mpm_prefork_module", |name| name == "mpm_prefork_module"), Ok(true));
        assert!(module("", |_| false).is_err() && module("!", |_| false).is_err());
    }

    #[test]
    fn versions_are_compared_as_far_as_they_are_given() {
        for (argument, expected) in [
            (">= 2.4", true),
            ("< 2.4", false),
            ("> 2.3.9", true),
            ("= 2.4", false),
            ("2.4.71", true),
            ("!< 2.4", true),
            ("<= 2.2", false),
            (r"~ ^2\.4\.", true),
            (r"= /^2\.2/", false),
        ] {
            assert_eq!(version(argument), Ok(expected), "{argument}");
        }
        for wrong in ["", ">= two", "=> 2.4", "a b c", "~ ("] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_may_be_asked_for() {
        let environment = BTreeMap::new();
        let mut variables = Variables::new(&environment);
        variables.define("A", None);

        assert_eq!((define("A", &variables), define("!A", &variables)), (Ok(true), Ok(false)));
        assert_eq!(define("A ", &variables), Ok(false), "as in Apache");
        assert_eq!((known("SetEnv"), known("!SetEnv")), (Ok(true), Ok(false)));
    }
}
