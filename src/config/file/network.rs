//! Addresses and networks: read, or reported with what is allowed.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use toml::Spanned;

use crate::config::file::report::Report;

impl Report<'_> {
    /// An address with its port; the hint for a bare address adds `port`.
    pub(crate) fn address(&mut self, given: &Spanned<String>, port: u16) -> Option<SocketAddr> {
        let text = given.get_ref();
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (message, hint) = match text.parse::<IpAddr>() {
            Ok(address) => (
                format!("`{text}` has no port"),
                format!("did you mean `{}`?", SocketAddr::new(address, port)),
            ),
            Err(_) => (
                format!("`{text}` is not an address with a port; names are not looked up here"),
                format!("write `127.0.0.1:{port}`, `0.0.0.0:{port}` or `[::]:{port}`"),
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
                let message = format!("`{}` ends before it begins", given.get_ref());
                self.mistake(given.span(), message).hint = Some(format!("write `{last}-{first}`"));
                Vec::new()
            }
            _ => {
                let message = format!("`{}` is not a range of addresses", given.get_ref());
                self.mistake(given.span(), message).hint =
                    Some("write `10.20.0.5-10.20.0.20`".into());
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
        let mut networks = Vec::new();
        for text in given.get_ref() {
            let Some(network) = self.network(text) else { continue };
            if networks.contains(&network) {
                self.mistake(text.span(), format!("`{network}` stands twice in `{key}`")).hint =
                    Some("remove one of the two".into());
            }
            networks.push(network);
        }
        networks
    }
}

/// Reads a network, or returns the message and the hint.
fn read_network(text: &str) -> Result<IpNet, (String, String)> {
    let example = || "write `10.20.0.0/16`, `2001:db8:20::/48` or a single address".to_owned();
    let Some((address, length)) = text.split_once('/') else {
        return text
            .parse::<IpAddr>()
            .map_err(|_| (format!("`{text}` is not a network or an address"), example()))
            .and_then(|address| unmapped(IpNet::from(address)));
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err((format!("`{text}` is not a network or an address"), example()));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let mask = length.parse::<IpAddr>().ok().and_then(|mask| ipnet::ip_mask_to_prefix(mask).ok());
    let network = length.parse().ok().and_then(|length| IpNet::new(address, length).ok());
    match (network, mask.and_then(|length| IpNet::new(address, length).ok())) {
        (Some(network), _) if network.trunc() != network => Err((
            format!("`{text}` has bits set behind its prefix of {}", network.prefix_len()),
            format!("write the network, `{}`, or the single address, `{address}`", network.trunc()),
        )),
        (Some(network), _) => unmapped(network),
        (None, Some(network)) => Err((
            format!("`{text}` has a mask where the length of a prefix is asked for"),
            format!("write `{}`", network.trunc()),
        )),
        (None, None) => {
            Err((format!("`{text}` has no right prefix length; it must be 0 to {most}"), example()))
        }
    }
}

/// Refuses IPv4-mapped IPv6: a client is matched by its IPv4 address, so it would match none.
fn unmapped(network: IpNet) -> Result<IpNet, (String, String)> {
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.network().to_ipv4_mapped(),
        IpNet::V6(_) | IpNet::V4(_) => None,
    };
    match mapped.and_then(|v4| IpNet::new(v4.into(), network.prefix_len() - 96).ok()) {
        Some(v4) => Err((
            format!("`{network}` is IPv4 written as IPv6, and would match no client"),
            format!("write `{v4}`"),
        )),
        None => Ok(network),
    }
}
