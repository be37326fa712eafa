//! Bytes from one thread to another, a bounded number on their way.
//!
//! Unlike a pipe of the system, one whose writer dies is an error to its reader and not an end:
//! what was cut short must not count as whole.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

/// Bytes that are passed at once.
const PART: usize = 64 << 10;
/// Parts on their way.
const PARTS: usize = 16;

enum Part {
    Bytes(Vec<u8>),
    End,
}

/// The writing end.
pub(crate) struct PipeWriter {
    buffer: Vec<u8>,
    out: SyncSender<Part>,
}

/// The reading end.
pub(crate) struct PipeReader {
    parts: Receiver<Part>,
    part: io::Cursor<Vec<u8>>,
    ended: bool,
}

/// A pipe.
pub(crate) fn pipe() -> (PipeWriter, PipeReader) {
    let (out, parts) = sync_channel(PARTS);
    let writer = PipeWriter {
        buffer: Vec::with_capacity(PART),
        out,
    };
    let reader = PipeReader {
        parts,
        part: io::Cursor::default(),
        ended: false,
    };
    (writer, reader)
}

impl PipeWriter {
    /// Says that everything is written; without it the reader fails.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.out.send(Part::End).map_err(|_| gone())
    }
}

fn gone() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "the reader has gone")
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(PART));
        self.out.send(Part::Bytes(full)).map_err(|_| gone())
    }
}

impl Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.part.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.ended {
                return Ok(read);
            }
            match self.parts.recv() {
                Ok(Part::Bytes(bytes)) => self.part = io::Cursor::new(bytes),
                Ok(Part::End) => self.ended = true,
                Err(_) => {
                    let why = "the writer gave up";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_written_is_read_whole() {
        let (mut writer, mut reader) = pipe();
        let sent: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        let copy = sent.clone();
        let writing = thread::spawn(move || {
            writer.write_all(&copy).unwrap();
            writer.finish().unwrap();
        });
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        writing.join().unwrap();
        assert_eq!(read, sent);
    }

    #[test]
    fn a_writer_that_gives_up_is_no_end() {
        let (mut writer, mut reader) = pipe();
        writer.write_all(b"half").unwrap();
        drop(writer);
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}
