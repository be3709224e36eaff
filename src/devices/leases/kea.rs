//! `kea-leases4.csv`, `kea-leases6.csv`: Kea's memfile, a row appended at each change.
//!
//! The head names the columns, which differ between versions. A comma within a value is written
//! `&#x2c`, so that a comma always divides. A row with the lifetime 0 takes the lease back; state 0 is
//! one in use.

use std::net::IpAddr;

use crate::devices::leases::found::{LeaseFault, Leases, mac};

/// The most columns of a row.
const MOST_COLUMNS: usize = 64;

pub(super) fn read(
    lines: &[&str],
    first: usize,
    leases: &mut Leases<'_>,
) -> Result<(), LeaseFault> {
    let Some((head, rows)) = lines.split_first() else { return Ok(()) };
    let head: Vec<&str> = head.split(',').take(MOST_COLUMNS).collect();
    let column = |name: &str| head.iter().position(|one| *one == name);
    let (Some(hardware), Some(lifetime), Some(state)) =
        (column("hwaddr"), column("valid_lifetime"), column("state"))
    else {
        return Err(LeaseFault::Line { line: first });
    };
    let kind = column("lease_type");
    for (number, row) in rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
        let cells: Vec<&str> = row.split(',').take(MOST_COLUMNS).collect();
        let read = || {
            // A version that knows more columns may have written below an older head.
            if cells.len() < head.len() {
                return None;
            }
            let address: IpAddr = cells.first()?.parse().ok()?;
            let mac = match *cells.get(hardware)? {
                "" => None,
                text => mac(text).ok()?,
            };
            let lifetime: u64 = cells.get(lifetime)?.parse().ok()?;
            let is_in_use = *cells.get(state)? == "0" && lifetime > 0;
            // A prefix (IA_PD) is no address of the device.
            let is_address = kind.and_then(|kind| cells.get(kind)).is_none_or(|kind| *kind != "2");
            Some((address, mac, is_in_use, is_address))
        };
        let (address, mac, is_in_use, is_address) =
            read().ok_or(LeaseFault::Line { line: first + 1 + number })?;
        match () {
            () if !is_address => {}
            () if is_in_use => leases.given(address, mac),
            () => leases.returned(address),
        }
    }
    Ok(())
}
