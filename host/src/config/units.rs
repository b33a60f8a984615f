//! Durations, sizes and numbers as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};

/// Units of time, longest first: the order in which they may follow each other.
const TIME_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Units of size.
const SIZE_UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// A length of time: whole numbers with a unit each (`d`, `h`, `m`, `s`, `ms`), longest unit first: `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

/// A length of time, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationOrOff(pub Option<Duration>);

/// A number of bytes: a whole number with `B`, `KiB`, `MiB`, `GiB` or nothing behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// A whole number, zero included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeNumber(pub u64);

/// A number, with or without a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

/// The text is not what its unit asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// Not a [`HumanDuration`].
    #[error("expected {DURATION}")]
    Duration,
    /// Not a [`DurationOrOff`].
    #[error("expected {DURATION_OR_OFF}")]
    DurationOrOff,
    /// Not a [`ByteSize`].
    #[error("expected {SIZE}")]
    Size,
}

const DURATION: &str = "a duration such as \"5s\", \"500ms\" or \"1h30m\"";
const DURATION_OR_OFF: &str = "\"off\", or a duration such as \"30s\" or \"5m\"";
const SIZE: &str = "a size such as \"64KiB\", \"1MiB\" or \"512\" (bytes)";

impl FromStr for HumanDuration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let mut rest = text;
        let mut units = TIME_UNITS.iter();
        let mut total: u64 = 0;
        while !rest.is_empty() || units.len() == TIME_UNITS.len() {
            let (number, after) = leading_number(rest).ok_or(UnitError::Duration)?;
            let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, next) = after.split_at(end);
            let (_, milliseconds) = units.find(|(name, _)| *name == unit).ok_or(UnitError::Duration)?;
            let part = number.checked_mul(*milliseconds).ok_or(UnitError::Duration)?;
            total = total.checked_add(part).ok_or(UnitError::Duration)?;
            rest = next;
        }
        Ok(Self(Duration::from_millis(total)))
    }
}

impl FromStr for DurationOrOff {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse().map(|HumanDuration(duration)| Self(Some(duration))).map_err(|_| UnitError::DurationOrOff)
    }
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = leading_number(text).ok_or(UnitError::Size)?;
        let unit = unit.trim_start();
        let factor = match unit {
            "" => 1,
            _ => SIZE_UNITS.iter().find(|(name, _)| *name == unit).ok_or(UnitError::Size)?.1,
        };
        number.checked_mul(factor).map(Self).ok_or(UnitError::Size)
    }
}

/// The whole number at the start, and what follows it.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// A duration as a person would write it.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, milliseconds) in TIME_UNITS {
        let number = rest / milliseconds;
        rest %= milliseconds;
        if number > 0 {
            text.push_str(&format!("{number}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Reads a unit from text, and says what a unit is otherwise.
struct FromText<T>(&'static str, std::marker::PhantomData<T>);

impl<T: FromStr> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FromText(DURATION, std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for DurationOrOff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FromText(DURATION_OR_OFF, std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FromText(SIZE, std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl Visitor<'_> for WholeVisitor {
            type Value = WholeNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<WholeNumber, E> {
                u64::try_from(number).map(WholeNumber).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<WholeNumber, E> {
                Ok(WholeNumber(number))
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                // Out of every range that is asked of a number here, so exactness does not matter.
                Ok(Number(i32::try_from(number).map_or(f64::INFINITY, f64::from)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown() {
        for (text, milliseconds) in
            [("5s", 5_000), ("500ms", 500), ("1h", 3_600_000), ("1h30m", 5_400_000), ("1m5s10ms", 65_010), ("0s", 0)]
        {
            let read: HumanDuration = text.parse().unwrap();
            assert_eq!(read.0, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(show_duration(read.0), text);
        }
        for text in ["", "5", "s", "5 s", "1m1h", "1s1s", "-1s", "1.5s", "5sec", "99999999999999999999s"] {
            assert_eq!(text.parse::<HumanDuration>(), Err(UnitError::Duration), "{text}");
        }
    }

    #[test]
    fn what_may_be_off_is_a_duration_otherwise() {
        for (text, expected) in [
            ("off", Ok(DurationOrOff(None))),
            ("30s", Ok(DurationOrOff(Some(Duration::from_secs(30))))),
            ("Off", Err(UnitError::DurationOrOff)),
            ("30", Err(UnitError::DurationOrOff)),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [("64KiB", 65_536), ("1MiB", 1 << 20), ("512", 512), ("7 B", 7), ("2GiB", 2 << 30)] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "KiB", "64K", "1.5MiB", "64kib", "-1", "99999999999GiB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(UnitError::Size), "{text}");
        }
    }
}
