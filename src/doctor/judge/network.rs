//! What the network around a gateway is given, and from where: strangers that are answered, and
//! resolvers beside this one.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::dns::address::is_internal;
use crate::doctor::facts::{ExaminedPart, MachineFacts};
use crate::doctor::handed::HandedOut;
use crate::doctor::judge::part::JudgedPart;
use crate::lang::{Lang, messages};
use crate::status::machine::MachineFault;

/// The longest prefixes of public networks that are larger than any school's: a /8 of IPv4 and a
/// registry's /19 of IPv6.
const WIDE: (u8, u8) = (8, 19);

/// Whether strangers are answered.
pub(super) fn exposure(facts: &MachineFacts) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Exposure);
    let listen = &facts.listen;
    let wide: Vec<&IpNet> = listen.allow.iter().filter(|network| is_wide(network)).collect();
    let of_family = |address: &SocketAddr| {
        wide.iter().any(|network| network.addr().is_ipv4() == address.is_ipv4())
    };
    let (open, closed): (Vec<SocketAddr>, Vec<SocketAddr>) = listen
        .all()
        .filter(of_family)
        .partition(|address| address.ip().is_unspecified() || !is_internal(address.ip()));
    let networks = joined(&wide);
    if !open.is_empty() {
        part.find(MachineFault::OpenResolver, &networks, joined(&open));
    } else if !closed.is_empty() {
        part.find(MachineFault::OpenAllow, &networks, joined(&closed));
    }
    part.line = Some(messages::looked_exposure(listen.allow.len()));
    part.unseen.push(messages::unseen_from_outside());
    part
}

/// Whether a network has most of the Internet in it.
fn is_wide(network: &IpNet) -> bool {
    // Below a /8 and a /7 no network is private as a whole (RFC 1918, RFC 4193).
    let (most, least) = if network.addr().is_ipv4() { (WIDE.0, 8) } else { (WIDE.1, 7) };
    let length = network.prefix_len();
    length <= most && (length < least || !is_internal(network.addr()))
}

/// What DHCP and router advertisements hand out beside this gateway, as far as this machine was
/// told.
pub(super) fn second_resolver(facts: &MachineFacts, lang: Lang) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::SecondResolver);
    let is_own = |ip: &IpAddr| {
        ip.is_loopback() || facts.own.contains(ip) || facts.listen.all().any(|own| own.ip() == *ip)
    };
    let mut flagged: Vec<IpAddr> = Vec::new();
    for HandedOut { path, address, server, resolvers } in &facts.leases {
        let others: Vec<IpAddr> = resolvers.iter().copied().filter(|ip| !is_own(ip)).collect();
        let address = address.map(IpAddr::V4);
        let listens_at =
            |is_at: &dyn Fn(IpAddr) -> bool| facts.listen.all().any(|own| is_at(own.ip()));
        let is_clients = listens_at(&|own| Some(own) == address);
        // A listener at every address has the carrier's line as well, where no device is.
        let may_be_clients = address.is_some_and(|address| facts.own.contains(&address))
            && listens_at(&|own| own.is_ipv4() && own.is_unspecified());
        flagged.extend(&others);
        if (is_clients || may_be_clients) && !others.is_empty() {
            let server = server.map_or_else(|| "?".to_owned(), |ip| ip.to_string());
            let why = messages::lease_hands_out(path.display(), server).in_lang(lang);
            let second = MachineFault::SecondResolver;
            let fault = if is_clients { second } else { MachineFault::ForeignResolver };
            part.find(fault, joined(&others), why);
        }
    }
    for (path, resolvers) in &facts.told {
        let is_foreign = |ip: &&IpAddr| {
            is_internal(**ip)
                && !is_own(ip)
                && !flagged.contains(ip)
                && !facts.upstream_addresses.contains(ip)
        };
        let others: Vec<IpAddr> = resolvers.iter().filter(is_foreign).copied().collect();
        flagged.extend(&others);
        if !others.is_empty() {
            part.find(MachineFault::ForeignResolver, joined(&others), path.display().to_string());
        }
    }
    if !facts.leases.is_empty() || !facts.told.is_empty() {
        part.line = Some(messages::looked_handed_out(facts.leases.len(), facts.told.len()));
    }
    let unread = facts.leases_unread.iter();
    part.unseen.extend(unread.map(|path| messages::unseen_lease(path.display())));
    part.unseen.push(messages::unseen_advertisements());
    part
}

fn joined(each: &[impl ToString]) -> String {
    each.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
