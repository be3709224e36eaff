//! Lease files of DHCP servers: which address was given to which hardware address.
//!
//! ```text
//! dnsmasq     1765000000 a0:36:9f:00:00:01 10.20.0.5 host id       a line a lease
//! Kea         address,hwaddr,…                                      CSV, appended to
//! ISC dhcpd   lease 10.20.0.5 { … hardware ethernet …; }            blocks, appended to
//! ```
//!
//! Which of them a file is shows in its first line that says something. Of several records of an address
//! the last counts. When a lease ends is not looked at: until the address is given anew nobody else has
//! it, and no clock is needed. A line that is not whole yet, the last one, is left for the next reading.
//!
//! Law: a file that is not understood is refused whole. Absent on purpose: IPv6 leases of dnsmasq and of
//! ISC dhcpd, which have no hardware address (RFC 8415 §11: a DUID must not be read as one).

mod dnsmasq;
mod found;
mod isc;
mod kea;

use found::MOST;
pub use found::{LeaseFault, Leases};

/// What a format makes of the complete lines of a file, of which the first has this number.
type ReadLines = fn(&[&str], usize, &mut Leases<'_>) -> Result<(), LeaseFault>;

/// Reads the octets of a file, after those of the files before it.
///
/// # Errors
///
/// [`LeaseFault`]; what was read before is mixed with part of the file then.
pub fn read(octets: &[u8], leases: &mut Leases<'_>) -> Result<(), LeaseFault> {
    let text = String::from_utf8_lossy(octets);
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines: Vec<&str> = complete.lines().collect();
    let says = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let Some(first) = lines.iter().position(says) else { return Ok(()) };
    let read_lines = format_of(lines[first]).ok_or(LeaseFault::Format)?;
    read_lines(&lines[first..], first + 1, leases)?;
    if leases.len() > MOST { Err(LeaseFault::TooMany) } else { Ok(()) }
}

fn format_of(line: &str) -> Option<ReadLines> {
    let is_statement = |word: &str| line.starts_with(word);
    if line.starts_with("address,") {
        Some(kea::read)
    } else if line.starts_with(|first: char| first.is_ascii_digit()) || is_statement("duid ") {
        Some(dnsmasq::read)
    } else if isc::WORDS.iter().any(|word| is_statement(word)) {
        Some(isc::read)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::Mac;

    const ONE: &str = "a0:36:9f:00:00:01";
    const TWO: &str = "a0:36:9f:00:00:02";

    fn read(texts: &[&str]) -> Result<Vec<String>, LeaseFault> {
        let wanted: [Mac; 2] = [ONE.parse().unwrap(), TWO.parse().unwrap()];
        let is_wanted = |mac| wanted.contains(&mac);
        let mut leases = Leases::of(&is_wanted);
        for text in texts {
            super::read(text.as_bytes(), &mut leases)?;
        }
        let found = leases.into_found();
        let mut shown: Vec<String> = found.iter().map(|(a, mac)| format!("{a} {mac}")).collect();
        shown.sort();
        Ok(shown)
    }

    #[test]
    fn dnsmasq_has_a_line_for_each_lease() {
        let text = "1765000000 a0:36:9f:00:00:01 10.20.0.5 may-1 01:a0:36:9f:00:00:01\n\
                    0 a0:36:9f:00:00:09 10.20.0.6 * *\n\
                    1765000000 06-a0:36:9f:00:00:02 10.20.0.7 * *\n\
                    1765000000 a0:36:9f:00:00:02 10.20.0.8 * *\n\
                    duid 00:01:00:01:2c:a0:36:9f\n\
                    1765000000 10485761 2001:db8::5 may-1 00:01:00:01\n\
                    1765000000 T10485762 2001:db8::6 may-1 00:01:00:01\n\
                    1765000000 a0:36:9f:00:00:01 10.20.0.9 ha";
        let found = ["10.20.0.5 a0:36:9f:00:00:01", "10.20.0.8 a0:36:9f:00:00:02"];
        assert_eq!(read(&[text]).unwrap(), found);
        for (odd, line) in [
            ("1765000000 a0:36:9f:00:00:01 10.20.0.5 * *\n1765000000 a0:36\n", 2),
            ("1765000000 a0:36:9f:00:00:01 10.20.0.555 * *\n", 1),
            ("17650x a0:36:9f:00:00:01 10.20.0.5 * *\n", 1),
        ] {
            assert_eq!(read(&[odd]), Err(LeaseFault::Line { line }), "{odd}");
        }
    }

    #[test]
    fn kea_appends_and_the_last_row_of_an_address_counts() {
        let head4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,\
                     hostname,state,user_context,pool_id\n";
        let rows4 = "10.20.0.5,a0:36:9f:00:00:01,01:aa,3600,1765000000,1,0,0,may-1,0,,0\n\
                     10.20.0.6,a0:36:9f:00:00:01,,3600,1765000000,1,0,0,,0,,0\n\
                     10.20.0.6,a0:36:9f:00:00:01,,0,1765000000,1,0,0,,0,,0\n\
                     10.20.0.7,a0:36:9f:00:00:02,,3600,1765000000,1,0,0,,2,,0\n\
                     10.20.0.8,,,3600,1765000000,1,0,0,,1,,0\n\
                     10.20.0.5,a0:36:9f:00:00:02,01:aa,3600,1765000000,1,0,0,may-2,0,,0\n\
                     10.20.0.5,a0:36:9f:00:00:01,01:aa,3600,1765000000,1,0,0,ma";
        let text = format!("{head4}{rows4}");
        assert_eq!(read(&[&text]).unwrap(), ["10.20.0.5 a0:36:9f:00:00:02"]);
        // The file of before a clean-up comes first.
        let before = format!("{head4}10.20.0.9,{ONE},,3600,1765000000,1,0,0,,0,,0\n");
        let found = ["10.20.0.5 a0:36:9f:00:00:02", "10.20.0.9 a0:36:9f:00:00:01"];
        assert_eq!(read(&[&before, &text]).unwrap(), found);
        let text6 = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                     prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,\
                     hwaddr_source,pool_id\n\
                     2001:db8::5,00:01,4000,1765000000,1,3000,0,1,128,0,0,,a0:36:9f:00:00:01,0,,1,2,0\n\
                     2001:db8:5::,00:01,4000,1765000000,1,3000,2,1,64,0,0,,a0:36:9f:00:00:01,0,,1,2,0\n";
        assert_eq!(read(&[text6]).unwrap(), ["2001:db8::5 a0:36:9f:00:00:01"]);
        let odd = format!("{head4}10.20.0.5,a0:36:9f:00:00:01,01:aa\n");
        assert_eq!(read(&[&odd]), Err(LeaseFault::Line { line: 2 }));
        assert_eq!(read(&["address,subnet\n10.0.0.1,1\n"]), Err(LeaseFault::Line { line: 1 }));
    }

    #[test]
    fn dhcpd_has_blocks_and_the_last_one_of_an_address_counts() {
        let lease = |address: &str, state: &str, mac: &str| {
            format!(
                "lease {address} {{\n  starts 4 2026/11/26 07:00:00;\n  binding state {state};\n  \
                 next binding state free;\n  hardware ethernet {mac};\n  uid \"\\001x;}}\";\n  \
                 on expiry {{\n    log (info, \"}}\");\n  }}\n  client-hostname \"may {{\";\n}}\n"
            )
        };
        let head = "# The format of this file is documented in the dhcpd.leases(5) manual page.\n\
                    authoring-byte-order little-endian;\n\nserver-duid \"\\000\\001{\";\n";
        let text = [
            head.to_owned(),
            lease("10.20.0.5", "active", ONE),
            lease("10.20.0.6", "active", ONE),
            lease("10.20.0.6", "free", ONE),
            "failover peer \"f\" state {\n  my state normal at 4 2026/11/26 07:00:00;\n}\n".into(),
            "ia-na \"\\001\" {\n  cltt 4 2026/11/26 07:00:00;\n  iaaddr 2001:db8::5 {\n    \
             binding state active;\n  }\n}\n"
                .into(),
            lease("10.20.0.5", "active", TWO),
        ]
        .concat();
        assert_eq!(read(&[&text]).unwrap(), ["10.20.0.5 a0:36:9f:00:00:02"]);
        // A block without an end is being written.
        let half = lease("10.20.0.5", "active", ONE);
        let half = format!("{text}{}", half.trim_end().trim_end_matches('}'));
        assert_eq!(read(&[&half]).unwrap(), ["10.20.0.5 a0:36:9f:00:00:02"]);
        let line = head.lines().count() + 1;
        for odd in ["lease ten {\n}\n", "lease 10.20.0.5 {\n  hardware ethernet x;\n}\n", "}\n"] {
            let fault = read(&[&format!("{head}{odd}")]).unwrap_err();
            let more = usize::from(odd.contains("hardware"));
            assert_eq!(fault, LeaseFault::Line { line: line + more }, "{odd}");
        }
    }

    #[test]
    fn an_empty_file_has_no_leases_and_another_kind_of_file_is_refused() {
        assert_eq!(read(&["", "\n\n", "# nothing yet\n", "127.0.0"]).unwrap(), [""; 0]);
        for odd in ["<!DOCTYPE html>\n", "[listen]\n", "\0\0\0\0\n", "PK\u{3}\u{4}\n"] {
            assert_eq!(read(&[odd]), Err(LeaseFault::Format), "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_judged(octets: Vec<u8>) {
            let _ = super::read(&octets, &mut Leases::of(&|_| true));
        }

        #[test]
        fn any_lines_are_judged(lines in proptest::collection::vec(
            "(lease 10\\.0\\.0\\.1 \\{|\\}|address,hwaddr,valid_lifetime,state|1 a0:36:9f:00:00:01 10\\.0\\.0\\.2 \\* \\*|10\\.0\\.0\\.1,[a-f0-9:]{0,20},1,0|duid x|hardware ethernet [0-9a-f:]{0,20};|[ -~]{0,30})", 0..12)
        ) {
            let text = lines.join("\n") + "\n";
            let _ = super::read(text.as_bytes(), &mut Leases::of(&|_| true));
        }
    }
}
