//! `<Macro>`, `Use` and `UndefMacro` of mod_macro: lines with parameters.

use std::collections::BTreeMap;

use super::line::LogicalLine;
use super::variables::TooLong;
use super::words;
use crate::import::tree::{Place, Word};

/// How many parameters a macro may have. Each place of its lines is compared with all of them.
const MOST_PARAMETERS: usize = 64;

/// Lines that have a name.
#[derive(Clone, Debug)]
pub(super) struct MacroLines {
    /// What its arguments stand for.
    parameters: Vec<String>,
    lines: Vec<LogicalLine>,
    /// Where it is defined.
    pub(super) place: Place,
}

/// All macros that are defined, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Macros(BTreeMap<String, MacroLines>);

impl Macros {
    /// Defines what `<Macro ARGUMENT>` begins; says which other it takes the place of.
    ///
    /// # Errors
    /// What Apache says of the argument.
    pub(super) fn define(
        &mut self,
        argument: &str,
        lines: Vec<LogicalLine>,
        place: Place,
    ) -> Result<Option<Place>, String> {
        let mut words = words::all(argument).into_iter().map(|word| word.text);
        let name = words.next().filter(|name| !name.is_empty()).ok_or("expected a name for the macro, found none")?;
        let parameters: Vec<_> = words.collect();
        if parameters.len() > MOST_PARAMETERS {
            let found = parameters.len();
            return Err(format!("expected at most {MOST_PARAMETERS} parameters of a macro, found {found}"));
        }
        for (at, parameter) in parameters.iter().enumerate() {
            if parameter.is_empty() {
                return Err(format!(
                    "expected a name for parameter {} of macro `{name}`, found none",
                    at.saturating_add(1)
                ));
            }
            if parameters.iter().take(at).any(|before| before == parameter) {
                return Err(format!("expected parameters with names of their own, found `{parameter}` twice"));
            }
        }
        let before = self.0.insert(name.to_ascii_lowercase(), MacroLines { parameters, lines, place });
        Ok(before.map(|before| before.place))
    }

    /// Forgets macro `name`.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(&name.to_ascii_lowercase());
    }

    /// Macro `name`.
    pub(super) fn find(&self, name: &str) -> Option<&MacroLines> {
        self.0.get(&name.to_ascii_lowercase())
    }
}

impl MacroLines {
    /// How many arguments it wants.
    pub(super) fn wants(&self) -> usize {
        self.parameters.len()
    }

    /// Its lines with `arguments` in the place of parameters.
    ///
    /// # Errors
    /// All of them would have more than `most` bytes.
    pub(super) fn with(&self, arguments: &[Word], most: usize) -> Result<Vec<LogicalLine>, TooLong> {
        let mut left = most;
        let mut lines = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let text = self.substituted(&line.text, arguments, left)?;
            left = left.checked_sub(text.len()).ok_or(TooLong)?;
            lines.push(LogicalLine { text, ..line.clone() });
        }
        Ok(lines)
    }

    /// At each place the longest parameter that stands there is replaced; what was put in is not looked at again.
    fn substituted(&self, text: &str, arguments: &[Word], most: usize) -> Result<String, TooLong> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let here =
                self.parameters.iter().zip(arguments).filter(|(parameter, _)| rest.starts_with(parameter.as_str()));
            let taken = match here.max_by_key(|(parameter, _)| parameter.len()) {
                Some((parameter, argument)) => {
                    filled.push_str(&argument.text);
                    parameter.len()
                }
                None => {
                    filled.push(next);
                    next.len_utf8()
                }
            };
            if filled.len() > most {
                return Err(TooLong);
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::LogicalLines;
    use super::*;

    fn defined(argument: &str, lines: &str) -> Macros {
        let mut macros = Macros::default();
        let place = Place { file: "a".into(), line: 1 };
        let lines = LogicalLines::new(lines.as_bytes(), "a".into()).collect();
        macros.define(argument, lines, place).unwrap();
        macros
    }

    #[test]
    fn the_longest_parameter_is_replaced_and_what_is_put_in_is_not_looked_at() {
        let macros = defined("M $a $ab $b", "PassEnv [$a] [$ab] [$b]x$c");

        let lines = macros.find("m").unwrap().with(&words::all(r#"$b "two words" 3"#), 100).unwrap();

        assert_eq!(lines.first().unwrap().text, "PassEnv [$b] [two words] [3]x$c");
    }

    #[test]
    fn senseless_definitions_are_refused() {
        let many = format!("M {}", (0..65).map(|n| format!("p{n} ")).collect::<String>());
        for argument in ["", "\"\"", "M \"\"", "M $a $a", &many] {
            let place = Place { file: "a".into(), line: 1 };

            assert!(Macros::default().define(argument, Vec::new(), place).is_err(), "{argument}");
        }
    }

    #[test]
    fn lines_do_not_grow_without_end() {
        let macros = defined("M $a", &"$a\n".repeat(50));

        assert_eq!(macros.find("M").unwrap().with(&words::all("abc"), 100), Err(TooLong));
        assert!(macros.find("M").unwrap().with(&words::all("ab"), 100).is_ok());
    }
}
