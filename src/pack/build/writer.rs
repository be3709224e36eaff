//! Section writer: sections in sequence, hashed while written.

use std::io::{self, Seek, SeekFrom, Write};

use crate::pack::format::{ALIGN, Header, Row, Section};

/// Octets buffered before they are hashed and written.
const GATHERED: usize = 256 << 10;

/// Writes the sections of a pack, in any order; the front comes last.
pub(crate) struct SectionWriter<W> {
    out: W,
    at: u64,
    gathered: Vec<u8>,
    hasher: blake3::Hasher,
    open: Option<(Section, u64)>,
    rows: Vec<Option<Row>>,
}

impl<W: Write + Seek> SectionWriter<W> {
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&[0; Section::FRONT])?;
        Ok(Self {
            out,
            at: Section::FRONT as u64,
            gathered: Vec::with_capacity(GATHERED + 4096),
            hasher: blake3::Hasher::new(),
            open: None,
            rows: vec![None; Section::ALL.len()],
        })
    }

    /// Starts a section.
    pub(crate) fn begin(&mut self, section: Section) -> io::Result<()> {
        let start = self.at.next_multiple_of(ALIGN);
        let gap = vec![0; (start - self.at) as usize];
        self.out.write_all(&gap)?;
        self.at = start;
        self.hasher = blake3::Hasher::new();
        self.open = Some((section, start));
        Ok(())
    }

    /// Adds to the section that was started last.
    pub(crate) fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.gathered.extend_from_slice(octets);
        if self.gathered.len() >= GATHERED { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hasher.update(&self.gathered);
        self.out.write_all(&self.gathered)?;
        self.at += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }

    /// Ends the section.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        if let Some((section, start)) = self.open.take()
            && let Some(row) = self.rows.get_mut(section.place())
        {
            let hash = *self.hasher.finalize().as_bytes();
            *row = Some(Row { octets: start as usize..self.at as usize, hash });
        }
        Ok(())
    }

    /// Writes a whole section.
    pub(crate) fn section(&mut self, section: Section, octets: &[u8]) -> io::Result<()> {
        self.begin(section)?;
        self.put(octets)?;
        self.end()
    }

    /// Writes the front, once every section is there.
    pub(crate) fn finish(mut self, mut header: Header) -> io::Result<(W, Header)> {
        for section in Section::ALL {
            if self.rows.get(section.place()).is_none_or(Option::is_none) {
                self.section(section, &[])?;
            }
        }
        let rows: Vec<Row> = self.rows.iter().flatten().cloned().collect();
        header.digest = Header::digest_of(header.seed, &rows);
        header.file_length = self.at;
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header.write(&rows))?;
        self.out.seek(SeekFrom::Start(self.at))?;
        self.out.flush()?;
        Ok((self.out, header))
    }
}
