//! Logs made by hand: what is read of them, and damage that is noticed.

use super::*;

/// A log that grows by events.
struct Log(Vec<u8>);

impl Log {
    fn new() -> Self {
        let mut log = Self(MAGIC.to_vec());
        log.event(100, FORMAT, &[0; 60]);
        log
    }

    fn event(&mut self, second: u32, kind: u8, body: &[u8]) -> u64 {
        let offset = self.0.len();
        let length = u32::try_from(19 + body.len()).unwrap();
        self.0.extend(second.to_le_bytes());
        self.0.push(kind);
        self.0.extend(7_u32.to_le_bytes());
        self.0.extend(length.to_le_bytes());
        let end = u32::try_from(offset).unwrap() + length;
        self.0.extend(end.to_le_bytes());
        self.0.extend([0, 0]);
        self.0.extend(body);
        offset as u64
    }

    fn group(&mut self, second: u32, sequence: u64, flags: u8) -> u64 {
        let mut body = sequence.to_le_bytes().to_vec();
        body.extend(0_u32.to_le_bytes());
        body.extend([flags, 0, 0, 0, 0, 0, 0]);
        let offset = self.event(second, GROUP, &body);
        self.event(second, 2, &[b'x'; 3000]);
        offset
    }

    fn groups(&self) -> Result<(Vec<Group>, Seen)> {
        let mut groups = Vec::new();
        let seen = walk(&mut self.0.as_slice(), 0, &mut |group| {
            groups.push(*group);
            Go::On
        })?;
        Ok((groups, seen))
    }
}

#[test]
fn groups_are_found_with_their_place_second_and_number() {
    let mut log = Log::new();
    let first = log.group(110, 1, 0);
    let second = log.group(112, 2, DEFINITION);
    let mut rotate = 4_u64.to_le_bytes().to_vec();
    rotate.extend(b"binlog.000012");
    rotate.extend([b'A', 0xff, 1, 2]);
    log.event(113, ROTATE, &rotate);
    let (groups, seen) = log.groups().unwrap();
    let found: Vec<_> = groups
        .iter()
        .map(|group| (group.offset, group.second, group.gtid, group.definition))
        .collect();
    assert_eq!(
        found,
        [
            (first, 110, (0, 7, 1), false),
            (second, 112, (0, 7, 2), true)
        ]
    );
    assert_eq!(seen.end, log.0.len() as u64);
    assert_eq!(seen.head.as_deref(), Some("100-7"));
    assert_eq!(seen.next.as_deref(), Some("binlog.000012"));
}

#[test]
fn a_walk_stops_before_the_first_group_of_a_later_second() {
    let mut log = Log::new();
    log.group(110, 1, 0);
    let late = log.group(111, 2, 0);
    // A long statement that began earlier stands behind: the log's order counts.
    log.group(109, 3, 0);
    let seen = walk(&mut log.0.as_slice(), 0, &mut |group| {
        if group.second > 110 { Go::Stop } else { Go::On }
    })
    .unwrap();
    assert_eq!(seen.end, late);
    assert_eq!(seen.last.unwrap().gtid.2, 1);
}

#[test]
fn a_part_from_the_middle_is_read_at_its_place() {
    let mut log = Log::new();
    log.group(110, 1, 0);
    let from = log.group(111, 2, 0);
    let part = &log.0[usize::try_from(from).unwrap()..];
    let mut count = 0;
    let seen = walk(&mut &*part, from, &mut |group| {
        assert_eq!(group.gtid.2, 2);
        count += 1;
        Go::On
    })
    .unwrap();
    assert_eq!((count, seen.end), (1, log.0.len() as u64));
    // The same bytes at another place are not what they say.
    let error = walk(&mut &*part, from + 1, &mut |_| Go::On).unwrap_err();
    assert!(error.to_string().contains("not where it says"), "{error}");
}

#[test]
fn a_byte_that_is_missing_too_many_or_wrong_is_noticed() {
    let mut log = Log::new();
    log.group(110, 1, 0);
    let whole = log.0.clone();
    for cut in [1, 3, 4, 10, 30, whole.len() - 1] {
        let short = Log(whole[..cut].to_vec());
        let whole_events = cut == 4;
        assert_eq!(short.groups().is_ok(), whole_events, "cut at {cut}");
    }
    for place in [0, 4 + 9, 4 + 13, 83 + 9] {
        let mut wrong = Log(whole.clone());
        wrong.0[place] ^= 0x40;
        assert!(wrong.groups().is_err(), "changed at {place}");
    }
    let mut longer = Log(whole);
    longer.0.push(0);
    assert!(longer.groups().is_err());
}
