//! What `${NAME}` stands for, and which names are defined.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What Debian's `envvars` sets before Apache starts. Files name these, and nothing of them matters here.
const OF_DEBIAN: [(&str, &str); 7] = [
    ("APACHE_RUN_USER", "www-data"),
    ("APACHE_RUN_GROUP", "www-data"),
    ("APACHE_PID_FILE", "/var/run/apache2/apache2.pid"),
    ("APACHE_RUN_DIR", "/var/run/apache2"),
    ("APACHE_LOCK_DIR", "/var/lock/apache2"),
    ("APACHE_LOG_DIR", "/var/log/apache2"),
    ("APACHE_CONFDIR", "/etc/apache2"),
];

/// A line that would be longer than it may be, once its variables are filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Variables and defined names.
#[derive(Debug)]
pub(super) struct Variables<'e> {
    environment: &'e BTreeMap<String, String>,
    /// Apache tells upper from lower case in names that are asked for by IfDefine …
    defined: BTreeSet<String>,
    /// … and not in those of variables, which are kept in lower case here.
    values: BTreeMap<String, String>,
}

impl<'e> Variables<'e> {
    /// Those of the environment, with nothing defined.
    pub(super) fn new(environment: &'e BTreeMap<String, String>) -> Self {
        Self { environment, defined: BTreeSet::new(), values: BTreeMap::new() }
    }

    /// `Define NAME [VALUE]`
    pub(super) fn define(&mut self, name: &str, value: Option<&str>) {
        self.defined.insert(name.to_owned());
        if let Some(value) = value {
            self.values.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }

    /// `UnDefine NAME`
    pub(super) fn undefine(&mut self, name: &str) {
        self.defined.remove(name);
        self.values.remove(&name.to_ascii_lowercase());
    }

    /// Whether IfDefine finds `name`.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.defined.contains(name)
    }

    /// `line` with each `${NAME}` filled in, once: what is filled in is not looked at again. A name that stands for
    /// nothing stays as it is written, and is handed to `unknown` unless it has a colon, which makes it the map of a
    /// rewrite.
    ///
    /// # Errors
    /// The line would have more than `most` bytes.
    pub(super) fn fill<'l>(
        &self,
        line: &'l str,
        most: usize,
        mut unknown: impl FnMut(&str),
    ) -> Result<Cow<'l, str>, TooLong> {
        if !line.contains("${") {
            return Ok(Cow::Borrowed(line));
        }
        let mut filled = String::with_capacity(line.len());
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once("${") {
            filled.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                filled.push_str("${");
                rest = behind;
                // Behind it no brace closes anything either.
                break;
            };
            match self.value(name) {
                Some(value) => filled.push_str(value),
                None => {
                    filled.extend(["${", name, "}"]);
                    if !name.contains(':') {
                        unknown(name);
                    }
                }
            }
            rest = after;
            if filled.len() > most {
                return Err(TooLong);
            }
        }
        filled.push_str(rest);
        if filled.len() > most { Err(TooLong) } else { Ok(Cow::Owned(filled)) }
    }

    fn value(&self, name: &str) -> Option<&str> {
        let of_debian = || OF_DEBIAN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let defined = self.values.get(&name.to_ascii_lowercase()).or_else(|| self.environment.get(name));
        defined.map(String::as_str).or_else(of_debian)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(variables: &Variables<'_>, line: &str) -> (String, Vec<String>) {
        let mut unknown = Vec::new();
        let text = variables.fill(line, 100, |name| unknown.push(name.to_owned())).unwrap().into_owned();
        (text, unknown)
    }

    #[test]
    fn variables_are_filled_in_once_and_without_regard_to_case() {
        let environment = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
        let mut variables = Variables::new(&environment);
        variables.define("Path", Some("/d"));
        variables.define("twice", Some("${Path}"));
        variables.define("flag", None);

        for (line, text, unknown) in [
            (r"^\${PATH}/?(.*)", r"^\/d/?(.*)", &[][..]),
            ("${twice}${HOME}", "${Path}/root", &[]),
            ("${home} ${flag}", "${home} ${flag}", &["home", "flag"]),
            ("${HTTP:Upgrade} ${lc:%{HTTP_HOST}}", "${HTTP:Upgrade} ${lc:%{HTTP_HOST}}", &[]),
            ("$1 $$ $ ${open", "$1 $$ $ ${open", &[]),
            ("${}", "${}", &[""]),
            ("${APACHE_LOG_DIR}/a", "/var/log/apache2/a", &[]),
        ] {
            let unknown = unknown.iter().map(|name| (*name).to_owned()).collect();

            assert_eq!(filled(&variables, line), (text.to_owned(), unknown), "{line}");
        }
    }

    #[test]
    fn names_are_asked_for_as_they_are_written() {
        let environment = BTreeMap::new();
        let mut variables = Variables::new(&environment);
        variables.define("A", Some("1"));
        assert!(variables.is_defined("A") && !variables.is_defined("a"));

        variables.undefine("A");

        assert!(!variables.is_defined("A"));
        assert_eq!(filled(&variables, "${a}").0, "${a}");
    }

    #[test]
    fn a_line_does_not_grow_without_end() {
        let environment = BTreeMap::new();
        let mut variables = Variables::new(&environment);
        variables.define("A", Some(&"x".repeat(60)));

        assert_eq!(variables.fill("${A}${A}", 100, |_| {}), Err(TooLong));
    }
}
