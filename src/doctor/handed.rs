//! What a network hands out: resolvers in leases of DHCP clients, and in resolv.conf.
//!
//! | file | of |
//! |---|---|
//! | `/run/systemd/netif/leases/N` | systemd-networkd: `KEY=value`, addresses with blanks between |
//! | `/var/lib/NetworkManager/internal-….lease` | `NetworkManager`: the same form |
//! | `/var/lib/dhcp/dhclient….leases` | ISC dhclient: `lease { option …; }`, the last one is in use |
//! | `/var/lib/dhcpcd/….lease` | dhcpcd: the DHCP message itself (RFC 2131 §2) |
//!
//! Law: octets of a lease come from a network; none of them is a panic, and what cannot be parsed
//! names no resolver.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// What one lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// The file.
    pub path: PathBuf,
    /// The address that this machine got.
    pub address: Option<Ipv4Addr>,
    /// The DHCP server.
    pub server: Option<Ipv4Addr>,
    /// The resolvers.
    pub resolvers: Vec<IpAddr>,
}

/// The form of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseForm {
    /// `KEY=value`.
    Keys,
    /// ISC dhclient.
    Dhclient,
    /// A DHCP message.
    Message,
}

/// The lease in a file of a form; none where it has no lease.
pub(super) fn lease(path: &Path, form: LeaseForm, octets: &[u8]) -> Option<HandedOut> {
    let text = String::from_utf8_lossy(octets);
    let (address, server, resolvers) = match form {
        LeaseForm::Keys => of_keys(&text),
        LeaseForm::Dhclient => of_dhclient(&text),
        LeaseForm::Message => of_message(octets)?,
    };
    if address.is_none() && resolvers.is_empty() {
        return None;
    }
    Some(HandedOut { path: path.to_owned(), address, server, resolvers })
}

/// Address of this machine, address of the server, resolvers.
type Parts = (Option<Ipv4Addr>, Option<Ipv4Addr>, Vec<IpAddr>);

fn of_keys(text: &str) -> Parts {
    let value =
        |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
    let address = |key: &str| value(key).and_then(|text| text.trim().parse().ok());
    let each = value("DNS").unwrap_or_default().split_ascii_whitespace();
    (address("ADDRESS"), address("SERVER_ADDRESS"), addresses(each))
}

fn of_dhclient(text: &str) -> Parts {
    let last = text.rsplit("lease {").next().filter(|_| text.contains("lease {"));
    let last = last.unwrap_or_default();
    let value = |key: &str| {
        let line = |line: &str| {
            Some(line.trim().strip_prefix(key)?.trim().trim_end_matches(';').to_owned())
        };
        last.lines().find_map(line)
    };
    let address = |key: &str| value(key).and_then(|text| text.parse().ok());
    let resolvers = value("option domain-name-servers ").unwrap_or_default();
    let resolvers = addresses(resolvers.split(',').map(str::trim));
    (address("fixed-address "), address("option dhcp-server-identifier "), resolvers)
}

/// A DHCP message: `yiaddr` at 16, the magic cookie at 236, options behind it (RFC 2131 §2, RFC 2132).
fn of_message(octets: &[u8]) -> Option<Parts> {
    const COOKIE: [u8; 4] = [99, 130, 83, 99];
    const END: u8 = 255;
    const SERVERS: u8 = 6;
    const IDENTIFIER: u8 = 54;
    let four = |octets: &[u8]| <[u8; 4]>::try_from(octets).ok().map(Ipv4Addr::from);
    let address = four(octets.get(16..20)?).filter(|ip| !ip.is_unspecified());
    let mut rest = octets.get(236..)?.strip_prefix(&COOKIE)?;
    let (mut server, mut resolvers) = (None, Vec::new());
    while let [code, behind @ ..] = rest {
        rest = match *code {
            0 => behind,
            END => break,
            code => {
                let (length, behind) = behind.split_first()?;
                let (data, behind) = behind.split_at_checked(usize::from(*length))?;
                match code {
                    SERVERS => {
                        resolvers.extend(data.chunks_exact(4).filter_map(four).map(IpAddr::V4));
                    }
                    IDENTIFIER => server = four(data),
                    _ => {}
                }
                behind
            }
        };
    }
    Some((address, server, resolvers))
}

/// The resolvers of resolv.conf(5), and of the files of systemd-networkd that have RA's: `DNS=`.
pub(super) fn told(text: &str) -> Vec<IpAddr> {
    let value = |line: &str| {
        let line = line.trim();
        let rest = line.strip_prefix("nameserver").filter(|rest| rest.starts_with([' ', '\t']));
        rest.or_else(|| line.strip_prefix("DNS=")).map(str::to_owned)
    };
    let values: Vec<String> = text.lines().filter_map(value).collect();
    addresses(values.iter().flat_map(|value| value.split_ascii_whitespace()))
}

/// Addresses, each once; an interface behind `%` and a name behind `#` do not matter.
fn addresses<'a>(each: impl Iterator<Item = &'a str>) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for text in each {
        let bare = text.split(['%', '#']).next().unwrap_or_default();
        if let Ok(ip) = bare.trim_matches(['[', ']']).parse::<IpAddr>()
            && !found.contains(&ip)
        {
            found.push(ip);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(
        form: LeaseForm,
        octets: &[u8],
    ) -> Option<(Option<String>, Option<String>, Vec<String>)> {
        let found = lease(Path::new("l"), form, octets)?;
        let text = |ip: Option<Ipv4Addr>| ip.map(|ip| ip.to_string());
        let each = found.resolvers.iter().map(ToString::to_string).collect();
        Some((text(found.address), text(found.server), each))
    }

    fn expected(resolvers: &[&str]) -> (Option<String>, Option<String>, Vec<String>) {
        let each = resolvers.iter().map(|one| (*one).to_owned()).collect();
        (Some("192.168.1.5".into()), Some("192.168.1.1".into()), each)
    }

    #[test]
    fn leases_of_four_clients_say_the_same() {
        let networkd = "# This is private data. Do not parse.\nADDRESS=192.168.1.5\nNETMASK=255.255.255.0\n\
                        ROUTER=192.168.1.1\nSERVER_ADDRESS=192.168.1.1\nDNS=192.168.1.1 203.113.131.1\n";
        let both = Some(expected(&["192.168.1.1", "203.113.131.1"]));
        assert_eq!(parsed(LeaseForm::Keys, networkd.as_bytes()), both);
        let dhclient = "lease {\n  interface \"eth0\";\n  fixed-address 192.168.1.9;\n  \
                        option domain-name-servers 8.8.8.8;\n}\nlease {\n  interface \"eth0\";\n  \
                        fixed-address 192.168.1.5;\n  option dhcp-server-identifier 192.168.1.1;\n  \
                        option domain-name-servers 192.168.1.1,203.113.131.1;\n  renew 3 2026/11/25 01:00:00;\n}\n";
        assert_eq!(parsed(LeaseForm::Dhclient, dhclient.as_bytes()), both);
        let mut message = vec![0; 236];
        message[16..20].copy_from_slice(&[192, 168, 1, 5]);
        message.extend([99, 130, 83, 99, 53, 1, 5, 0, 54, 4, 192, 168, 1, 1]);
        message.extend([6, 8, 192, 168, 1, 1, 203, 113, 131, 1, 255, 9]);
        assert_eq!(parsed(LeaseForm::Message, &message), both);
        assert_eq!(parsed(LeaseForm::Message, &message[..message.len() - 6]), None);
        assert_eq!(parsed(LeaseForm::Dhclient, b"# nothing yet\n"), None);
    }

    #[test]
    fn resolvers_are_read_with_interfaces_and_names_behind_them() {
        let text = "# Generated by NetworkManager\nsearch lan\nnameserver fe80::1%eth0\n\
                    nameserver\t192.168.1.1\nnameservers 9.9.9.9\nnameserver 192.168.1.1\n";
        let found: Vec<_> = told(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["fe80::1", "192.168.1.1"]);
        let link = "ADMIN_STATE=configured\nDNS=fd00::1 2001:db8::1#dns.example\n";
        let found: Vec<_> = told(link).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["fd00::1", "2001:db8::1"]);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
            for form in [LeaseForm::Keys, LeaseForm::Dhclient, LeaseForm::Message] {
                let _ = lease(Path::new("l"), form, &octets);
            }
            let _ = told(&String::from_utf8_lossy(&octets));
        }
    }
}
