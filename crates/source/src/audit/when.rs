//! Times as databases write them, by fixed places: the reading of a log looks at every line's.

/// Microseconds since 1970 of `YYYYMMDD HH:MM:SS`, as if in UTC.
pub(super) fn compact(text: &[u8]) -> Option<i64> {
    let text: &[u8; 17] = text.first_chunk()?;
    if (text[8], text[11], text[14]) != (b' ', b':', b':') {
        return None;
    }
    let date = (
        digits(&text[0..4])?,
        digits(&text[4..6])?,
        digits(&text[6..8])?,
    );
    let time = (
        digits(&text[9..11])?,
        digits(&text[12..14])?,
        digits(&text[15..17])?,
    );
    micros(date, time, 0)
}

/// A time that was read: microseconds since 1970 as if in UTC, the minutes east of UTC that it was
/// written for, if it says, and how many bytes it is long.
pub(super) struct Read {
    pub(super) micros: i64,
    pub(super) zone: Option<i32>,
    pub(super) length: usize,
}

impl Read {
    /// Microseconds since 1970; `default` minutes east of UTC hold where nothing else is said.
    pub(super) fn instant(&self, default: i32) -> i64 {
        let east = i64::from(self.zone.unwrap_or(default));
        self.micros.saturating_sub(east * 60_000_000)
    }
}

/// `YYYY-MM-DD HH:MM:SS`, with `T` or a blank, perhaps a fraction, perhaps a zone.
pub(super) fn civil(text: &[u8]) -> Option<Read> {
    let stem: &[u8; 19] = text.first_chunk()?;
    let marks = (stem[4], stem[7], stem[13], stem[16]);
    if marks != (b'-', b'-', b':', b':') || !matches!(stem[10], b' ' | b'T') {
        return None;
    }
    let date = (
        digits(&stem[0..4])?,
        digits(&stem[5..7])?,
        digits(&stem[8..10])?,
    );
    let time = (
        digits(&stem[11..13])?,
        digits(&stem[14..16])?,
        digits(&stem[17..19])?,
    );
    let mut length = 19;
    let mut fraction = 0;
    if matches!(text.get(19), Some(b'.' | b',')) {
        let rest = text.get(20..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        for place in 0..6 {
            let digit = rest.get(place).filter(|_| place < count);
            fraction = fraction * 10 + digit.map_or(0, |digit| i64::from(digit - b'0'));
        }
        // Behind a comma without digits something else begins.
        if count > 0 {
            length = 20 + count;
        }
    }
    let (zone, more) = zone(text.get(length..).unwrap_or_default());
    Some(Read {
        micros: micros(date, time, fraction)?,
        zone,
        length: length + more,
    })
}

/// `Z`, `+01`, `+0130`, `+01:30`, ` UTC`, ` GMT`: minutes east of UTC, and how long it is.
fn zone(text: &[u8]) -> (Option<i32>, usize) {
    let blank = usize::from(text.first() == Some(&b' '));
    let word = text.get(blank..).unwrap_or_default();
    match word {
        [b'Z', ..] => (Some(0), blank + 1),
        [b'U', b'T', b'C', ..] | [b'G', b'M', b'T', ..] => (Some(0), blank + 3),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let Some(hours) = rest.get(..2).and_then(digits) else {
                return (None, 0);
            };
            let colon = usize::from(rest.get(2) == Some(&b':'));
            let minutes = rest.get(2 + colon..4 + colon).and_then(digits);
            let length = minutes.map_or(2, |_| 4 + colon);
            let east = hours * 60 + minutes.unwrap_or(0);
            let east = i32::try_from(if *sign == b'-' { -east } else { east }).ok();
            (east, blank + 1 + length)
        }
        _ => (None, 0),
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size.
pub(super) fn since_epoch(number: f64) -> Option<i64> {
    if !number.is_finite() || number <= 0.0 {
        return None;
    }
    let micros = match number {
        n if n < 1e11 => number * 1e6,
        n if n < 1e14 => number * 1e3,
        n if n < 1e17 => number,
        _ => number / 1e3,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of floats saturates, and times are far below"
    )]
    Some(micros as i64)
}

fn digits(text: &[u8]) -> Option<i64> {
    let mut number = 0;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(number)
}

fn micros(date: (i64, i64, i64), time: (i64, i64, i64), fraction: i64) -> Option<i64> {
    let ((year, month, day), (hour, minute, second)) = (date, time);
    // A leap second is written as 60.
    let legal = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !legal {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1_000_000 + fraction)
}

/// Days since 1970 of a date of the Gregorian calendar: years begin in March, so that the leap day
/// is the last of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Option<(i64, usize)> {
        civil(text.as_bytes()).map(|read| (read.instant(60), read.length))
    }

    #[test]
    fn times_are_read_as_databases_write_them() {
        let noon = 1_795_262_400_000_000;
        assert_eq!(compact(b"20261121 120000"), None);
        assert_eq!(compact(b"20261121 12:00:00,host"), Some(noon));
        assert_eq!(compact(b"20000229 00:00:00"), Some(951_782_400_000_000));
        assert_eq!(
            instant("2026-11-21 12:00:00.250 UTC,x"),
            Some((noon + 250_000, 27))
        );
        assert_eq!(instant("2026-11-21T12:00:00Z"), Some((noon, 20)));
        assert_eq!(instant("2026-11-21T14:00:00+02:00"), Some((noon, 25)));
        assert_eq!(instant("2026-11-21 10:30:00-0130"), Some((noon, 24)));
        // Without a zone, or with one that has many meanings, the caller's holds.
        assert_eq!(instant("2026-11-21 13:00:00"), Some((noon, 19)));
        assert_eq!(instant("2026-11-21 13:00:00.000 CET"), Some((noon, 23)));
        for bad in [
            "2026-13-21 12:00:00",
            "2026-11-21 12:00",
            "2026/11/21 12:00:00",
            "",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_told_apart_by_their_size() {
        let micros = 1_795_262_400_000_000;
        assert_eq!(since_epoch(1_795_262_400.0), Some(micros));
        assert_eq!(since_epoch(1_795_262_400_000.0), Some(micros));
        assert_eq!(since_epoch(1_795_262_400_000_000.0), Some(micros));
        assert_eq!(since_epoch(f64::NAN), None);
        assert_eq!(since_epoch(-1.0), None);
    }
}
