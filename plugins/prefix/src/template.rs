//! Targets in which `$1` and so on stand for the groups of a pattern.

use regex_lite::Regex;

/// Whether `template` names a group.
#[must_use]
pub fn names_a_group(template: &str) -> bool {
    let mut after_dollar = template.split('$').skip(1);
    after_dollar.any(|after| after.starts_with(|first: char| first.is_ascii_digit()))
}

/// Fills `$0` to `$9` with what `regex` found in `path`, or in its normal form if only that matches. A `$` before
/// anything else stands for itself.
#[must_use]
pub fn fill(template: &str, regex: &Regex, path: &str, normal: Option<&str>) -> String {
    let groups = regex.captures(path).or_else(|| normal.and_then(|normal| regex.captures(normal)));
    let mut pieces = template.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let mut rest = piece.chars();
        match rest.next().and_then(|first| first.to_digit(10)).and_then(|digit| usize::try_from(digit).ok()) {
            Some(group) => {
                let found = groups.as_ref().and_then(|groups| groups.get(group));
                filled.push_str(found.map_or("", |found| found.as_str()));
                filled.push_str(rest.as_str());
            }
            None => {
                filled.push('$');
                filled.push_str(piece);
            }
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_filled_in() {
        let regex = Regex::new("^/m/([a-z]+)(/.*)?$").unwrap();
        let table = [
            ("/mm/$1", "/m/a", "/mm/a"),
            ("/$1$2!", "/m/a/b%20c", "/a/b%20c!"),
            ("/$2", "/m/a", "/"),
            ("/$9", "/m/a", "/"),
            ("/$$1/$x$", "/m/a", "/$a/$x$"),
            ("$0", "/m/a", "/m/a"),
        ];

        for (template, path, expected) in table {
            assert_eq!(fill(template, &regex, path, None), expected, "{template} {path}");
        }
    }

    #[test]
    fn the_normal_form_fills_in_where_the_raw_one_does_not_match() {
        let regex = Regex::new("^/m/(.*)$").unwrap();

        assert_eq!(fill("/$1", &regex, "/%6d//a", Some("/m/a")), "/a");
        assert_eq!(fill("/$1", &regex, "/m//a", Some("/m/a")), "//a", "raw bytes where they match");
    }

    #[test]
    fn a_dollar_without_a_digit_names_nothing() {
        assert!(names_a_group("/x/$1") && !names_a_group("/cost$/x") && !names_a_group("/"));
    }
}
