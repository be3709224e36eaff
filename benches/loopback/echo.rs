//! Sends each datagram back: what the kernel's way of a datagram costs, and so the limit of a
//! server. With `--answer` it is an upstream instead, which has an address for every name, but for
//! those below `nobody-answers.org` with `--answer-some`.
//!
//! ```text
//! echo PORT [--one-by-one] [--answer | --answer-some]
//! ```
//!
//! The same system calls as the workers of `lachan serve`, with nothing between them.
#![expect(clippy::unwrap_used, reason = "a program of the benchmarks")]

use lachan::serve::listener::udp::open;
use lachan::serve::listener::udp_batch::Batch;

/// The label of names that get no answer.
const SILENT: &[u8] = b"\x0enobody-answers";
/// `@ 3600 A 192.0.2.1`
const ADDRESS: [u8; 16] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port: u16 = arguments.first().and_then(|port| port.parse().ok()).unwrap_or(5399);
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let socket = open(([127, 0, 0, 1], port).into()).unwrap();
    if has("--one-by-one") {
        let mut buffer = [0; 4096];
        loop {
            if let Ok((length, client)) = socket.recv_from(&mut buffer) {
                buffer[2] |= 0x80;
                let _ = socket.send_to(&buffer[..length], client);
            }
        }
    }
    let is_choosy = has("--answer-some");
    let is_upstream = has("--answer") || is_choosy;
    let mut batch = Batch::new(false);
    loop {
        if batch.receive(&socket, true).is_err() {
            continue;
        }
        batch.answer(|_, query, _, out| {
            if is_choosy && query.windows(SILENT.len()).any(|w| w.eq_ignore_ascii_case(SILENT)) {
                return None;
            }
            out.get_mut(..query.len())?.copy_from_slice(query);
            *out.get_mut(2)? |= 0x80;
            if is_upstream { answer(query, out) } else { Some(query.len()) }
        });
        batch.send(&socket);
    }
}

/// An address for the name asked for; the length of the reply.
fn answer(query: &[u8], out: &mut [u8]) -> Option<usize> {
    let name = query.get(12..)?.iter().position(|&octet| octet == 0)?;
    let end = 12 + name + 5;
    out.get_mut(end..end + ADDRESS.len())?.copy_from_slice(&ADDRESS);
    // One answer, and no OPT.
    out.get_mut(6..12)?.copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    Some(end + ADDRESS.len())
}
