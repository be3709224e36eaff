//! `[admin]`: the admin HTTP server, for health, metrics and overrides.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::config::file::report::Report;
use crate::config::file::shape::{AdminFile, SpannedTexts};
use crate::config::file::value::each;
use crate::config::sections::listen::{Listen, collide};
use crate::lang::messages;

/// The admin HTTP server: health, readiness, metrics, overrides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// The address of the admin HTTP server.
    pub listen: SocketAddr,
    /// File of the bearer token that every change needs; by default one in the state
    /// directory.
    pub token: Option<PathBuf>,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9153)), token: None }
    }
}

impl Report<'_> {
    /// Checks `[admin]`.
    pub(in crate::config) fn admin(
        &mut self,
        file: &AdminFile,
        dns: &SpannedTexts,
        listen: &Listen,
    ) -> AdminSettings {
        let token = file.token.as_ref().and_then(|text| self.path("token", text));
        let mut admin = AdminSettings { token, ..AdminSettings::default() };
        let Some(text) = &file.listen else {
            let address = admin.listen;
            let own = each(dns).zip(&listen.dns).find(|(_, own)| collide(**own, address));
            if let Some((own, _)) = own {
                self.mistake(own.span(), messages::admin_is_there(own.get_ref())).hint =
                    Some(messages::give_admin_another_port("listen", "[admin]"));
            }
            return admin;
        };
        let Some(address) = self.listen_address(text, 9153) else { return admin };
        if let Some(by) = listen.taken(address) {
            self.mistake(text.span(), messages::port_taken(address, by)).hint =
                Some(messages::give_another_port());
        }
        admin.listen = address;
        admin
    }
}
