//! State that is handed over by name: ids may differ in the next version of a plugin, names do not.

use std::fmt::Display;
use std::str::FromStr;

/// The names of the endpoints, by id, and where each is found.
#[derive(Debug)]
pub struct Names {
    names: Vec<String>,
    /// Ids in the order of their names.
    sorted: Vec<u32>,
}

impl Names {
    /// In the order of the ids.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names: Vec<String> = names.into_iter().collect();
        let mut sorted: Vec<u32> = (0_u32..).zip(&names).map(|(id, _)| id).collect();
        sorted.sort_by(|a, b| name(&names, *a).cmp(name(&names, *b)));
        Self { names, sorted }
    }

    /// In the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Ids in the order of their names.
    #[must_use]
    pub fn sorted(&self) -> &[u32] {
        &self.sorted
    }

    /// The id of a name.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<usize> {
        let at = self.sorted.binary_search_by(|id| name(&self.names, *id).cmp(wanted)).ok()?;
        usize::try_from(*self.sorted.get(at)?).ok()
    }

    /// One line per endpoint: its value, a blank, its name. `values` are in the order of the ids, and without blanks
    /// when written; none leaves the endpoint out.
    pub fn write<T: Display>(&self, values: impl IntoIterator<Item = Option<T>>) -> Vec<u8> {
        use std::fmt::Write as _;

        let mut text = String::new();
        for (name, value) in self.names.iter().zip(values) {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{value} {name}");
            }
        }
        text.into_bytes()
    }

    /// Reads what [`Self::write`] wrote, maybe over other names: `take` gets the id and the value of each that is still
    /// there.
    ///
    /// # Errors
    /// One sentence, if it is nothing of the kind.
    pub fn read<T: FromStr>(&self, state: &[u8], mut take: impl FnMut(usize, T)) -> Result<(), String> {
        let state = str::from_utf8(state).map_err(|_| "the saved state is not text")?;
        for line in state.lines() {
            let (value, name) = line.split_once(' ').ok_or("expected lines of value and name")?;
            let value = value.parse().map_err(|_| format!("expected a number, found {value}"))?;
            if let Some(id) = self.find(name) {
                take(id, value);
            }
        }
        Ok(())
    }
}

fn name(names: &[String], id: u32) -> &str {
    usize::try_from(id).ok().and_then(|id| names.get(id)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Names {
        Names::new(names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn values_find_their_names_again() {
        let state = names(&["b", "a c", "c"]).write([Some(1), Some(-2), None]);
        let mut found = Vec::new();

        names(&["c", "a c", "x", "b"]).read(&state, |id, value: i64| found.push((id, value))).unwrap();

        assert_eq!(found, [(3, 1), (1, -2)]);
    }

    #[test]
    fn garbage_is_refused_with_a_sentence() {
        let names = names(&["a"]);
        for (state, sentence) in [(&b"soon a\n"[..], "found soon"), (b"7", "value and name"), (b"\xff", "not text")] {
            let refused = names.read(state, |_, _: i64| ()).unwrap_err();
            assert!(refused.contains(sentence), "{refused}");
        }
    }
}
