//! Names and labels of Prometheus' text format: `slots_free{zone="a"}`.
//!
//! The same syntax is what an operator writes to select a sample, and what a line of an exposition begins with.

use std::str::FromStr;

/// A metric name and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Letters, digits, `_` and `:`, no digit first.
    pub name: String,
    /// Name and value, in the order they were written.
    pub labels: Vec<(String, String)>,
}

/// The text is no name with labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected NAME or NAME{{LABEL=\"VALUE\"}}")]
pub struct NoSeries;

impl FromStr for Series {
    type Err = NoSeries;

    fn from_str(text: &str) -> Result<Self, NoSeries> {
        match Self::read(text) {
            Some((series, "")) => Ok(series),
            _ => Err(NoSeries),
        }
    }
}

impl Series {
    /// Reads one at the start of `text`; returns it and what follows.
    #[must_use]
    pub fn read(text: &str) -> Option<(Self, &str)> {
        let (name, rest) = word(text, |c| c == ':')?;
        let mut series = Self { name: name.to_owned(), labels: Vec::new() };
        let Some(mut inside) = rest.trim_start_matches(BLANK).strip_prefix('{') else { return Some((series, rest)) };
        loop {
            inside = inside.trim_start_matches(BLANK);
            if let Some(rest) = inside.strip_prefix('}') {
                return Some((series, rest));
            }
            let (label, rest) = word(inside, |_| false)?;
            let rest = rest.trim_start_matches(BLANK).strip_prefix('=')?.trim_start_matches(BLANK);
            let (value, rest) = quoted(rest)?;
            series.labels.push((label.to_owned(), value));
            let rest = rest.trim_start_matches(BLANK);
            inside = match rest.strip_prefix(',') {
                Some(more) => more,
                None if rest.starts_with('}') => rest,
                None => return None,
            };
        }
    }

    /// Whether `other` has this name and all of these labels; more labels do not matter.
    #[must_use]
    pub fn selects(&self, other: &Self) -> bool {
        self.name == other.name && self.labels.iter().all(|label| other.labels.contains(label))
    }
}

/// What may stand between the parts.
pub const BLANK: [char; 2] = [' ', '\t'];

/// A name and what follows.
fn word(text: &str, also: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || also(c);
    let end = text.find(|c| !fits(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    name.starts_with(|c: char| !c.is_ascii_digit()).then_some((name, rest))
}

/// A value between quotes, in which `\\`, `\"` and `\n` are escapes, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, inside.get(at + 1..)?)),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('\\' | '"') => value.push(escaped),
                _ => return None,
            },
            letter => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(series: &Series) -> Vec<(&str, &str)> {
        series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    #[test]
    fn names_and_labels_are_read() {
        for (text, name, expected, rest) in [
            ("up", "up", &[][..], ""),
            ("up 1", "up", &[], " 1"),
            ("a:b_2{} 1", "a:b_2", &[], " 1"),
            (r#"up{zone="a"} 1"#, "up", &[("zone", "a")], " 1"),
            (r#"up { zone = "a" , rack="b", } 1"#, "up", &[("zone", "a"), ("rack", "b")], " 1"),
            (r#"up{path="C:\\x\"}\n"}"#, "up", &[("path", "C:\\x\"}\n")], ""),
            (r#"up{z="ä}"}2"#, "up", &[("z", "ä}")], "2"),
        ] {
            let (series, left) = Series::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((series.name.as_str(), &labels(&series)[..], left), (name, expected, rest), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            " up",
            "1up",
            "{}",
            "up{",
            "up{zone}",
            "up{zone=}",
            "up{zone=a}",
            r#"up{zone="a}"#,
            r#"up{zone="\q"}"#,
            r#"up{zone="a" rack="b"}"#,
            r#"up{,}"#,
            r#"up{a:b="c"}"#,
            "ü",
            "up{zone=\"a\\",
        ] {
            assert_eq!(Series::read(text), None, "{text}");
        }
        assert!("up 1".parse::<Series>().is_err(), "a selector is nothing more");
    }

    #[test]
    fn a_selector_needs_its_own_labels_only() {
        let series = |text: &str| text.parse::<Series>().unwrap();
        let full = series(r#"up{zone="a",rack="b"}"#);

        assert!(series("up").selects(&full));
        assert!(series(r#"up{rack="b"}"#).selects(&full));
        assert!(!series(r#"up{rack="a"}"#).selects(&full));
        assert!(!series(r#"up{host="h"}"#).selects(&full));
        assert!(!series("down").selects(&full));
    }
}
