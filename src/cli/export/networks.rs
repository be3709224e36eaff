//! Networks that firewall rules are about: those of clients, and known resolvers with DNS over HTTPS.

use std::net::{AddrParseError, IpAddr};

use ipnet::IpNet;

use crate::config::Config;

/// Addresses of public DNS over HTTPS resolvers.
const DOH: &str = include_str!("../../../blocklists/doh-addresses.txt");

/// Networks of clients, without loopback.
pub(super) fn clients(config: &Config) -> impl Iterator<Item = IpNet> {
    config.listen.allow.iter().copied().filter(|net| !net.addr().is_loopback())
}

/// Addresses of public DNS over HTTPS resolvers, in the order of their file.
pub(super) fn known_doh() -> Result<Vec<IpNet>, String> {
    DOH.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.parse().or_else(|_| line.parse().map(IpAddr::into)))
        .collect::<Result<_, AddrParseError>>()
        .map_err(|error| format!("doh-addresses.txt: {error}"))
}

/// A network without its length where it is one address.
pub(super) fn shortest(network: &IpNet) -> String {
    let is_single = network.prefix_len() == network.max_prefix_len();
    if is_single { network.addr().to_string() } else { network.to_string() }
}
