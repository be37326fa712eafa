//! Whole reads and writes: the system may do less than it was asked to, or be interrupted.
//!
//! Network file systems and FUSE return short reads in the middle of a file; a file ends only
//! where a read returns nothing. What goes wrong after some bytes is an error all the same.

use std::os::fd::OwnedFd;

use rustix::io::{Errno, Result, pread, pwrite};

/// Reads until the buffer is full or the file ends; how many bytes there were.
pub(crate) fn read_full(fd: &OwnedFd, buffer: &mut [u8], offset: u64) -> Result<usize> {
    fill(buffer, offset, |rest, at| pread(fd, rest, at))
}

/// Writes all of `data`.
pub(crate) fn write_full(fd: &OwnedFd, data: &[u8], offset: u64) -> Result<()> {
    drain(data, offset, |rest, at| pwrite(fd, rest, at))
}

fn fill(
    buffer: &mut [u8],
    offset: u64,
    mut read: impl FnMut(&mut [u8], u64) -> Result<usize>,
) -> Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(filled)
}

fn drain(
    mut data: &[u8],
    mut offset: u64,
    mut write: impl FnMut(&[u8], u64) -> Result<usize>,
) -> Result<()> {
    while !data.is_empty() {
        match write(data, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => {
                data = data.get(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the system does with each call: so many bytes at most, or an interruption.
    fn moods() -> impl Strategy<Value = Vec<Option<usize>>> {
        prop::collection::vec(prop::option::weighted(0.7, 1..40_usize), 1..20)
    }

    proptest! {
        #[test]
        fn a_file_is_read_to_its_end_however_little_comes_at_a_time(
            file in prop::collection::vec(any::<u8>(), 0..300),
            from in 0..320_usize,
            want in 0..320_usize,
            moods in moods(),
        ) {
            let mut moods = moods.into_iter();
            let mut buffer = vec![0; want];
            let found = fill(&mut buffer, from as u64, |rest, at| {
                let most = match moods.next() {
                    Some(None) => return Err(Errno::INTR),
                    Some(Some(most)) => most,
                    None => usize::MAX,
                };
                let left = file.get(usize::try_from(at).unwrap()..).unwrap_or_default();
                let count = left.len().min(rest.len()).min(most);
                rest[..count].copy_from_slice(&left[..count]);
                Ok(count)
            });
            let there = file.get(from..).unwrap_or_default();
            let there = &there[..there.len().min(want)];
            prop_assert_eq!(found, Ok(there.len()));
            prop_assert_eq!(&buffer[..there.len()], there);
        }

        #[test]
        fn all_is_written_however_little_is_taken_at_a_time(
            data in prop::collection::vec(any::<u8>(), 0..300),
            from in 0..50_usize,
            moods in moods(),
        ) {
            let mut moods = moods.into_iter();
            let mut file = vec![0; from + data.len()];
            let written = drain(&data, from as u64, |rest, at| {
                let most = match moods.next() {
                    Some(None) => return Err(Errno::INTR),
                    Some(Some(most)) => most,
                    None => usize::MAX,
                };
                let (at, count) = (usize::try_from(at).unwrap(), rest.len().min(most));
                file[at..at + count].copy_from_slice(&rest[..count]);
                Ok(count)
            });
            prop_assert_eq!(written, Ok(()));
            prop_assert_eq!(&file[from..], &data);
        }
    }

    #[test]
    fn an_error_after_some_bytes_is_an_error() {
        let mut calls = [Ok(3), Err(Errno::IO)].into_iter();
        assert_eq!(
            fill(&mut [0; 8], 0, |_, _| calls.next().unwrap()),
            Err(Errno::IO)
        );
        let mut calls = [Ok(3), Err(Errno::NOSPC)].into_iter();
        assert_eq!(
            drain(&[0; 8], 0, |_, _| calls.next().unwrap()),
            Err(Errno::NOSPC)
        );
        assert_eq!(drain(&[0; 8], 0, |_, _| Ok(0)), Err(Errno::IO));
    }
}
