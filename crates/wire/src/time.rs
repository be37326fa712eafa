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
    ($($(#[$doc:meta])* $name:ident, $format:literal;)+) => {$(
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
                // The years that jiff cannot show are not years that a clock can tell.
                let time = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
                write!(f, "{}", time.strftime($format))
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
    CbrTime, "%Y-%m-%dT%H:%M:%S.%6f";

    /// A time of IAM: UTC, microseconds, `Z` (`2020-01-04T09:05:22.701000Z`).
    IamTime, "%Y-%m-%dT%H:%M:%S.%6fZ";

    /// A time of DDM: UTC, seconds, an offset without colon (`2025-02-19T02:50:20+0000`).
    DdmTime, "%Y-%m-%dT%H:%M:%S+0000";

    /// A time of DBSS: UTC without zone, seconds (`2025-09-10 12:00:00`).
    DbssTime, "%Y-%m-%d %H:%M:%S";
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
