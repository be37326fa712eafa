//! Times, one newtype per documented format.
//!
//! Both hold microseconds since 1970-01-01T00:00:00Z, so they convert to and from our clock
//! without rounding. `CbrTime` is serialised as a named newtype: a serialiser that wraps another
//! one can recognise it (and the nulls around it) and render T Cloud Public's flavour, offset
//! times and no nulls, without a second set of types.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::query::QueryValue;

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 2018-02-01T12:00:00Z")]
pub struct MalformedTime;

macro_rules! times {
    ($($(#[$doc:meta])* $name:ident, $between:literal, $fraction:expr, $zone:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// From microseconds since the epoch.
            pub const fn from_micros(micros: i64) -> Self {
                Self(micros)
            }

            /// Microseconds since the epoch.
            pub const fn as_micros(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(self.0, ($between, $fraction, $zone), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = MalformedTime;

            fn from_str(text: &str) -> Result<Self, MalformedTime> {
                parse(text).map(|time| Self(time.as_microsecond())).ok_or(MalformedTime)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct(stringify!($name), &format_args!("{self}"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl QueryValue for $name {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error: MalformedTime| error.to_string())
            }

            fn text(&self) -> String {
                // With the zone: the documented form of filters.
                format!("{}Z", self.to_string().trim_end_matches('Z'))
            }
        }
    )+};
}

times! {
    /// A time of CBR: UTC without zone, microseconds (`2019-05-10T07:59:12.084695`).
    CbrTime, b'T', true, "";

    /// A time of IAM: UTC, microseconds, `Z` (`2020-01-04T09:05:22.701000Z`).
    IamTime, b'T', true, "Z";

    /// A time of DDM: UTC, seconds, an offset without colon (`2025-02-19T02:50:20+0000`).
    DdmTime, b'T', false, "+0000";

    /// A time of DBSS: UTC without zone, seconds (`2025-09-10 12:00:00`).
    DbssTime, b' ', false, "";
}

/// Writes a time digit by digit: a page of a list has thousands, and a format that is read anew for
/// each of them costs more than all else that is written.
fn write(
    micros: i64,
    (between, fraction, zone): (u8, bool, &str),
    out: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    // The years that jiff cannot show, or that have not four digits, are not years that a clock
    // can tell.
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = TimeZone::UTC.to_datetime(time);
    let place = |value: i8| u32::from(value.unsigned_abs());
    let digits = [
        (0, 4, u32::from(time.year().unsigned_abs()).min(9999)),
        (5, 2, place(time.month())),
        (8, 2, place(time.day())),
        (11, 2, place(time.hour())),
        (14, 2, place(time.minute())),
        (17, 2, place(time.second())),
        (20, 6, time.subsec_nanosecond().unsigned_abs() / 1000),
    ];
    let mut text = *b"0000-00-00T00:00:00.000000";
    text[10] = between;
    for (start, width, mut value) in digits {
        for digit in text[start..start + width].iter_mut().rev() {
            *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
            value /= 10;
        }
    }
    let length = if fraction { text.len() } else { 19 };
    let text = std::str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?;
    out.write_str(text)?;
    out.write_str(zone)
}

/// Reads every documented form: `T` or a blank between date and time, with or without fraction,
/// with `Z`, an offset or nothing (UTC), or a bare date.
fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
        return Some(time);
    }
    // Jiff's own parser would drop an offset that it cannot use; a wrong hour is worse than no.
    let civil = match text.len() {
        10 => text
            .parse::<Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight()),
        19..=29 => text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"-T :.".contains(&byte))
            .then(|| text.parse::<DateTime>().ok())??,
        _ => return None,
    };
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_their_formats_say() {
        let mut micros = 1_u64;
        for _ in 0..2000 {
            micros = micros
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // Up to the year 9999, before 1970 too.
            let micros =
                i64::try_from(micros % 300_000_000_000_000_000).unwrap() - 50_000_000_000_000_000;
            let time = Timestamp::from_microsecond(micros).unwrap();
            let said = |format| time.strftime(format).to_string();
            let shown = [
                (CbrTime(micros).to_string(), "%Y-%m-%dT%H:%M:%S.%6f"),
                (IamTime(micros).to_string(), "%Y-%m-%dT%H:%M:%S.%6fZ"),
                (DdmTime(micros).to_string(), "%Y-%m-%dT%H:%M:%S+0000"),
                (DbssTime(micros).to_string(), "%Y-%m-%d %H:%M:%S"),
            ];
            for (shown, format) in shown {
                assert_eq!(shown, said(format), "{micros}");
            }
        }
        assert_eq!(CbrTime(i64::MAX).to_string(), CbrTime(0).to_string());
    }

    #[test]
    fn a_time_of_cbr_has_six_digits_and_no_zone() {
        let json = r#""2019-05-10T07:59:12.084695""#;
        let time: CbrTime = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&time).unwrap(), json);
        assert_eq!(
            CbrTime::from_micros(0).to_string(),
            "1970-01-01T00:00:00.000000"
        );
        assert_eq!(QueryValue::text(&time), "2019-05-10T07:59:12.084695Z");
    }

    #[test]
    fn every_documented_form_is_the_same_instant() {
        let noon: CbrTime = "2018-02-01T12:00:00Z".parse().unwrap();
        for form in [
            "2018-02-01T12:00:00",
            "2018-02-01 12:00:00",
            "2018-02-01T12:00:00.000000",
            "2018-02-01T12:00:00.000+00:00",
            "2018-02-01T14:00:00+0200",
            "2018-02-01T14:00:00.0+02:00",
        ] {
            assert_eq!(form.parse(), Ok(noon), "{form}");
        }
        assert_eq!(
            "2018-02-01".parse(),
            "2018-02-01T00:00:00Z".parse::<CbrTime>()
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "yesterday",
            "2018-02-30",
            "2018-02-01T25:00:00Z",
            "1517486400",
            "2018-02",
        ] {
            assert!(bad.parse::<CbrTime>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_time_of_iam_says_its_zone() {
        let json = r#""2020-01-04T09:05:22.701000Z""#;
        let time: IamTime = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&time).unwrap(), json);
    }
}
