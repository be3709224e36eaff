//! What was found in lease files, and why one is refused.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::lang::{Message, messages};
use crate::policy::Mac;

/// The most addresses that are taken of one file.
pub(super) const MOST: usize = 8192;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseFault {
    /// The first line is of none of the formats.
    Format,
    /// A line is not one of its format.
    Line {
        /// Its number, from 1.
        line: usize,
    },
    /// More addresses of named devices than are taken.
    TooMany,
}

impl LeaseFault {
    /// The reason as a message.
    pub fn message(&self) -> Message {
        match self {
            Self::Format => messages::leases_format(),
            Self::Line { line } => messages::leases_line(line),
            Self::TooMany => messages::leases_too_many(MOST),
        }
    }
}

/// The addresses of hardware addresses that somebody looks for.
pub struct Leases<'a> {
    is_wanted: &'a dyn Fn(Mac) -> bool,
    found: HashMap<IpAddr, Mac>,
}

impl<'a> Leases<'a> {
    /// None yet; only those are taken that `is_wanted` says.
    pub fn of(is_wanted: &'a dyn Fn(Mac) -> bool) -> Self {
        Self { is_wanted, found: HashMap::new() }
    }

    /// How many addresses were found.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// What was found.
    pub fn into_found(self) -> HashMap<IpAddr, Mac> {
        self.found
    }

    /// An address was given to a hardware address, or to what has none of six octets.
    pub(super) fn given(&mut self, address: IpAddr, mac: Option<Mac>) {
        match mac.filter(|mac| (self.is_wanted)(*mac)) {
            Some(mac) => self.found.insert(address, mac),
            None => self.found.remove(&address),
        };
    }

    /// An address was taken back.
    pub(super) fn returned(&mut self, address: IpAddr) {
        self.found.remove(&address);
    }
}

/// A hardware address; none for one of another length, as of `InfiniBand`.
pub(super) fn mac(text: &str) -> Result<Option<Mac>, ()> {
    let is_hardware = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text
                .bytes()
                .all(|octet| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'-' | b'*'))
    };
    if is_hardware(text) { Ok(text.parse().ok()) } else { Err(()) }
}
