//! Addresses and networks: read, or reported with what is allowed.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use toml::Spanned;

use crate::config::file::report::Report;
use crate::lang::{Message, messages};

impl Report<'_> {
    /// An address with its port; the hint for a bare address adds `port`.
    pub(crate) fn address(&mut self, given: &Spanned<String>, port: u16) -> Option<SocketAddr> {
        let text = given.get_ref();
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (message, hint) = match text.parse::<IpAddr>() {
            Ok(address) => {
                (messages::no_port(text), messages::did_you_mean(SocketAddr::new(address, port)))
            }
            Err(_) => (
                messages::no_socket_address(text),
                messages::write_one_of(
                    format!("127.0.0.1:{port}"),
                    format!("0.0.0.0:{port}"),
                    format!("[::]:{port}"),
                ),
            ),
        };
        self.mistake(given.span(), message).hint = Some(hint);
        None
    }

    /// A network in CIDR form, or a single address.
    pub(crate) fn network(&mut self, given: &Spanned<String>) -> Option<IpNet> {
        let text = given.get_ref().as_str();
        let (message, hint) = match read_network(text) {
            Ok(network) => return Some(network),
            Err(mistake) => mistake,
        };
        self.mistake(given.span(), message).hint = Some(hint);
        None
    }

    /// A network, or the networks that cover a range of addresses, `10.0.0.5-10.0.0.20`.
    pub(crate) fn network_or_range(&mut self, given: &Spanned<String>) -> Vec<IpNet> {
        let Some((first, last)) = given.get_ref().split_once('-') else {
            return self.network(given).into_iter().collect();
        };
        let address = |text: &str| text.trim().parse::<IpAddr>().ok();
        match (address(first), address(last)) {
            (Some(IpAddr::V4(first)), Some(IpAddr::V4(last))) if first <= last => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (Some(IpAddr::V6(first)), Some(IpAddr::V6(last))) if first <= last => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            (Some(first), Some(last)) if first.is_ipv4() == last.is_ipv4() => {
                let message = messages::range_backwards(given.get_ref());
                self.mistake(given.span(), message).hint =
                    Some(messages::write(format!("{last}-{first}")));
                Vec::new()
            }
            _ => {
                let message = messages::no_range(given.get_ref());
                self.mistake(given.span(), message).hint =
                    Some(messages::write("10.20.0.5-10.20.0.20"));
                Vec::new()
            }
        }
    }

    /// Networks, no two alike.
    pub(crate) fn networks(
        &mut self,
        key: &str,
        given: &Spanned<Vec<Spanned<String>>>,
    ) -> Vec<IpNet> {
        let (mut networks, mut seen) = (Vec::new(), HashSet::new());
        for text in given.get_ref() {
            let Some(network) = self.network(text) else { continue };
            if !seen.insert(network) {
                self.mistake(text.span(), messages::stands_twice(network, key)).hint =
                    Some(messages::remove_one());
            }
            networks.push(network);
        }
        networks
    }
}

/// Reads a network, or returns the message and the hint.
fn read_network(text: &str) -> Result<IpNet, (Message, Message)> {
    let example = || messages::write_network("10.20.0.0/16", "2001:db8:20::/48");
    let Some((address, length)) = text.split_once('/') else {
        return text
            .parse::<IpAddr>()
            .map_err(|_| (messages::no_network(text), example()))
            .and_then(|address| unmapped(IpNet::from(address)));
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err((messages::no_network(text), example()));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let mask = length.parse::<IpAddr>().ok().and_then(|mask| ipnet::ip_mask_to_prefix(mask).ok());
    let network = length.parse().ok().and_then(|length| IpNet::new(address, length).ok());
    match (network, mask.and_then(|length| IpNet::new(address, length).ok())) {
        (Some(network), _) if network.trunc() != network => Err((
            messages::bits_behind_prefix(text, network.prefix_len()),
            messages::write_network_or_address(network.trunc(), address),
        )),
        (Some(network), _) => unmapped(network),
        (None, Some(network)) => {
            Err((messages::mask_for_length(text), messages::write(network.trunc())))
        }
        (None, None) => Err((messages::prefix_length(text, most), example())),
    }
}

/// Refuses IPv4-mapped IPv6: a client is matched by its IPv4 address, so it would match none.
fn unmapped(network: IpNet) -> Result<IpNet, (Message, Message)> {
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.network().to_ipv4_mapped(),
        IpNet::V6(_) | IpNet::V4(_) => None,
    };
    match mapped.and_then(|v4| IpNet::new(v4.into(), network.prefix_len() - 96).ok()) {
        Some(v4) => Err((messages::mapped_network(network), messages::write(v4))),
        None => Ok(network),
    }
}
