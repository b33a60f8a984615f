//! Faults of a configuration, in the words of whoever writes it.

use std::fmt::{self, Display, Write as _};

use serde::de::{self, Expected, Unexpected};

use crate::ConfigError;
use crate::config::fault;

/// What is wrong, and where: without a place where it happens, and one step longer for each list and object around it.
pub(super) struct Fault(pub(super) ConfigError);

impl Fault {
    pub(super) fn within(self, step: &str) -> Self {
        let mut path = String::from("/");
        path.push_str(step);
        path.push_str(&self.0.path);
        Self(fault(path, self.0.message))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(text, "{message}");
        Self(fault("", text))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found {}", Words(expected), Found(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}

/// What serde expects, in the words of whoever writes the configuration.
struct Words<'e>(&'e dyn Expected);

impl Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut expected = String::new();
        write!(expected, "{}", self.0)?;
        f.write_str(match expected.as_str() {
            "u8" => "a whole number from 0 to 255",
            "u16" => "a whole number from 0 to 65535",
            "u32" => "a whole number from 0 to 4294967295",
            "u64" | "usize" => "a whole number, at least 0",
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
            "f32" | "f64" => "a number",
            "a boolean" => "true or false",
            "a sequence" => "a list",
            "a map" => "an object",
            "option" => "a value",
            other if other.starts_with("struct ") => "an object",
            other if other.starts_with("enum ") => "a word",
            other => other,
        })
    }
}

/// What was found instead. Of a number with a fraction only that much: writing one takes 16 KB of code.
struct Found<'f>(Unexpected<'f>);

impl Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => f.write_str(if value { "true" } else { "false" }),
            Unexpected::Unsigned(number) => number.fmt(f),
            Unexpected::Signed(number) => number.fmt(f),
            Unexpected::Float(_) => f.write_str("a number with a fraction"),
            Unexpected::Str(text) => write!(f, "\"{text}\""),
            Unexpected::Unit | Unexpected::Option => f.write_str("null"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("an object"),
            Unexpected::Other(text) => f.write_str(text),
            _ => f.write_str("something else"),
        }
    }
}
