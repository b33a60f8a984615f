//! Targets in which `$1` and so on stand for the groups of a pattern.

use crate::pattern::Groups;

/// Whether `template` names a group.
#[must_use]
pub fn names_a_group(template: &str) -> bool {
    let mut after_dollar = template.split('$').skip(1);
    after_dollar.any(|after| after.starts_with(|first: char| first.is_ascii_digit()))
}

/// Fills `$0` to `$9` with what a pattern found. A `$` before anything else stands for itself.
#[must_use]
pub fn fill(template: &str, groups: &Groups<'_>) -> String {
    let mut pieces = template.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let mut rest = piece.chars();
        match rest.next().and_then(|first| first.to_digit(10)).and_then(|digit| usize::try_from(digit).ok()) {
            Some(group) => {
                filled.push_str(groups.get(group).unwrap_or_default());
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
    use crate::pattern::Regex;

    #[test]
    fn groups_are_filled_in() {
        let regex = Regex::new("^/m/([a-z]+)(/.*)?$", true).unwrap();
        let table = [
            ("/mm/$1", "/m/a", "/mm/a"),
            ("/$1$2!", "/m/a/b%20c", "/a/b%20c!"),
            ("/$2", "/m/a", "/"),
            ("/$9", "/m/a", "/"),
            ("/$$1/$x$", "/m/a", "/$a/$x$"),
            ("$0", "/m/a", "/m/a"),
        ];

        for (template, path, expected) in table {
            assert_eq!(fill(template, &regex.groups(path).unwrap()), expected, "{template} {path}");
        }
    }

    #[test]
    fn a_dollar_without_a_digit_names_nothing() {
        assert!(names_a_group("/x/$1") && !names_a_group("/cost$/x") && !names_a_group("/"));
    }
}
