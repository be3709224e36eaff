//! The difference of two canonical lists: lines that stay, lines that go, lines that come.
//!
//! ```text
//! lachan delta 1 FROM TO DIGEST-OF-FROM DIGEST-OF-TO
//! =N           the next N lines of the old text stay
//! -N           the next N lines of the old text go
//! +K TEXT      a line comes: K octets of the line before it in the new text, then TEXT
//! ```
//!
//! Both texts are read as streams. Law: applying the difference of two texts to the first gives the
//! second, and anything else is an error: both digests are compared.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use super::MAX_OCTETS;
use super::lines::{LineFault, LineStream};

/// The first word; the number is that of the format.
const HEAD: &str = "lachan delta 1";
/// The most octets of a difference, unpacked: one that is longer saves nothing.
const MAX_DELTA: u64 = MAX_OCTETS;
/// From this line on, a text is in the order of its octets.
const SORTED: [&[u8]; 2] = [b"@rules ", b"@total "];

/// A difference that cannot be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// A text cannot be read or written, or is longer than its bound.
    #[error("{what}: {error}")]
    Stream {
        /// The text.
        what: &'static str,
        /// The error.
        error: io::Error,
    },
    /// A line that no writer writes.
    #[error("the difference is malformed in line {line}: {what}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// The fault.
        what: &'static str,
    },
    /// It is the difference from another text.
    #[error(
        "the difference is from a list with the digest {wanted}, and the list here has {found}"
    )]
    Base {
        /// The digest in the difference.
        wanted: String,
        /// The digest of the list.
        found: String,
    },
    /// The result is not what was published.
    #[error("the list has the digest {found} instead of {wanted} with its difference")]
    Applied {
        /// The digest in the difference.
        wanted: String,
        /// The digest of the result.
        found: String,
    },
}

/// The first line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaHead {
    /// The release that it starts from.
    pub from: u64,
    /// The release that it leads to.
    pub to: u64,
    /// BLAKE3 of the text of `from`.
    pub old: blake3::Hash,
    /// BLAKE3 of the text of `to`.
    pub new: blake3::Hash,
}

/// Writes the difference between the texts of two releases.
///
/// # Errors
///
/// The error of `out`.
pub fn diff(
    old: &[u8],
    new: &[u8],
    (from, to): (u64, u64),
    out: &mut impl Write,
) -> io::Result<()> {
    let digests = [old, new].map(|text| blake3::hash(text).to_hex());
    let [before, after] = &digests;
    writeln!(out, "{HEAD} {from} {to} {before} {after}")?;
    let mut steps = Steps { out, kept: 0, gone: 0, last: b"" };
    let (old, new) = (TextLines::of(old), TextLines::of(new));
    let (old, new) = unsorted(old, new, &mut steps)?;
    sorted(old, new, &mut steps)?;
    steps.flush()?;
    out.flush()
}

/// The rest of a text, line by line, without the ends of lines.
#[derive(Clone, Copy)]
struct TextLines<'a> {
    rest: &'a [u8],
    /// The current group of names.
    group: &'a [u8],
}

impl<'a> TextLines<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { rest: text, group: b"" }
    }

    /// The next line, which stays next.
    fn peek(&self) -> Option<&'a [u8]> {
        (!self.rest.is_empty()).then(|| {
            let end = self.rest.iter().position(|&octet| octet == b'\n');
            self.rest.get(..end.unwrap_or(self.rest.len())).unwrap_or(&[])
        })
    }

    fn pass(&mut self, line: &'a [u8]) {
        if is_sorted(line) {
            self.group = line;
        }
        self.rest = self.rest.get(line.len() + 1..).unwrap_or(&[]);
    }

    /// The order of a line: its group, then the names in it.
    fn key(&self, line: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
        if is_sorted(line) { (line, None) } else { (self.group, Some(line)) }
    }
}

fn is_sorted(line: &[u8]) -> bool {
    SORTED.iter().any(|word| line.starts_with(word))
}

/// The lines before the names: few, and in an order of their own.
fn unsorted<'a, W: Write>(
    mut old: TextLines<'a>,
    mut new: TextLines<'a>,
    steps: &mut Steps<'a, '_, W>,
) -> io::Result<(TextLines<'a>, TextLines<'a>)> {
    let mut counts: HashMap<&'a [u8], usize> = HashMap::new();
    let mut ahead = old;
    while let Some(line) = ahead.peek().filter(|line| !is_sorted(line)) {
        *counts.entry(line).or_default() += 1;
        ahead.pass(line);
    }
    let mut leave = |line: &'a [u8]| {
        let count = counts.entry(line).or_default();
        let is_there = *count > 0;
        *count = count.saturating_sub(1);
        is_there
    };
    while let Some(line) = new.peek().filter(|line| !is_sorted(line)) {
        new.pass(line);
        if !leave(line) {
            steps.comes(line)?;
            continue;
        }
        while let Some(other) = old.peek().filter(|other| *other != line) {
            leave(other);
            steps.goes();
            old.pass(other);
        }
        steps.stays(line)?;
        old.pass(line);
    }
    while let Some(line) = old.peek().filter(|line| !is_sorted(line)) {
        steps.goes();
        old.pass(line);
    }
    Ok((old, new))
}

/// The names: a merge of two texts in order.
fn sorted<'a, W: Write>(
    mut old: TextLines<'a>,
    mut new: TextLines<'a>,
    steps: &mut Steps<'a, '_, W>,
) -> io::Result<()> {
    loop {
        match (old.peek(), new.peek()) {
            (Some(a), Some(b)) => match old.key(a).cmp(&new.key(b)) {
                std::cmp::Ordering::Less => {
                    steps.goes();
                    old.pass(a);
                }
                std::cmp::Ordering::Equal => {
                    steps.stays(b)?;
                    old.pass(a);
                    new.pass(b);
                }
                std::cmp::Ordering::Greater => {
                    steps.comes(b)?;
                    new.pass(b);
                }
            },
            (Some(a), None) => {
                steps.goes();
                old.pass(a);
            }
            (None, Some(b)) => {
                steps.comes(b)?;
                new.pass(b);
            }
            (None, None) => return Ok(()),
        }
    }
}

/// Steps as they are written: of one kind in a row, one line.
struct Steps<'a, 'w, W> {
    out: &'w mut W,
    kept: u64,
    gone: u64,
    /// The last line of the new text.
    last: &'a [u8],
}

impl<'a, W: Write> Steps<'a, '_, W> {
    fn stays(&mut self, line: &'a [u8]) -> io::Result<()> {
        if self.gone > 0 {
            self.flush()?;
        }
        self.kept += 1;
        self.last = line;
        Ok(())
    }

    fn goes(&mut self) {
        self.gone += 1;
    }

    fn comes(&mut self, line: &'a [u8]) -> io::Result<()> {
        self.flush()?;
        let shared = self.last.iter().zip(line).take_while(|(a, b)| a == b).count();
        write!(self.out, "+{shared} ")?;
        self.out.write_all(line.get(shared..).unwrap_or(&[]))?;
        self.out.write_all(b"\n")?;
        self.last = line;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        for (sign, count) in [('=', &mut self.kept), ('-', &mut self.gone)] {
            if *count > 0 {
                writeln!(self.out, "{sign}{count}")?;
                *count = 0;
            }
        }
        Ok(())
    }
}

/// Applies a difference to the text `old`, both of them unpacked, and writes the new text of `most`
/// octets at most.
///
/// # Errors
///
/// Any [`DeltaError`]; what was written to `out` is worth nothing then.
pub fn apply(
    old: impl Read,
    delta: impl Read,
    most: u64,
    out: &mut impl Write,
) -> Result<DeltaHead, DeltaError> {
    let mut delta = LineStream::new(delta, MAX_DELTA);
    let mut text = NewText {
        old: LineStream::new(old, MAX_OCTETS),
        out,
        last: Vec::new(),
        hasher: blake3::Hasher::new(),
        octets: 0,
        most: most.min(MAX_OCTETS),
    };
    let malformed = |line, what| DeltaError::Malformed { line, what };
    let advance = |delta: &mut LineStream<_>| match delta.advance() {
        Ok(more) => Ok(more),
        Err(LineFault::Line(what)) => Err(malformed(delta.number, what)),
        Err(LineFault::Read(error)) => Err(DeltaError::Stream { what: "the difference", error }),
    };
    let head = if advance(&mut delta)? { head(delta.line()) } else { None };
    let head = head.ok_or(malformed(1, "it is no difference of format 1"))?;
    while advance(&mut delta)? {
        let number = delta.number;
        let (sign, step) = delta.line().split_first().unwrap_or((&b' ', &[]));
        let wrong = || malformed(number, "not a step");
        match sign {
            b'=' => text.stay(count(step).ok_or_else(wrong)?)?,
            b'-' => text.go(count(step).ok_or_else(wrong)?)?,
            b'+' => {
                let space = step.iter().position(|&octet| octet == b' ').ok_or_else(wrong)?;
                let (shared, rest) = step.split_at(space);
                let shared = number_of(shared).ok_or_else(wrong)?;
                text.come(shared, rest.get(1..).unwrap_or(&[])).ok_or_else(wrong)??;
            }
            _ => return Err(wrong()),
        }
    }
    text.finish(&head)?;
    Ok(head)
}

/// Reads the first line.
fn head(line: &[u8]) -> Option<DeltaHead> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix(HEAD)?.strip_prefix(' ')?;
    let mut words = line.split(' ');
    let mut serial = || number_of(words.next()?.as_bytes());
    let (from, to) = (serial()?, serial()?);
    let mut digest = || blake3::Hash::from_hex(words.next()?).ok();
    let (old, new) = (digest()?, digest()?);
    words.next().is_none().then_some(DeltaHead { from, to, old, new })
}

fn number_of(digits: &[u8]) -> Option<u64> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// A count of lines, which is never 0.
fn count(digits: &[u8]) -> Option<u64> {
    number_of(digits).filter(|count| *count > 0)
}

/// The new text as it grows.
struct NewText<'w, R, W> {
    old: LineStream<R>,
    out: &'w mut W,
    last: Vec<u8>,
    hasher: blake3::Hasher,
    octets: u64,
    most: u64,
}

impl<R: Read, W: Write> NewText<'_, R, W> {
    fn advance(&mut self) -> Result<bool, DeltaError> {
        let what = "the list before";
        self.old.advance().map_err(|fault| match fault {
            LineFault::Read(error) => DeltaError::Stream { what, error },
            LineFault::Line(text) => DeltaError::Stream { what, error: io::Error::other(text) },
        })
    }

    /// The next line of the old text, which must be there.
    fn next(&mut self) -> Result<(), DeltaError> {
        if self.advance()? {
            return Ok(());
        }
        let error = io::Error::from(io::ErrorKind::UnexpectedEof);
        Err(DeltaError::Stream { what: "the list before", error })
    }

    fn stay(&mut self, count: u64) -> Result<(), DeltaError> {
        for _ in 0..count {
            self.next()?;
            self.last.clear();
            self.last.extend_from_slice(self.old.line());
            self.put()?;
        }
        Ok(())
    }

    fn go(&mut self, count: u64) -> Result<(), DeltaError> {
        (0..count).try_for_each(|_| self.next())
    }

    /// `None` where the line before has fewer octets than are shared.
    fn come(&mut self, shared: u64, rest: &[u8]) -> Option<Result<(), DeltaError>> {
        let shared = usize::try_from(shared).ok().filter(|shared| *shared <= self.last.len())?;
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
        Some(self.put())
    }

    /// Writes the last line.
    fn put(&mut self) -> Result<(), DeltaError> {
        self.last.push(b'\n');
        self.octets += self.last.len() as u64;
        let failed = |error| DeltaError::Stream { what: "the new list", error };
        if self.octets > self.most {
            let text = format!("it unpacks to more than {} octets", self.most);
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, text)));
        }
        self.hasher.update(&self.last);
        self.out.write_all(&self.last).map_err(failed)?;
        self.last.pop();
        Ok(())
    }

    /// Compares both digests.
    fn finish(mut self, head: &DeltaHead) -> Result<(), DeltaError> {
        // An old text that goes on is another one.
        while self.advance()? {}
        let hex = |hash: blake3::Hash| hash.to_hex().to_string();
        if self.old.digest() != head.old {
            let (wanted, found) = (hex(head.old), hex(self.old.digest()));
            return Err(DeltaError::Base { wanted, found });
        }
        let found = self.hasher.finalize();
        if found != head.new {
            return Err(DeltaError::Applied { wanted: hex(head.new), found: hex(found) });
        }
        self.out.flush().map_err(|error| DeltaError::Stream { what: "the new list", error })
    }
}
