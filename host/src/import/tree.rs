//! An Apache configuration as Apache sees it once it is read: directives and sections, each with its place.
//!
//! Nothing is left in it of what is done while reading: Define, IfDefine, IfModule, IfVersion, IfFile, Include, Macro and
//! Use are carried out, `${NAME}` is filled in. Only an Include of what is not there and a Use of a macro that is not
//! defined stay, as what they stand for may matter; and `ServerRoot`, as paths are relative to it.

use std::fmt;
use std::sync::Arc;

/// Where a directive stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as it is shown.
    pub file: Arc<str>,
    /// Its line, from 1; of a directive that goes on over several lines, the first.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One argument, as Apache hands it on: without its quotes, `\\` and `\"` as what they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text.
    pub text: String,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// One line that is no section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its name, as written: Apache does not tell upper from lower case in it.
    pub name: String,
    /// Its arguments.
    pub words: Vec<Word>,
    /// Its arguments as one text, with their quotes.
    pub raw: String,
    /// Where it stands.
    pub place: Place,
}

/// `<Name …>` with all that stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, as written, without `<`.
    pub name: String,
    /// Its arguments.
    pub words: Vec<Word>,
    /// Its arguments as one text, with their quotes and without `>`.
    pub raw: String,
    /// Where it begins.
    pub place: Place,
    /// What stands in it, in its order.
    pub children: Vec<Node>,
}

/// A directive or a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// One line.
    Directive(Directive),
    /// A section with what is in it.
    Section(Section),
}

/// A configuration, in the order in which Apache reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// What stands outside of every section.
    pub nodes: Vec<Node>,
}

impl Directive {
    /// Whether this is the directive `name`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The argument at `index`, from 0.
    #[must_use]
    pub fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index).map(|word| word.text.as_str())
    }
}

impl Section {
    /// `<Name ARGUMENTS>`, to be told.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("<{}>", format!("{} {}", self.name, self.raw.trim()).trim_end())
    }

    /// Whether this is a section `name`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The argument at `index`, from 0.
    #[must_use]
    pub fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index).map(|word| word.text.as_str())
    }
}

impl Node {
    /// Where it stands or begins.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::Directive(directive) => &directive.place,
            Self::Section(section) => &section.place,
        }
    }
}
