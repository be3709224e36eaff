//! Packed texts: zstd within bounds of memory.
//!
//! Level 19 is for the publishing host, where a minute does not count and each octet is sent to
//! every school. The window is that of this level, 8 MiB: a longer one gains nothing in sorted text,
//! and a gateway would have to reserve it.

use std::io::{self, BufReader, Read, Write};

/// The window as a power of two: the memory of unpacking, whatever the octets ask for.
const WINDOW: u32 = 23;

/// Packs what is written to it; [`finish`](zstd::Encoder::finish) ends it.
///
/// # Errors
///
/// The error of the library: no memory.
pub fn packer<W: Write>(out: W, level: i32) -> io::Result<zstd::Encoder<'static, W>> {
    let mut packer = zstd::Encoder::new(out, level)?;
    packer.window_log(WINDOW)?;
    packer.include_checksum(true)?;
    Ok(packer)
}

/// Unpacks what is read from it, in the memory of one window. The length of the result has no bound
/// here: readers of lists and differences have one.
///
/// # Errors
///
/// The error of the library: no memory.
pub fn unpacker<R: Read>(input: R) -> io::Result<zstd::Decoder<'static, BufReader<R>>> {
    let mut unpacker = zstd::Decoder::new(input)?;
    unpacker.window_log_max(WINDOW)?;
    Ok(unpacker)
}
