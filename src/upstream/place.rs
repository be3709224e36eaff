//! Place of a server: its address, and the link that a link-local one is on.
//!
//! Law: an interface's number must be looked up at each use. A VLAN or a modem's interface comes
//! late, and gets another number when it comes back.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::sections::server::Server;
use crate::sys::os::interface_number;

/// Where a server is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    address: SocketAddr,
    interface: Option<Arc<str>>,
}

impl Place {
    pub(super) fn of(server: &Server) -> Self {
        let interface = server.interface.as_deref().map(Arc::from);
        Self { address: server.address, interface }
    }

    /// The address to send to now; none while its interface is not there.
    pub(super) fn now(&self) -> Option<SocketAddr> {
        let mut address = self.address;
        if let (Some(name), SocketAddr::V6(v6)) = (&self.interface, &mut address) {
            v6.set_scope_id(interface_number(name)?);
        }
        Some(address)
    }
}
