//! The origin of a query: one value, filled by the listener that received it.

use std::net::{IpAddr, SocketAddr};

use crate::dns::message::MAX_MESSAGE;
use crate::dns::message::query::{Query, ReplyOptions};
use crate::policy::{Claims, GroupId, Identity};
use crate::resolve::labels::label_set;

label_set! {
    /// The transport of a query; it bounds the reply's size.
    Transport {
        /// One datagram.
        Udp => "udp",
        /// A stream of framed messages.
        Tcp => "tcp",
        /// The same through TLS (RFC 7858).
        Dot => "dot",
        /// Exchanges of HTTP through TLS (RFC 8484).
        Doh => "doh",
    }
}

impl Transport {
    /// Those that every address for queries has.
    pub const PLAIN: [Self; 2] = [Self::Udp, Self::Tcp];

    /// The longest reply to a query over this transport, in octets.
    #[inline]
    pub(super) fn limit(self, query: &Query<'_>, room: usize) -> usize {
        match self {
            Self::Udp => query.udp_limit().min(room),
            Self::Tcp | Self::Dot | Self::Doh => room.min(MAX_MESSAGE),
        }
    }

    /// Whether nobody on the way can read it.
    #[inline]
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Dot | Self::Doh)
    }
}

/// Client, local address, transport and claims of a query.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address.
    pub client: IpAddr,
    /// The local address and port that the query was sent to.
    pub local: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// What the device shows of itself beside its address.
    pub claims: Claims,
    /// What replies may say of the connection.
    pub options: ReplyOptions,
    /// The group that the gateway's own test asks for; none for every client. Such a query is
    /// admitted, and counted nowhere.
    pub tested_as: Option<GroupId>,
}

impl Origin {
    /// The origin of a query of a device that shows nothing but its address.
    #[inline]
    pub const fn plain(client: IpAddr, local: SocketAddr, transport: Transport) -> Self {
        Self {
            client,
            local,
            transport,
            claims: Claims::NONE,
            options: ReplyOptions::NONE,
            tested_as: None,
        }
    }

    /// What is known of the device.
    #[inline]
    pub const fn identity(&self) -> Identity<'_> {
        Identity { client: self.client, local: self.local, claims: &self.claims }
    }

    /// Whether it is a query of the gateway's own test.
    #[inline]
    pub const fn is_test(&self) -> bool {
        self.tested_as.is_some()
    }
}
