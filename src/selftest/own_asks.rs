//! The sockets by which the gateway asks itself, and the group that each stands for.
//!
//! Laws: an address is here only while a socket of this process is bound to it, so that no other
//! process sends from it; a reply to a forged one comes back to that socket and tells nobody
//! anything. Between two tests a query costs one load.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::policy::GroupId;
use crate::resolve::Transport;

/// The sockets that ask now.
#[derive(Debug, Default)]
pub struct OwnAsks {
    is_any: AtomicBool,
    asks: ArcSwap<Vec<Entry>>,
    writer: Mutex<()>,
}

type Entry = (Transport, SocketAddr, GroupId);

impl OwnAsks {
    /// The group that a query from an address is to be judged for, where the gateway itself asks.
    #[inline]
    pub fn group_of(&self, transport: Transport, client: SocketAddr) -> Option<GroupId> {
        if !self.is_any.load(Ordering::Acquire) {
            return None;
        }
        self.find(transport, client)
    }

    #[cold]
    fn find(&self, transport: Transport, client: SocketAddr) -> Option<GroupId> {
        let is_it = |one: &&Entry| {
            one.0 == transport
                && one.1.port() == client.port()
                && one.1.ip().to_canonical() == client.ip().to_canonical()
        };
        self.asks.load().iter().find(is_it).map(|one| one.2)
    }

    /// Lets queries from the address of a bound socket be judged for a group, until the guard is
    /// dropped.
    pub(super) fn open(
        &self,
        transport: Transport,
        address: SocketAddr,
        group: GroupId,
    ) -> AskGuard<'_> {
        self.change(|asks| asks.push((transport, address, group)));
        AskGuard { asks: self, transport, address }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Entry>)) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asks = self.asks.load().to_vec();
        change(&mut asks);
        let is_any = !asks.is_empty();
        self.asks.store(asks.into());
        self.is_any.store(is_any, Ordering::Release);
    }
}

/// An address that asks for a group.
pub(super) struct AskGuard<'a> {
    asks: &'a OwnAsks,
    transport: Transport,
    address: SocketAddr,
}

impl Drop for AskGuard<'_> {
    fn drop(&mut self) {
        self.asks.change(|asks| {
            asks.retain(|one| (one.0, one.1) != (self.transport, self.address));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_its_group_by_one_transport_while_it_is_open() {
        let own = OwnAsks::default();
        let at: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        assert_eq!(own.group_of(Transport::Udp, at), None);
        let guard = own.open(Transport::Udp, at, GroupId(2));
        assert_eq!(own.group_of(Transport::Udp, at), Some(GroupId(2)));
        assert_eq!(
            own.group_of(Transport::Udp, "[::ffff:127.0.0.1]:4000".parse().unwrap()),
            Some(GroupId(2))
        );
        assert_eq!(own.group_of(Transport::Tcp, at), None);
        assert_eq!(own.group_of(Transport::Udp, "127.0.0.1:4001".parse().unwrap()), None);
        assert_eq!(own.group_of(Transport::Udp, "127.0.0.2:4000".parse().unwrap()), None);
        drop(guard);
        assert_eq!(own.group_of(Transport::Udp, at), None);
    }
}
