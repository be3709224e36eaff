//! The origin of a query: one value, filled by the listener that received it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::dns::message::MAX_MESSAGE;
use crate::dns::message::query::Query;
use crate::policy::GroupId;
use crate::resolve::labels::label_set;

label_set! {
    /// The transport of a query; it bounds the reply's size.
    Transport {
        /// One datagram.
        Udp => "udp",
        /// A stream of framed messages.
        Tcp => "tcp",
    }
}

impl Transport {
    /// The longest reply to a query over this transport, in octets.
    #[inline]
    pub(super) fn limit(self, query: &Query<'_>, room: usize) -> usize {
        match self {
            Self::Udp => query.udp_limit().min(room),
            Self::Tcp => room.min(MAX_MESSAGE),
        }
    }
}

/// Client, local address, transport and server name of a query.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address.
    pub client: IpAddr,
    /// The local address and port that the query was sent to.
    pub local: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// The name the client gave for the server (TLS SNI); `None` over plain UDP and TCP.
    pub server_name: Option<Arc<str>>,
    /// The group that the gateway's own test asks for; none for every client. Such a query is
    /// admitted, and counted nowhere.
    pub tested_as: Option<GroupId>,
}

impl Origin {
    /// The origin of a query over a transport without server names.
    #[inline]
    pub const fn plain(client: IpAddr, local: SocketAddr, transport: Transport) -> Self {
        Self { client, local, transport, server_name: None, tested_as: None }
    }

    /// Whether it is a query of the gateway's own test.
    #[inline]
    pub const fn is_test(&self) -> bool {
        self.tested_as.is_some()
    }
}
