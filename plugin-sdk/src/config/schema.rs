//! The schema of what the language has: numbers, texts, lists and maps; and what derived implementations call.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use super::{Config, fault};
use crate::ConfigError;

macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl Config for $number {
            fn write_type(schema: &mut String) {
                schema.push_str("\"type\":\"integer\"");
            }

            fn write_limits(schema: &mut String) {
                schema.push_str(",\"minimum\":");
                <$number>::MIN.write_value(schema);
                schema.push_str(",\"maximum\":");
                <$number>::MAX.write_value(schema);
            }

            fn write_value(&self, json: &mut String) {
                display(self, json);
            }
        }
    )+};
}

whole_numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

macro_rules! fractions {
    ($($number:ty),+) => {$(
        impl Config for $number {
            fn write_type(schema: &mut String) {
                schema.push_str("\"type\":\"number\"");
            }

            fn write_value(&self, json: &mut String) {
                if self.is_finite() { display(self, json) } else { json.push_str("null") }
            }
        }
    )+};
}

fractions!(f32, f64);

impl Config for bool {
    fn write_type(schema: &mut String) {
        schema.push_str("\"type\":\"boolean\"");
    }

    fn write_value(&self, json: &mut String) {
        json.push_str(if *self { "true" } else { "false" });
    }
}

impl Config for String {
    fn write_type(schema: &mut String) {
        schema.push_str("\"type\":\"string\"");
    }

    fn write_value(&self, json: &mut String) {
        text(self, json);
    }
}

/// Left out, it is none.
impl<T: Config> Config for Option<T> {
    fn write_type(schema: &mut String) {
        T::write_type(schema);
    }

    fn write_limits(schema: &mut String) {
        T::write_limits(schema);
    }

    fn write_value(&self, json: &mut String) {
        match self {
            Some(value) => value.write_value(json),
            None => json.push_str("null"),
        }
    }

    fn check(&self, path: &mut String, faults: &mut Vec<ConfigError>) {
        if let Some(value) = self {
            value.check(path, faults);
        }
    }
}

impl<T: Config> Config for Vec<T> {
    fn write_type(schema: &mut String) {
        schema.push_str("\"type\":\"array\",\"items\":");
        schema.push_str(&T::schema());
    }

    fn write_value(&self, json: &mut String) {
        json.push('[');
        for (number, value) in self.iter().enumerate() {
            if number > 0 {
                json.push(',');
            }
            value.write_value(json);
        }
        json.push(']');
    }

    fn check(&self, path: &mut String, faults: &mut Vec<ConfigError>) {
        for (number, value) in self.iter().enumerate() {
            let mut step = String::from("/");
            display(&number, &mut step);
            within(path, &step, |path| value.check(path, faults));
        }
    }
}

/// An object whose keys the operator chooses.
impl<T: Config> Config for BTreeMap<String, T> {
    fn write_type(schema: &mut String) {
        schema.push_str("\"type\":\"object\",\"additionalProperties\":");
        schema.push_str(&T::schema());
    }

    fn write_value(&self, json: &mut String) {
        json.push('{');
        for (number, (key, value)) in self.iter().enumerate() {
            if number > 0 {
                json.push(',');
            }
            text(key, json);
            json.push(':');
            value.write_value(json);
        }
        json.push('}');
    }

    fn check(&self, path: &mut String, faults: &mut Vec<ConfigError>) {
        for (key, value) in self {
            let mut step = String::from("/");
            step.push_str(&pointer(key));
            within(path, &step, |path| value.check(path, faults));
        }
    }
}

impl<T: Config> Config for Box<T> {
    fn write_type(schema: &mut String) {
        T::write_type(schema);
    }

    fn write_limits(schema: &mut String) {
        T::write_limits(schema);
    }

    fn write_value(&self, json: &mut String) {
        T::write_value(self, json);
    }

    fn check(&self, path: &mut String, faults: &mut Vec<ConfigError>) {
        T::check(self, path, faults);
    }
}

/// Looks at what lies one step further, and takes the step back.
pub fn within(path: &mut String, step: &str, look: impl FnOnce(&mut String)) {
    let before = path.len();
    path.push_str(step);
    look(path);
    path.truncate(before);
}

/// Adds a fault if there is a value and it is below `least` or above `most`.
pub fn in_range<T: Config + PartialOrd>(
    path: &str,
    step: &str,
    value: Option<&T>,
    least: Option<T>,
    most: Option<T>,
    faults: &mut Vec<ConfigError>,
) {
    let Some(value) = value else { return };
    let fits = |limit: &Option<T>, holds: fn(&T, &T) -> bool| limit.as_ref().is_none_or(|limit| holds(limit, value));
    if fits(&least, |least, value| least <= value) && fits(&most, |most, value| value <= most) {
        return;
    }
    let mut message = String::from("expected ");
    match (least, most) {
        (Some(least), Some(most)) => {
            least.write_value(&mut message);
            message.push_str(" to ");
            most.write_value(&mut message);
        }
        (Some(limit), None) => {
            message.push_str("at least ");
            limit.write_value(&mut message);
        }
        (None, limit) => {
            message.push_str("at most ");
            limit.write_value(&mut message);
        }
    }
    message.push_str(", found ");
    value.write_value(&mut message);
    faults.push(fault(joined(path, step), message));
}

/// Adds a fault if a text or a list is empty.
pub fn not_empty(path: &str, step: &str, is_empty: bool, faults: &mut Vec<ConfigError>) {
    if is_empty {
        faults.push(fault(joined(path, step), "expected something, found it empty"));
    }
}

/// Appends `,"default":…`, unless that is none.
pub fn write_default(value: &impl Config, schema: &mut String) {
    let mut json = String::new();
    value.write_value(&mut json);
    if json != "null" {
        schema.push_str(",\"default\":");
        schema.push_str(&json);
    }
}

/// A key as a JSON pointer has it (RFC 6901).
pub(super) fn pointer(key: &str) -> String {
    let mut step = String::new();
    for letter in key.chars() {
        match letter {
            '~' => step.push_str("~0"),
            '/' => step.push_str("~1"),
            letter => step.push(letter),
        }
    }
    step
}

/// Appends a JSON string, quotes included.
pub(super) fn text(text: &str, json: &mut String) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            letter if letter < ' ' => {
                json.push_str("\\u00");
                json.extend(
                    [u32::from(letter) / 16, u32::from(letter) % 16]
                        .map(|digit| char::from_digit(digit, 16).unwrap_or('0')),
                );
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
}

fn joined(path: &str, step: &str) -> String {
    let mut joined = path.to_owned();
    joined.push_str(step);
    joined
}

/// Writing to a string cannot fail.
fn display(value: &impl Display, json: &mut String) {
    let _ = write!(json, "{value}");
}
