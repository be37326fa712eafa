//! Every parser of bytes that databases wrote, for fuzzers and for the test that stands in for
//! them: anything may stand in a log, nothing of it may make us fall over.

use super::{
    Position,
    format::{Format, Zone},
    lines::{Intake, Rest},
    packing::{Resumed, Unpacked, remember},
    position::{Mark, Packing, Stat},
    record::{self, Record},
};

/// Takes a line apart in every format.
pub fn line(bytes: &[u8]) {
    for format in Format::ALL {
        let record = Record::of(format, bytes, Zone(90));
        let _ = (record.kind(), record.succeeded());
        let _ = record::time(format, bytes, Zone(-90));
        let _ = format.fits(bytes);
    }
}

/// Reads a position, and writes what it reads.
pub fn position(bytes: &[u8]) {
    if let Ok(position) = serde_json::from_slice::<Position>(bytes) {
        let text = serde_json::to_vec(&position).expect("a position is plain data");
        let again: Position = serde_json::from_slice(&text).expect("it was written just now");
        assert_eq!(again, position, "a position is read as it was written");
    }
}

/// Takes lines of a stream: what is passed on is what the stream holds.
pub fn lines(bytes: &[u8]) {
    use std::io::{Seek as _, Write as _};
    let stat = Stat {
        device: 0,
        inode: 0,
        size: bytes.len() as u64,
        modified: 0,
        changed: 0,
    };
    for format in Format::ALL {
        let mut file = tempfile_like(bytes);
        let (mut opening, mut recent) = (Vec::new(), Vec::new());
        remember(&[], &mut opening, &mut recent);
        let _ = (file.flush(), file.rewind());
        let reader = Unpacked::open(file, Packing::Plain).expect("a plain file opens");
        let mut mark = Mark::new(String::new(), stat, Packing::Plain, b"");
        let resumed = Resumed {
            reader,
            opening,
            recent,
        };
        let mut taken = Vec::new();
        let mut intake = Intake::new(format, Zone(0), u64::MAX, &mut taken);
        let ended = intake.take(resumed, &mut mark, Rest::Final);
        assert!(ended.is_ok(), "a vector takes everything");
        let text: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        taken.retain(|byte| *byte != 0);
        if text.last().is_some_and(|byte| *byte != b'\n') && taken.len() > text.len() {
            taken.pop();
        }
        assert!(
            text.ends_with(&taken) || taken == text,
            "no line is changed"
        );
    }
}

/// A file in memory.
fn tempfile_like(bytes: &[u8]) -> std::fs::File {
    use std::io::Write as _;
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let memory = rustix::fs::memfd_create("lines", flags).expect("memory is at hand");
    let mut file = std::fs::File::from(memory);
    file.write_all(bytes).expect("memory takes what is written");
    file
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kept_input_passes() {
        type Parse = fn(&[u8]);
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
        let targets: [(&str, Parse); 3] = [
            ("audit_line", line),
            ("audit_lines", lines),
            ("audit_position", position),
        ];
        for (name, target) in targets {
            let mut inputs = 0;
            for input in std::fs::read_dir(format!("{corpus}/{name}")).unwrap() {
                target(&std::fs::read(input.unwrap().path()).unwrap());
                inputs += 1;
            }
            assert!(inputs > 0, "{name}");
        }
        let kept = std::fs::read(format!("{corpus}/audit_position/one")).unwrap();
        assert!(serde_json::from_slice::<Position>(&kept).is_ok());
    }

    proptest! {
        #[test]
        fn anything_may_stand_in_a_log(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            line(&bytes);
            position(&bytes);
            lines(&bytes);
        }

        #[test]
        fn what_looks_like_a_line_is_no_danger(
            text in concat!(
                "(20261121 12:00:00|2026-11-21 12:00:00 UTC|\\{\"time\":)",
                "[,'\"\\\\a-z0-9\n]{0,200}"
            )
        ) {
            line(text.as_bytes());
            lines(text.as_bytes());
        }
    }
}
