//! `dnsmasq.leases`: a line a lease, written anew at each change.
//!
//! ```text
//! END MAC ADDRESS NAME CLIENT-ID     END: civil seconds, 0 for a lease without end
//! duid ID                            from here on leases of IPv6
//! END IAID ADDRESS NAME DUID         no hardware address: passed over
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::devices::leases::found::{LeaseFault, Leases, mac};

pub(super) fn read(
    lines: &[&str],
    first: usize,
    leases: &mut Leases<'_>,
) -> Result<(), LeaseFault> {
    let mut is_ipv6 = false;
    for (number, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split_ascii_whitespace().take(6).collect();
        let taken = match words[..] {
            [] => Some(()),
            ["duid", _] => {
                is_ipv6 = true;
                Some(())
            }
            [end, _, address, _, _] if is_ipv6 => {
                (is_number(end) && address.parse::<Ipv6Addr>().is_ok()).then_some(())
            }
            [end, hardware, address, _, _] if is_number(end) => {
                let given = address.parse::<Ipv4Addr>().ok().zip(mac(hardware).ok());
                given.map(|(address, mac)| leases.given(IpAddr::V4(address), mac))
            }
            _ => None,
        };
        taken.ok_or(LeaseFault::Line { line: first + number })?;
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}
