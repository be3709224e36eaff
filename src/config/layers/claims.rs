//! What groups name of their devices beside addresses: `server_names`, `macs`, `tokens_from`.
//!
//! A server name or a hardware address must never be of two groups: nothing would say which.

use std::collections::HashMap;
use std::net::IpAddr;

use toml::Spanned;

use crate::config::file::report::Report;
use crate::config::file::shape::GroupFile;
use crate::config::file::value::each;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::policy::{GroupClaims, Mac};

/// The groups of the values that were read, by value.
#[derive(Default)]
pub(super) struct TakenClaims {
    server_names: HashMap<String, String>,
    macs: HashMap<Mac, String>,
}

impl TakenClaims {
    /// Reads what one group names.
    pub(super) fn read(
        &mut self,
        report: &mut Report<'_>,
        file: &GroupFile,
        group: &str,
    ) -> GroupClaims {
        let (mut server_names, mut macs) = (Vec::new(), Vec::new());
        for given in each(&file.server_names) {
            let Some(name) = server_name(report, given) else { continue };
            let other = self.server_names.insert(name.clone(), group.to_owned());
            taken(report, given, ("server_names", &name), group, other.as_deref());
            server_names.push(name);
        }
        for given in each(&file.macs) {
            let Some(mac) = hardware_address(report, given) else { continue };
            let other = self.macs.insert(mac, group.to_owned());
            taken(report, given, ("macs", &mac.to_string()), group, other.as_deref());
            macs.push(mac);
        }
        let given = file.tokens_from.as_ref();
        if let Some(given) = given.filter(|given| given.get_ref().is_empty()) {
            report.mistake(given.span(), messages::tokens_from_nowhere(group)).hint =
                Some(messages::name_networks_or_leave_out());
        }
        let tokens_from = given.map(|given| report.networks("tokens_from", given));
        GroupClaims { server_names, macs, tokens_from: tokens_from.unwrap_or_default() }
    }
}

/// Reports a value that a group has named before.
fn taken(
    report: &mut Report<'_>,
    given: &Spanned<String>,
    (key, value): (&str, &str),
    group: &str,
    other: Option<&str>,
) {
    let (message, hint) = match other {
        None => return,
        Some(other) if other == group => {
            (messages::twice_in_group(value, key, group), messages::remove_one())
        }
        Some(other) => (messages::in_two_groups(value, group, other), messages::leave_in_one()),
    };
    report.mistake(given.span(), message).hint = Some(hint);
}

/// A host name, in lower case and without a final dot, as TLS carries it.
fn server_name(report: &mut Report<'_>, given: &Spanned<String>) -> Option<String> {
    let text = given.get_ref();
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_label = |label: &str| {
        label.bytes().all(is_letter) && !label.starts_with('-') && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_host = Name::from_text(name).is_ok()
        && name.contains('.')
        && name.split('.').all(|label| !label.is_empty() && is_label(label))
        && name.parse::<IpAddr>().is_err();
    if !is_host {
        report.mistake(given.span(), messages::no_server_name(text)).hint =
            Some(messages::write("pupils.dns.school.example"));
        return None;
    }
    Some(name.to_ascii_lowercase())
}

/// The hardware address of one device.
fn hardware_address(report: &mut Report<'_>, given: &Spanned<String>) -> Option<Mac> {
    let text = given.get_ref();
    let (message, hint) = match text.parse::<Mac>() {
        Ok(mac) if mac.is_of_one_device() => return Some(mac),
        Ok(mac) => (messages::mac_of_no_device(mac), messages::write_the_printed_one()),
        Err(()) => (messages::no_mac(text), messages::write("a0:36:9f:00:00:01")),
    };
    report.mistake(given.span(), message).hint = Some(hint);
    None
}
