//! Lines of a stream: bounded, counted and hashed.

use std::io::{self, BufRead as _, BufReader, Read};

/// Octets that are read at once.
const CHUNK: usize = 64 << 10;
/// The most octets of a line: local data with several long records.
const MAX_LINE: usize = 1 << 20;

/// A line that cannot be read.
#[derive(Debug)]
pub(super) enum LineFault {
    /// The stream fails, or is longer than its bound.
    Read(io::Error),
    /// A line is longer than [`MAX_LINE`], or the last one has no end.
    Line(&'static str),
}

/// Lines of a stream without their ends.
pub(super) struct LineStream<R> {
    input: BufReader<HashedStream<R>>,
    line: Vec<u8>,
    /// The number of the current line, from 1.
    pub(super) number: u64,
}

impl<R: Read> LineStream<R> {
    /// The lines of `input`, which has `most` octets at most.
    pub(super) fn new(input: R, most: u64) -> Self {
        let stream = HashedStream { input, hasher: blake3::Hasher::new(), octets: 0, most };
        Self {
            input: BufReader::with_capacity(CHUNK, stream),
            line: Vec::with_capacity(256),
            number: 0,
        }
    }

    /// Reads the next line; false at the end of the stream.
    pub(super) fn advance(&mut self) -> Result<bool, LineFault> {
        self.line.clear();
        loop {
            let chunk = self.input.fill_buf().map_err(LineFault::Read)?;
            if chunk.is_empty() {
                let is_end = self.line.is_empty();
                return if is_end { Ok(false) } else { Err(LineFault::Line("it has no end")) };
            }
            let end = chunk.iter().position(|&octet| octet == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
            if self.line.len() + part.len() > MAX_LINE {
                return Err(LineFault::Line("it is longer than 1 MiB"));
            }
            self.line.extend_from_slice(part);
            let taken = part.len() + usize::from(end.is_some());
            self.input.consume(taken);
            if end.is_some() {
                self.number += 1;
                return Ok(true);
            }
        }
    }

    /// The current line.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// BLAKE3 of all octets that were read; of the whole stream once its end is reached.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.input.get_ref().hasher.finalize()
    }
}

/// A stream that hashes its octets, and fails beyond its bound.
struct HashedStream<R> {
    input: R,
    hasher: blake3::Hasher,
    octets: u64,
    most: u64,
}

impl<R: Read> Read for HashedStream<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(to)?;
        self.octets += count as u64;
        if self.octets > self.most {
            let text = format!("it unpacks to more than {} octets", self.most);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.hasher.update(to.get(..count).unwrap_or(&[]));
        Ok(count)
    }
}
