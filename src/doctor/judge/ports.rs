//! Ports of the gateway, and what else has them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::doctor::facts::{ExaminedPart, MachineFacts};
use crate::doctor::judge::part::JudgedPart;
use crate::doctor::kernel::{BoundSocket, SocketKind};
use crate::lang::{Lang, messages};
use crate::status::machine::MachineFault;

/// The name of the gateway's process.
const PROGRAM: &str = "lachan";
/// The service manager, which stores the sockets of a gateway (`FileDescriptorStoreMax=`, systemd.service(5)).
const MANAGER: (u32, &str) = (1, "systemd");
/// The name of the process of systemd-resolved; the kernel cuts names after 15 octets.
const STUB: &str = "systemd-resolve";
/// The addresses of its stub (systemd-resolved.service(8)).
const STUB_ADDRESSES: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 54))];

/// The processes of inodes.
type Owners = BTreeMap<u64, Vec<(u32, String)>>;

/// The holder of a socket.
#[derive(Debug, PartialEq, Eq)]
enum Holder {
    /// The gateway that answers.
    Gateway,
    /// A gateway that does not answer: its processes, for people.
    Stale(String),
    /// The service manager alone: the gateway's stored sockets.
    Stored,
    /// A process that this user may not see.
    Unseen,
    /// Another program, for people.
    Other { is_stub: bool, shown: String },
}

/// What is found of ports.
pub(super) fn judged(facts: &MachineFacts, lang: Lang) -> JudgedPart {
    let mut part = JudgedPart::new(ExaminedPart::Ports);
    if let Some(why) = &facts.sockets_unread {
        part.unseen.push(messages::unseen_sockets(why));
    }
    let (mut own, mut free, mut unseen) = (0_usize, 0_usize, false);
    let (mut stale, mut stored) = (Vec::new(), Vec::new());
    let mut processes: Vec<String> = Vec::new();
    for (address, kinds) in listeners(facts) {
        let (mut lines, mut stub) = (Vec::new(), true);
        for &kind in kinds {
            let holders = holders(facts, address, kind, lang);
            own += usize::from(holders.contains(&Holder::Gateway));
            free += usize::from(holders.is_empty());
            for holder in holders {
                match holder {
                    Holder::Gateway => {}
                    Holder::Stored => add(&mut stored, address.to_string()),
                    Holder::Stale(shown) => {
                        add(&mut stale, address.to_string());
                        add(&mut processes, shown);
                    }
                    Holder::Unseen => unseen = true,
                    Holder::Other { is_stub, shown } => {
                        stub &= is_stub;
                        lines.push(shown);
                    }
                }
            }
        }
        if !lines.is_empty() {
            let fault = if stub { MachineFault::StubHeld } else { MachineFault::PortHeld };
            part.find(fault, address.to_string(), lines.join("\n"));
        }
    }
    if !stale.is_empty() {
        part.find(MachineFault::StaleGateway, stale.join(" "), processes.join("\n"));
    }
    if !stored.is_empty() {
        part.find(MachineFault::SocketsStored, stored.join(" "), "");
    }
    if unseen {
        part.unseen.push(messages::unseen_holders());
    }
    if facts.sockets_unread.is_none() {
        part.line = Some(messages::looked_ports(own, free));
    }
    part
}

/// Adds a text that is not there yet.
fn add(to: &mut Vec<String>, text: String) {
    if !to.contains(&text) {
        to.push(text);
    }
}

/// What stands in the way of plain DNS at some addresses, beside a gateway: whether it is the stub of
/// systemd-resolved, and its name for people.
pub fn ports_held(
    listen: &[SocketAddr],
    sockets: &[BoundSocket],
    owners: &Owners,
    lang: Lang,
) -> Vec<(bool, String)> {
    let in_the_way =
        |socket: &&BoundSocket| listen.iter().any(|&own| conflicts(own, socket.address));
    let mut found = Vec::new();
    for socket in sockets.iter().filter(in_the_way) {
        // A gateway that runs, and sockets that are stored for one, are no other program's.
        if let Holder::Other { is_stub, shown } = holder(owners, false, socket, lang) {
            found.push((is_stub, shown));
        }
    }
    found
}

/// The listeners with the protocols of their sockets.
fn listeners(facts: &MachineFacts) -> Vec<(SocketAddr, &'static [SocketKind])> {
    let both: &'static [SocketKind] = &[SocketKind::Udp, SocketKind::Tcp];
    let tcp: &'static [SocketKind] = &[SocketKind::Tcp];
    let plain = facts.listen.dns.iter().map(|&address| (address, both));
    let pages = facts.portal.iter().chain([&facts.admin.0]);
    let streams = facts.listen.dot.iter().chain(&facts.listen.doh).chain(pages);
    let all = plain.chain(streams.map(|&address| (address, tcp)));
    // Port 0 is any free one.
    all.filter(|(address, _)| address.port() != 0).collect()
}

/// The holders of the sockets that stand in the way of a listener, or are its own.
fn holders(
    facts: &MachineFacts,
    listener: SocketAddr,
    kind: SocketKind,
    lang: Lang,
) -> Vec<Holder> {
    let there = facts.sockets.iter().filter(|socket| socket.kind == kind);
    let there: Vec<&BoundSocket> =
        there.filter(|socket| conflicts(listener, socket.address)).collect();
    // Beside a socket at exactly the address, one of the other family cannot stand in the way.
    let is_there = there.iter().any(|socket| socket.address.ip() == listener.ip());
    let mut found = Vec::new();
    for socket in there {
        if is_there && socket.address.is_ipv4() != listener.is_ipv4() {
            continue;
        }
        let holder = holder(&facts.owners, facts.admin.1.is_none(), socket, lang);
        if !found.contains(&holder) {
            found.push(holder);
        }
    }
    found
}

/// Whether a socket that is bound to an address stands in the way of a listener.
fn conflicts(listener: SocketAddr, other: SocketAddr) -> bool {
    let is_of_family = listener.is_ipv4() == other.is_ipv4();
    let is_any = |ip: IpAddr| ip.is_unspecified();
    listener.port() == other.port()
        && (listener.ip() == other.ip()
            || is_any(listener.ip()) && is_of_family
            // A socket at `::` has IPv4 too, unless its program asked for less.
            || is_any(other.ip()) && (is_of_family || other.is_ipv6()))
}

fn holder(owners: &Owners, answers: bool, socket: &BoundSocket, lang: Lang) -> Holder {
    let (kind, address) = (socket.kind.name(), socket.address);
    let is_at_stub = STUB_ADDRESSES.contains(&address.ip());
    let Some(owners) = owners.get(&socket.inode) else {
        // With a gateway that answers it may be the gateway's own.
        if answers && !is_at_stub {
            return Holder::Unseen;
        }
        let shown = messages::port_holder_unseen(kind, address, socket.user).in_lang(lang);
        return Holder::Other { is_stub: is_at_stub, shown };
    };
    let of = |is_of: &dyn Fn(&str) -> bool| {
        let named = owners.iter().filter(|(_, name)| is_of(name));
        named.map(|(process, name)| format!("{name} ({process})")).collect::<Vec<_>>().join(", ")
    };
    if owners.iter().any(|(_, name)| name == PROGRAM) {
        return if answers { Holder::Gateway } else { Holder::Stale(of(&|name| name == PROGRAM)) };
    }
    if owners.iter().all(|(process, name)| (*process, name.as_str()) == MANAGER) {
        return Holder::Stored;
    }
    let is_stub = is_at_stub || owners.iter().all(|(_, name)| name == STUB);
    let shown = messages::port_holder(kind, address, of(&|_| true)).in_lang(lang);
    Holder::Other { is_stub, shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_stand_in_the_way() {
        for (listener, other, expected) in [
            ("192.168.1.1:53", "192.168.1.1:53", true),
            ("192.168.1.1:53", "0.0.0.0:53", true),
            ("192.168.1.1:53", "[::]:53", true),
            ("192.168.1.1:53", "127.0.0.53:53", false),
            ("0.0.0.0:53", "127.0.0.53:53", true),
            ("0.0.0.0:53", "[::1]:53", false),
            ("[::]:53", "127.0.0.53:53", false),
            ("[fd00::1]:53", "0.0.0.0:53", false),
            ("192.168.1.1:53", "192.168.1.1:5353", false),
        ] {
            let [own, other_address] = [listener, other].map(|text| text.parse().unwrap());
            assert_eq!(conflicts(own, other_address), expected, "{listener} {other}");
        }
    }
}
