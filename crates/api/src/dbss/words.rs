//! Ids, times and windows between the wire and the use cases.

use strongroom_control::{Page, Reason};
use strongroom_model::{DbssBackupId, DbssInstanceId, Timestamp};
use strongroom_wire::{
    dbss::{
        DEFAULT_LIMIT, SIZE_MAX,
        statement::{Span, TimeRange},
    },
    query::{Limit, Offset},
    time::DbssTime,
};

pub(super) use crate::windows::window;
use crate::{
    failure::Failure,
    windows::{self, known},
};

/// A window on a list.
pub(super) fn page<const MAX: u32>(limit: Option<Limit<MAX>>, offset: Option<Offset>) -> Page {
    windows::page(limit, offset, DEFAULT_LIMIT)
}

/// A window that is told by a page's number, from 1, and its size.
pub(super) fn numbered(page: u32, size: u32) -> Result<Page, Failure> {
    if page == 0 {
        return Err(Failure::malformed("page", "must be at least 1"));
    }
    if !(1..=SIZE_MAX).contains(&size) {
        let problem = format!("must be from 1 to {SIZE_MAX}");
        return Err(Failure::malformed("size", problem));
    }
    Ok(Page {
        limit: size,
        offset: u64::from(page - 1) * u64::from(size),
        marker: None,
    })
}

/// A directory's id.
pub(super) fn instance(text: &str) -> Result<DbssInstanceId, Failure> {
    known(text, Reason::NoSuchInstance)
}

/// A backup's id.
pub(super) fn backup(text: &str) -> Result<DbssBackupId, Failure> {
    known(text, Reason::NoSuchBackup)
}

/// A time of ours on the wire.
pub(super) const fn time(time: Timestamp) -> DbssTime {
    DbssTime::from_micros(time.as_micros())
}

/// A time of the wire, ours.
pub(super) const fn time_of(time: DbssTime) -> Timestamp {
    Timestamp::from_micros(time.as_micros())
}

/// A time in milliseconds.
pub(super) const fn millis(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(1000)
}

/// From when until when a list is.
pub(super) fn span(
    range: &TimeRange,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Failure> {
    let (from, until) = (range.start_time.map(time_of), range.end_time.map(time_of));
    let Some(span) = range.time_range else {
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            return Err(Failure::malformed(
                "end_time",
                "must not be before start_time",
            ));
        }
        return Ok((from, until));
    };
    if from.is_some() || until.is_some() {
        let problem = "goes without start_time and end_time";
        return Err(Failure::malformed("time_range", problem));
    }
    let minutes = match span {
        Span::HalfHour => 30,
        Span::Hour => 60,
        Span::ThreeHours => 180,
        Span::TwelveHours => 720,
        Span::Day => 1440,
        Span::Week => 7 * 1440,
        Span::Month => 30 * 1440,
    };
    Ok((Some(now.plus_seconds(-60 * minutes)), Some(now)))
}

/// A switch of the wire: 1 for on, 0 for off.
pub(super) fn is_on(status: u32) -> Result<bool, Failure> {
    match status {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::malformed("status", "must be 0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_begin_at_one_and_have_a_size() {
        let second = numbered(2, 50).unwrap();
        assert_eq!((second.limit, second.offset), (50, 50));
        for (page, size) in [(0, 10), (1, 0), (1, 1001)] {
            assert!(numbered(page, size).is_err(), "{page} {size}");
        }
    }

    #[test]
    fn a_time_range_ends_now_and_goes_alone() {
        let now = Timestamp::from_micros(1_000_000_000_000_000);
        let day = TimeRange {
            time_range: Some(Span::Day),
            ..TimeRange::default()
        };
        let found = span(&day, now).unwrap();
        assert_eq!(found, (Some(now.plus_seconds(-86_400)), Some(now)));
        let both = TimeRange {
            start_time: Some(time(now)),
            ..day
        };
        assert!(span(&both, now).is_err());
        let backwards = TimeRange {
            start_time: Some(time(now)),
            end_time: Some(time(now.plus_seconds(-1))),
            time_range: None,
        };
        assert!(span(&backwards, now).is_err());
    }
}
