//! `[portal]`: the pages that people of the school open in a browser.
//!
//! Law: the portal's name must never be one that somebody outside the school can register: away
//! from school, browsers would send that person what they keep for the name.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use psl::Psl as _;
use toml::Spanned;

use crate::config::AdminSettings;
use crate::config::file::report::Report;
use crate::config::file::shape::{HelpFile, PortalFile, SpannedText, Table};
use crate::config::file::value::each;
use crate::config::sections::listen::{Listen, collide};
use crate::config::sections::local::{ForwardZone, Local};
use crate::dns::name::{Folded, Name};
use crate::dns::public_suffix::PublicSuffixes;
use crate::dns::rtype;
use crate::lang::{Lang, messages};
use crate::policy::tables::local_zones::{MOST_PORTAL_ADDRESSES, is_public_suffix};
use crate::policy::tables::special::{is_fixed, special};

/// The name where the config gives none.
const NAME: &str = "lachan.internal";
/// The most listen addresses.
const MOST_LISTENERS: usize = 8;
/// The most help lines: a page shows them all.
const MOST_HELP_LINES: usize = 8;
/// The most characters of a text of the school.
const MOST_CHARACTERS: usize = 120;

/// The pages that people of the school open in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalSettings {
    /// The addresses of its HTTP server; never empty.
    pub listen: Vec<SocketAddr>,
    /// The name that the gateway answers with `addresses`.
    pub name: Name,
    /// The addresses that its name, and blocked names under `answer = "portal"`, lead to.
    pub addresses: Vec<IpAddr>,
    /// Networks of staff.
    pub staff_networks: Vec<IpNet>,
    /// Whom a pupil asks, in the school's words.
    pub contact: Option<String>,
    /// Lines that a pupil may call.
    pub help: Vec<HelpLine>,
}

/// A line that a pupil may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpLine {
    /// Its name in Vietnamese.
    pub label: String,
    /// Its name in English.
    pub label_en: String,
    /// The number.
    pub number: String,
}

impl HelpLine {
    /// Its name in a language.
    pub fn label_in(&self, lang: Lang) -> &str {
        if lang == Lang::En { &self.label_en } else { &self.label }
    }
}

impl PortalSettings {
    /// The name as people write it.
    pub fn shown_name(&self) -> String {
        self.name.to_string().trim_end_matches('.').to_ascii_lowercase()
    }
}

impl Report<'_> {
    /// Checks `[portal]`; none where it has no `listen`.
    pub(in crate::config) fn portal(
        &mut self,
        file: &PortalFile,
        (listen, admin): (&Listen, &AdminSettings),
        (local, forwards): (&Local, &[ForwardZone]),
    ) -> Option<PortalSettings> {
        let Some(given) = &file.listen else {
            let others = [&file.name, &file.contact].into_iter().flatten().map(Spanned::span);
            let lists = [&file.addresses, &file.staff_networks];
            let lists = lists.into_iter().flatten().map(Spanned::span);
            let help = file.help.iter().map(Spanned::span);
            if let Some(span) = others.chain(lists).chain(help).next() {
                self.mistake(span, messages::portal_needs_listen("[portal]", "listen")).hint =
                    Some(messages::add("listen = [\"10.20.0.1:80\"]"));
            }
            return None;
        };
        let own = self.portal_listeners(given, listen, admin);
        let name = self.portal_name(file, local, forwards);
        let addresses = self.portal_addresses(file, given, &own);
        let staff = file.staff_networks.as_ref();
        Some(PortalSettings {
            listen: own,
            name,
            addresses,
            staff_networks: staff.map_or(Vec::new(), |nets| self.networks("staff_networks", nets)),
            contact: self.portal_text("contact", &file.contact),
            help: self.help_lines(&file.help),
        })
    }

    fn portal_listeners(
        &mut self,
        given: &Spanned<Vec<Spanned<String>>>,
        listen: &Listen,
        admin: &AdminSettings,
    ) -> Vec<SocketAddr> {
        if given.get_ref().is_empty() {
            self.mistake(given.span(), messages::no_listener("listen")).hint =
                Some(messages::write_or_leave_out("listen = [\"10.20.0.1:80\"]"));
        }
        let mut own: Vec<SocketAddr> = Vec::new();
        for text in given.get_ref() {
            let Some(address) = self.listen_address(text, 80) else { continue };
            if own.len() == MOST_LISTENERS {
                self.mistake(text.span(), messages::portal_too_many("listen", MOST_LISTENERS));
                break;
            }
            let is_taken = |others: &[SocketAddr]| {
                address.port() != 0 && others.iter().any(|other| collide(*other, address))
            };
            let by = match () {
                () if is_taken(&own) => Some("[portal] listen"),
                () if is_taken(&[admin.listen]) => Some("[admin] listen"),
                () => listen.taken(address),
            };
            if let Some(by) = by {
                self.mistake(text.span(), messages::port_taken(address, by)).hint =
                    Some(messages::portal_another_port());
            }
            own.push(address);
        }
        own
    }

    fn portal_name(&mut self, file: &PortalFile, local: &Local, forwards: &[ForwardZone]) -> Name {
        let default = Name::from_text(NAME).unwrap_or_else(|_| Name::root());
        let Some(text) = &file.name else { return default };
        let Some(name) = self.name("name", text) else { return default };
        let folded = Folded::from_name(&name);
        let shown = text.get_ref();
        let mistake = match () {
            // `.local` is asked by multicast, and never of a resolver.
            () if name.label_count() < 2 || is_fixed(&folded) || is_multicast(&folded) => {
                Some(messages::portal_special_name(shown))
            }
            () if is_public(&folded) && file.owned != Some(true) => {
                Some(messages::portal_public_name(shown))
            }
            () if is_suffix(&folded) => Some(messages::public_suffix(shown)),
            () if local.names.iter().any(|one| one.name == name) => {
                Some(messages::portal_name_taken(shown, "[local] records"))
            }
            () if forwards.iter().any(|one| one.zone == name) => {
                Some(messages::portal_name_taken(shown, "[[forward]]"))
            }
            () => None,
        };
        if let Some(mistake) = mistake {
            self.mistake(text.span(), mistake).hint =
                Some(messages::portal_write_name(format!("name = \"{NAME}\""), "owned = true"));
        }
        name
    }

    fn portal_addresses(
        &mut self,
        file: &PortalFile,
        given: &Spanned<Vec<Spanned<String>>>,
        own: &[SocketAddr],
    ) -> Vec<IpAddr> {
        let mut addresses: Vec<IpAddr> = Vec::new();
        let listed = each(&file.addresses).filter_map(|text| {
            let address = text.get_ref().parse::<IpAddr>().ok();
            let address = address.filter(|ip| !ip.is_unspecified() && !ip.is_multicast());
            if address.is_none() {
                self.mistake(text.span(), messages::portal_no_address(text.get_ref()));
            }
            address
        });
        let listed: Vec<IpAddr> = listed.collect();
        let is_given = file.addresses.is_some();
        let bound = own.iter().map(SocketAddr::ip).filter(|ip| !is_given && !ip.is_unspecified());
        for address in listed.into_iter().chain(bound) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let span = file.addresses.as_ref().map_or_else(|| given.span(), Spanned::span);
        for family in [IpAddr::is_ipv4, IpAddr::is_ipv6] {
            if addresses.iter().filter(|ip| family(ip)).count() > MOST_PORTAL_ADDRESSES {
                let message = messages::portal_too_many("addresses", MOST_PORTAL_ADDRESSES);
                self.mistake(span.clone(), message);
            }
        }
        if addresses.is_empty() && !own.is_empty() {
            self.mistake(span, messages::portal_needs_address("addresses")).hint =
                Some(messages::add("addresses = [\"10.20.0.1\"]"));
        }
        addresses
    }

    /// A text of the school that a page shows.
    fn portal_text(&mut self, key: &str, given: &SpannedText) -> Option<String> {
        let given = given.as_ref()?;
        let text = given.get_ref().trim();
        let is_right = (1..=MOST_CHARACTERS).contains(&text.chars().count())
            && !text.chars().any(char::is_control);
        if !is_right {
            self.mistake(given.span(), messages::portal_text(key, MOST_CHARACTERS));
        }
        is_right.then(|| text.to_owned())
    }

    fn help_lines(&mut self, given: &[Spanned<Table<HelpFile>>]) -> Vec<HelpLine> {
        let mut lines = Vec::new();
        for table in given {
            if lines.len() == MOST_HELP_LINES {
                let message = messages::portal_too_many("[[portal.help]]", MOST_HELP_LINES);
                self.mistake(table.span(), message);
                break;
            }
            let file = table.get_ref();
            let (Some(_), Some(_)) = (&file.label, &file.number) else {
                self.mistake(table.span(), messages::portal_help_needs("label", "number"));
                continue;
            };
            let label = self.portal_text("label", &file.label);
            let number = self.portal_text("number", &file.number);
            let label_en = self.portal_text("label_en", &file.label_en).or_else(|| label.clone());
            if let (Some(label), Some(label_en), Some(number)) = (label, label_en, number) {
                lines.push(HelpLine { label, label_en, number });
            }
        }
        lines
    }
}

/// Whether a name belongs to multicast DNS (RFC 6762).
fn is_multicast(name: &Folded) -> bool {
    name.label_count().checked_sub(1).is_some_and(|last| name.label(last) == b"local")
}

/// Whether anybody may register a name like this: it is below a public suffix, and not reserved.
fn is_public(name: &Folded) -> bool {
    let text = shown(name);
    let suffix = PublicSuffixes.suffix(text.as_bytes());
    special(name, rtype::A).is_none() && suffix.is_some_and(|suffix| suffix.is_known())
}

/// Whether a name is a public suffix itself.
fn is_suffix(name: &Folded) -> bool {
    is_public_suffix(&name.to_name())
}

fn shown(name: &Folded) -> String {
    name.to_name().to_string().trim_end_matches('.').to_owned()
}
