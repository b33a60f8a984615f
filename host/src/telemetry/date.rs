//! Dates as people and machines read them, always UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// Shows as RFC 3339 with milliseconds: `2026-11-23T01:02:38.123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub SystemTime);

/// Shows as a calendar day: `2026-11-23`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub SystemTime);

/// Shows as IMF-fixdate (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpDate(pub SystemTime);

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, _) = civil(self.0);
        let (hour, minute, second) = time.to_hms();
        let (weekday, month) = (time.weekday().to_string(), time.month().to_string());
        let (day, year) = (time.day(), time.year());
        write!(f, "{weekday:.3}, {day:02} {month:.3} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, millis) = civil(self.0);
        let (hour, minute, second) = time.to_hms();
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z", Day(self.0))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, _) = civil(self.0);
        write!(f, "{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day())
    }
}

/// Whole seconds as a date, and the milliseconds. What is out of range (before 1970, after 9999) shows as 1970-01-01.
fn civil(time: SystemTime) -> (OffsetDateTime, u32) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = i64::try_from(since.as_secs()).ok().and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok());
    (date.unwrap_or(OffsetDateTime::UNIX_EPOCH), since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_utc_with_milliseconds() {
        for (secs, millis, expected) in [
            (0, 0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, 7, "2000-02-29T00:00:00.007Z"),
            (1_795_395_758, 999, "2026-11-23T01:02:38.999Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(secs) + Duration::from_millis(millis);

            assert_eq!(Rfc3339(time).to_string(), expected);
        }
    }

    #[test]
    fn dates_of_http_are_of_one_length() {
        let date = HttpDate(UNIX_EPOCH + Duration::from_secs(784_111_777)).to_string();

        assert_eq!(date, "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_time_out_of_range_still_shows() {
        assert_eq!(Day(UNIX_EPOCH - Duration::from_secs(1)).to_string(), "1970-01-01");
    }
}
