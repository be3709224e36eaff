//! Files as memory: read whole, then mapped.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memmap2::{Mmap, UncheckedAdvice};

/// Octets of one call that would be long otherwise. A thread of low priority yields between calls:
/// a kernel may run a call to its end, for milliseconds, before it runs other threads.
pub const PIECE: usize = 256 << 10;

/// Maps a file read-only. Law: nothing may write to the file while it is mapped. That holds for
/// a file of the state directory that this program wrote: it is written under another name,
/// renamed, and from then on only removed. It holds for a finished file before its renaming too.
///
/// All of it is read first: what a worn card cannot read is an error here. At a look-up it would be a
/// signal that ends the program (SIGBUS), and at each start again.
///
/// # Errors
///
/// The error of the system, or that the file is cut while it is read.
pub fn map(file: &File) -> io::Result<Mapped> {
    let (mut piece, mut place) = (vec![0; PIECE], 0);
    let length = file.metadata()?.len();
    while place < length {
        match file.read_at(&mut piece, place) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(taken) => place += taken as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    map_readable(file)
}

#[expect(unsafe_code, reason = "what a mapping shows is the file's, which Rust cannot watch")]
fn map_readable(file: &File) -> io::Result<Mapped> {
    // SAFETY: the octets must not change while the mapping exists. Only this program uses the
    // state directory (mode 0700), and it replaces files there and never writes into them. If
    // another program does, a changed octet gives a wrong answer and no access out of bounds:
    // readers of packs use every number through checked slices.
    unsafe { Mmap::map(file) }.map(Mapped)
}

/// A read-only mapping of a file. Its pages are released a piece at a time.
#[derive(Debug)]
pub struct Mapped(Mmap);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Mapped {
    #[expect(unsafe_code, reason = "pages can be given back under a reader's feet")]
    fn drop(&mut self) {
        let length = self.0.len();
        for place in (0..length).step_by(PIECE) {
            let piece = PIECE.min(length - place);
            // SAFETY: a read-only mapping of a file that nobody writes, at its last owner;
            // MADV_DONTNEED only drops clean pages, which would be read again from the file.
            let _ =
                unsafe { self.0.unchecked_advise_range(UncheckedAdvice::DontNeed, place, piece) };
        }
    }
}
