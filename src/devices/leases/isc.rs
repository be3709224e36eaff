//! `dhcpd.leases` of ISC dhcpd: a block appended at each change, a statement a line.
//!
//! ```text
//! lease 10.20.0.5 {
//!   binding state active;
//!   hardware ethernet a0:36:9f:00:00:01;
//! }
//! ```
//!
//! Other blocks, also those within a lease, are passed over. What has no `binding state` is in use.

use std::net::{IpAddr, Ipv4Addr};

use crate::devices::leases::found::{LeaseFault, Leases, mac};
use crate::policy::Mac;

/// How a file can begin, behind its comments.
pub(super) const WORDS: &[&str] = &[
    "lease ",
    "authoring-byte-order ",
    "server-duid ",
    "failover ",
    "ia-na ",
    "ia-ta ",
    "ia-pd ",
    "host ",
    "group ",
    "default-duid ",
];

/// The lease of the block that is read.
struct Block {
    address: IpAddr,
    mac: Option<Mac>,
    is_in_use: bool,
}

pub(super) fn read(
    lines: &[&str],
    first: usize,
    leases: &mut Leases<'_>,
) -> Result<(), LeaseFault> {
    let mut depth = 0_usize;
    let mut block: Option<Block> = None;
    for (number, line) in lines.iter().enumerate() {
        let fault = LeaseFault::Line { line: first + number };
        let line = line.trim();
        if line == "}" {
            depth = depth.checked_sub(1).ok_or(fault)?;
            if depth > 0 {
                continue;
            }
            match block.take() {
                Some(Block { address, mac, is_in_use: true }) => leases.given(address, mac),
                Some(Block { address, .. }) => leases.returned(address),
                None => {}
            }
        } else if let Some(opened) = line.strip_suffix('{') {
            if depth == 0
                && let Some(address) = opened.strip_prefix("lease ")
            {
                let address: Ipv4Addr = address.trim().parse().map_err(|_| fault)?;
                block = Some(Block { address: address.into(), mac: None, is_in_use: true });
            }
            depth += 1;
        } else if let (1, Some(block)) = (depth, &mut block) {
            statement(line, block).ok_or(fault)?;
        }
    }
    Ok(())
}

/// A statement of a lease; none where it says something that cannot be read.
fn statement(line: &str, block: &mut Block) -> Option<()> {
    if let Some(state) = line.strip_prefix("binding state ") {
        block.is_in_use = state == "active;";
    } else if let Some(hardware) = line.strip_prefix("hardware ") {
        let (kind, address) = hardware.strip_suffix(';')?.split_once(' ')?;
        let read = mac(address.trim()).ok()?;
        block.mac = read.filter(|_| kind == "ethernet");
    } else if line == "abandoned;" {
        block.is_in_use = false;
    }
    Some(())
}
