//! Crowds: many connections, many queries on one, and clients that take no replies.

mod admin;
mod memory;
mod pipelined;
mod places;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::ask::{connect, framed, read_framed};
use crate::support::{Ask, Canned, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream};

/// Two groups with more keys in `[listen]`.
fn gateway_listening(keys: &str, upstream: &Upstream) -> Gateway {
    let config = TWO_GROUPS.replace("[listen]\n", &format!("[listen]\n{keys}\n"));
    Gateway::plan(&(config + TWO_PROFILES)).upstream(upstream).start()
}

/// A connection from an address.
fn from(address: &str, gateway: &Gateway) -> TcpStream {
    connect(address.parse().unwrap(), gateway.dns)
}

/// Whether a query on this connection is answered.
fn is_answered(stream: &mut TcpStream) -> bool {
    stream.write_all(&framed(&Ask::new("good.example", "A").to_wire())).is_ok()
        && read_framed(stream).is_some()
}

/// Whether the gateway has closed the connection within `limit`.
fn is_closed_within(stream: &TcpStream, limit: Duration) -> bool {
    stream.set_read_timeout(Some(limit)).unwrap();
    match (&mut &*stream).read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// A TXT answer of 61,000 octets for a name, by TCP only.
fn long_answer(name: &str) -> Canned {
    let line = |number| format!("{name}. 300 TXT \"{number:0>250}\"");
    Canned { answer: (0..230).map(line).collect(), truncates_udp: true, ..Canned::default() }
}

/// The resident memory of a gateway, in KiB.
fn resident(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Seconds of processor time that a gateway has used.
fn cpu(gateway: &Gateway) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", gateway.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // utime and stime, in hundredths.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
