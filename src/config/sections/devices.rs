//! `[devices]`: where the gateway sees the hardware addresses that groups name.

use std::path::PathBuf;

use crate::config::file::report::Report;
use crate::config::file::shape::DevicesFile;
use crate::config::file::value::each;
use crate::lang::messages;

/// The most lease files: one of each family, for a few servers.
const MOST: usize = 8;

/// Where the gateway sees the hardware addresses that groups name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicesSettings {
    /// Whether the kernel's neighbour table is followed.
    pub neighbours: bool,
    /// Lease files of DHCP servers.
    pub leases: Vec<PathBuf>,
}

impl Default for DevicesSettings {
    fn default() -> Self {
        Self { neighbours: true, leases: Vec::new() }
    }
}

impl Report<'_> {
    /// Checks `[devices]`.
    pub(in crate::config) fn devices(&mut self, file: &DevicesFile) -> DevicesSettings {
        let mut settings = DevicesSettings::default();
        settings.neighbours = file.neighbours.unwrap_or(settings.neighbours);
        for given in each(&file.leases) {
            let Some(path) = self.path("leases", given) else { continue };
            if settings.leases.len() == MOST {
                self.mistake(given.span(), messages::too_many_lease_files("leases", MOST));
                break;
            }
            if settings.leases.contains(&path) {
                let message = messages::stands_twice(given.get_ref(), "leases");
                self.mistake(given.span(), message).hint = Some(messages::remove_one());
            }
            settings.leases.push(path);
        }
        settings
    }
}
