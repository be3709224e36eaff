//! The kernel's neighbour table as it tells of it: messages of rtnetlink(7), of both families.
//!
//! ```text
//! nlmsghdr   u32 length · u16 type · u16 flags · u32 sequence · u32 port     16 octets
//! ndmsg      u8 family · 3 unused · i32 interface · u16 state · u8 flags · u8 type     12 octets
//! rtattr     u16 length · u16 type · value …                         padded to 4 octets
//! ```
//!
//! Numbers are in the machine's order. Law: what has another length than it says ends the reading, and
//! nothing panics.
//!
//! Absent on purpose: deletions and failures. The kernel forgets a neighbour that is silent for a
//! minute; the device is at its address all the same, until another one is seen there.

use std::net::IpAddr;

use crate::policy::Mac;

/// The octets of a read: the kernel's longest message fits (netlink(7)).
pub const READ: usize = 64 << 10;

const HEADER: usize = 16;
const NEIGHBOUR: usize = 12;
const ATTRIBUTE: usize = 4;

/// Message types (`linux/netlink.h`, `linux/rtnetlink.h`).
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;
const NEW_NEIGHBOUR: u16 = 28;
const GET_NEIGHBOUR: u16 = 30;
/// A request, for all there are.
const REQUEST_DUMP: u16 = 0x1 | 0x300;
/// The table changed while it was told.
const INTERRUPTED: u16 = 0x10;

/// Address families (`linux/socket.h`).
const INET: u8 = 2;
const INET6: u8 = 10;

/// States in which the hardware address is known (`linux/neighbour.h`): reachable, stale, delay, probe,
/// permanent. Not incomplete, failed, or without ARP.
const KNOWN: u16 = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;
/// The kernel answers for the address itself.
const PROXY: u8 = 0x08;

/// Attributes: the address, the hardware address.
const DESTINATION: u16 = 1;
const LINK_LAYER: u16 = 2;

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeighbourEvent {
    /// An address is at a hardware address; none where that has not six octets.
    Seen(IpAddr, Option<Mac>),
    /// The whole table was told.
    Done,
    /// The kernel refused the request, with an errno.
    Refused(i32),
    /// Something was lost, or changed meanwhile: the whole table must be asked for again.
    Lost,
}

/// The request for the whole table.
pub fn request() -> [u8; HEADER + NEIGHBOUR] {
    let mut octets = [0; HEADER + NEIGHBOUR];
    octets[..4].copy_from_slice(&((HEADER + NEIGHBOUR) as u32).to_ne_bytes());
    octets[4..6].copy_from_slice(&GET_NEIGHBOUR.to_ne_bytes());
    octets[6..8].copy_from_slice(&REQUEST_DUMP.to_ne_bytes());
    octets
}

/// What the messages of one read tell.
pub fn events(octets: &[u8]) -> Events<'_> {
    Events(octets)
}

/// See [`events`].
#[derive(Debug)]
pub struct Events<'a>(&'a [u8]);

impl Iterator for Events<'_> {
    type Item = NeighbourEvent;

    fn next(&mut self) -> Option<NeighbourEvent> {
        loop {
            let length = usize::try_from(u32::from_ne_bytes(array(self.0, 0)?)).ok()?;
            let kind = u16::from_ne_bytes(array(self.0, 4)?);
            let flags = u16::from_ne_bytes(array(self.0, 6)?);
            let body = self.0.get(HEADER..length)?;
            self.0 = self.0.get(padded(length)?..).unwrap_or_default();
            let event = match kind {
                _ if flags & INTERRUPTED != 0 => Some(NeighbourEvent::Lost),
                NEW_NEIGHBOUR => seen(body),
                ERROR => refused(body),
                DONE => Some(NeighbourEvent::Done),
                OVERRUN => Some(NeighbourEvent::Lost),
                _ => None,
            };
            if event.is_some() {
                return event;
            }
        }
    }
}

/// An error that is one: 0 is an acknowledgement.
fn refused(body: &[u8]) -> Option<NeighbourEvent> {
    let errno = i32::from_ne_bytes(array(body, 0)?).checked_neg().filter(|errno| *errno != 0);
    errno.map(NeighbourEvent::Refused)
}

fn seen(body: &[u8]) -> Option<NeighbourEvent> {
    let family = *body.first()?;
    let state = u16::from_ne_bytes(array(body, 8)?);
    let flags = *body.get(10)?;
    if state & KNOWN == 0 || flags & PROXY != 0 {
        return None;
    }
    let (mut address, mut mac) = (None, None);
    let mut attributes = body.get(NEIGHBOUR..)?;
    while !attributes.is_empty() {
        let length = usize::from(u16::from_ne_bytes(array(attributes, 0)?));
        let value = attributes.get(ATTRIBUTE..length)?;
        match u16::from_ne_bytes(array(attributes, 2)?) {
            DESTINATION => address = ip(family, value),
            LINK_LAYER => mac = value.try_into().ok().map(Mac),
            _ => {}
        }
        attributes = attributes.get(padded(length)?..).unwrap_or_default();
    }
    address.map(|address| NeighbourEvent::Seen(address, mac))
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        INET => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        INET6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        // Of bridges: no address of a client.
        _ => None,
    }
}

/// A length with the padding behind it.
fn padded(length: usize) -> Option<usize> {
    length.checked_next_multiple_of(4)
}

fn array<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message as the kernel writes it.
    fn message(kind: u16, family: u8, state: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = vec![family, 0, 0, 0, 2, 0, 0, 0];
        body.extend(state.to_ne_bytes());
        body.extend([0, 1]);
        for (kind, value) in attributes {
            body.extend(((ATTRIBUTE + value.len()) as u16).to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(*value);
            body.resize(padded(body.len()).unwrap(), 0);
        }
        let mut octets = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.resize(HEADER, 0);
        octets.extend(body);
        octets
    }

    const MAC: [u8; 6] = [0xa0, 0x36, 0x9f, 0, 0, 1];

    #[test]
    fn what_is_known_of_both_families_is_told() {
        let v6: [u8; 16] = "fd00::5".parse::<std::net::Ipv6Addr>().unwrap().octets();
        let (dst, link) = (DESTINATION, LINK_LAYER);
        let octets = [
            message(28, INET, 0x04, &[(dst, &[10, 20, 0, 5]), (link, &MAC), (3, &[0; 16])]),
            message(28, INET6, 0x80, &[(dst, &v6), (link, &MAC)]),
            // Incomplete, failed, deleted, without ARP, of a bridge: nothing.
            message(28, INET, 0x01, &[(dst, &[10, 20, 0, 6])]),
            message(28, INET, 0x20, &[(dst, &[10, 20, 0, 6]), (link, &MAC)]),
            message(29, INET, 0x04, &[(dst, &[10, 20, 0, 6]), (link, &MAC)]),
            message(28, INET, 0x40, &[(dst, &[224, 0, 0, 1]), (link, &MAC)]),
            message(28, 7, 0x80, &[(link, &MAC)]),
            // Of a tunnel: an address without six octets.
            message(28, INET, 0x02, &[(dst, &[10, 20, 0, 7]), (link, &[10, 0, 0, 1])]),
            message(DONE, 0, 0, &[]),
            message(OVERRUN, 0, 0, &[]),
        ]
        .concat();
        let found: Vec<_> = events(&octets).collect();
        let five: IpAddr = "fd00::5".parse().unwrap();
        assert_eq!(
            found,
            [
                NeighbourEvent::Seen([10, 20, 0, 5].into(), Some(Mac(MAC))),
                NeighbourEvent::Seen(five, Some(Mac(MAC))),
                NeighbourEvent::Seen([10, 20, 0, 7].into(), None),
                NeighbourEvent::Done,
                NeighbourEvent::Lost,
            ]
        );
        let refused = [
            &36_u32.to_ne_bytes()[..],
            &ERROR.to_ne_bytes(),
            &[0; 10],
            &(-1_i32).to_ne_bytes(),
            &[0; 16],
        ];
        let found: Vec<_> = events(&refused.concat()).collect();
        assert_eq!(found, [NeighbourEvent::Refused(1)]);
    }

    proptest! {
        #[test]
        fn any_octets_end_and_nothing_panics(octets: Vec<u8>) {
            prop_assert!(events(&octets).count() <= octets.len());
        }

        #[test]
        fn a_changed_octet_of_a_message_is_judged(place in 0..60_usize, octet: u8) {
            let attributes: [(u16, &[u8]); 2] = [(DESTINATION, &[10, 20, 0, 5]), (LINK_LAYER, &MAC)];
            let mut octets = message(28, INET, 0x04, &attributes).repeat(2);
            octets[place] = octet;
            prop_assert!(events(&octets).count() <= 2);
        }
    }
}
