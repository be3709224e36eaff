//! `[local]` and `[[forward]]`: local records, and zones with servers of their own.
//!
//! ```toml
//! [local]
//! records = ["printer.school.lan A 10.20.0.9"]
//!
//! [[forward]]
//! zone = "school.local"
//! servers = ["udp://10.20.0.10"]
//! ```
//!
//! Both are sources of an answer, never a verdict: what policy blocks stays blocked.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use toml::Spanned;

use crate::config::file::report::Report;
use crate::config::file::server_entry::entries;
use crate::config::file::shape::{File, ForwardFile, LocalFile, Table};
use crate::config::file::value::each;
use crate::config::file::wire_error::{name_error, record_error};
use crate::config::sections::listen::Listen;
use crate::config::sections::server::Server;
use crate::dns::message::local::{self, LocalRecord};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::lang::messages;
use crate::policy::tables::local_zones::{LocalName, is_public_suffix};
use crate::policy::tables::rewrite::Engines;
use crate::policy::tables::special::is_fixed;
use crate::rule::LocalData;

/// Most forward zones: each has servers and metric series of its own.
const MAX_ZONES: usize = 32;
/// Most local records.
const MAX_RECORDS: usize = 10_000;

/// Local records, and the handling of private names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Names with their records.
    pub names: Vec<LocalName>,
    /// Default TTL of a record.
    pub ttl: Duration,
    /// Whether names of private networks (RFC 6303 and others) are forwarded upstream.
    pub forward_private: bool,
}

impl Default for Local {
    fn default() -> Self {
        Self { names: Vec::new(), ttl: Duration::from_secs(300), forward_private: false }
    }
}

impl Local {
    /// The name to ask upstream for the addresses of `name`, and the addresses that the records
    /// give already; those are all there are.
    pub fn addresses(&self, name: &Name) -> (Name, Vec<IpAddr>) {
        let own = |name: &Name| self.names.iter().find(|one| one.name == *name);
        let cname = own(name).and_then(|one| one.data.cname.clone());
        let last = cname.unwrap_or_else(|| name.clone());
        let records = own(&last).into_iter().flat_map(|one| one.data.records.iter());
        let address = |(rtype, rdata): &(u16, Box<[u8]>)| match *rtype {
            rtype::A => <[u8; 4]>::try_from(&**rdata).ok().map(IpAddr::from),
            rtype::AAAA => <[u8; 16]>::try_from(&**rdata).ok().map(IpAddr::from),
            _ => None,
        };
        let mut found: Vec<IpAddr> = records.filter_map(address).collect();
        found.sort_by_key(IpAddr::is_ipv6);
        (last, found)
    }
}

/// A zone with servers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardZone {
    /// The zone: the name and all below it.
    pub zone: Name,
    /// Servers of the zone, in order of preference; never empty.
    pub servers: Vec<Server>,
}

/// Refuses a record of a safe-search target: it would redirect every search engine.
fn refuse_safe(report: &mut Report<'_>, engines: &Engines, text: &Spanned<String>, owner: &Name) {
    let is_safe = engines.0.iter().flat_map(|engine| &engine.modes);
    if is_safe.into_iter().any(|(_, target)| target == owner) {
        let owner = owner.to_string();
        let owner = owner.trim_end_matches('.');
        let message = messages::safe_search_target(owner);
        report.mistake(text.span(), message).hint = Some(messages::remove_it());
    }
}

/// Reads `[local]`.
pub(crate) fn local(report: &mut Report<'_>, engines: &Engines, file: &LocalFile) -> Local {
    let mut local = Local::default();
    report.ttl("ttl", file.ttl.as_ref(), 1..=86_400, &mut local.ttl);
    local.forward_private = file.forward_private.unwrap_or(local.forward_private);
    let mut found: BTreeMap<Name, (Spanned<String>, Vec<LocalRecord>)> = BTreeMap::new();
    for text in each(&file.records) {
        let record = match local::parse(text.get_ref()) {
            Ok(record) => record,
            Err(error) => {
                let (shown, reason) = (format!("{:?}", text.get_ref()), record_error(&error));
                report.mistake(text.span(), messages::wrong_record(shown, reason)).hint =
                    Some(messages::write_it_as("printer.school.lan A 10.20.0.9"));
                continue;
            }
        };
        refuse_fixed(report, text, &record.owner);
        refuse_safe(report, engines, text, &record.owner);
        let (_, records) =
            found.entry(record.owner.clone()).or_insert_with(|| (text.clone(), Vec::new()));
        if records.iter().any(|other| other.target.is_some() || record.target.is_some()) {
            let message = messages::beside_cname(&record.owner);
            report.mistake(text.span(), message).hint = Some(messages::remove_one());
        }
        records.push(record);
    }
    if let Some(records) = file.records.as_ref().filter(|r| r.get_ref().len() > MAX_RECORDS) {
        let message = messages::too_many_records(MAX_RECORDS);
        report.mistake(records.span(), message).hint =
            Some(messages::let_a_server_answer("[[forward]]"));
    }
    let targets: BTreeMap<&Name, &Name> = found
        .iter()
        .filter_map(|(name, (_, records))| Some((name, records.first()?.target.as_ref()?)))
        .collect();
    let ttl = u32::try_from(local.ttl.as_secs()).unwrap_or(u32::MAX);
    let mut ends = HashMap::new();
    for (name, (text, records)) in &found {
        let Some(cname) = last_target(&targets, &mut ends, name) else {
            report.mistake(text.span(), messages::alias_circle(name)).hint =
                Some(messages::lead_to_an_address());
            continue;
        };
        let is_alias = cname != *name;
        local.names.push(LocalName {
            name: name.clone(),
            ttl: records.iter().map(|record| record.ttl.unwrap_or(ttl)).min().unwrap_or(ttl),
            data: LocalData {
                cname: is_alias.then_some(cname),
                records: if is_alias {
                    Vec::new()
                } else {
                    records.iter().map(|r| (r.rtype, r.rdata.clone())).collect()
                },
            },
        });
    }
    local
}

/// The end of the CNAME chain of a name, itself without one; `None` for a circle.
///
/// `ends` has the ends that are known already: each name is walked over once.
fn last_target<'n>(
    targets: &BTreeMap<&'n Name, &'n Name>,
    ends: &mut HashMap<&'n Name, Option<&'n Name>>,
    name: &'n Name,
) -> Option<Name> {
    let (mut at, mut walked) = (name, Vec::new());
    let end = loop {
        if let Some(known) = ends.get(at) {
            break *known;
        }
        let Some(next) = targets.get(at) else { break Some(at) };
        // Until its end is known: a name that is met again is in a circle.
        ends.insert(at, None);
        walked.push(at);
        at = next;
    };
    for name in walked {
        ends.insert(name, end);
    }
    end.cloned()
}

/// Reads each `[[forward]]`.
pub(crate) fn forwards(report: &mut Report<'_>, file: &File, listen: &Listen) -> Vec<ForwardZone> {
    let mut zones: Vec<ForwardZone> = Vec::new();
    for table in file.forward.iter().take(2 * MAX_ZONES) {
        let Some(forward) = forward(report, table, listen) else { continue };
        if zones.iter().any(|other| other.zone == forward.zone) {
            let message = messages::zone_already(&forward.zone);
            report.mistake(table.span(), message).hint =
                Some(messages::name_all_servers("[[forward]]"));
        }
        zones.push(forward);
    }
    if let Some(table) = file.forward.get(MAX_ZONES) {
        report.mistake(table.span(), messages::too_many_zones(MAX_ZONES));
    }
    zones
}

/// Reads one `[[forward]]`.
fn forward(
    report: &mut Report<'_>,
    table: &Spanned<Table<ForwardFile>>,
    listen: &Listen,
) -> Option<ForwardZone> {
    let file = table.get_ref();
    let zone = match &file.zone {
        Some(text) => zone(report, text),
        None => report.missing(table.span(), "[[forward]]", "zone"),
    };
    let mixes_case = file.case_randomisation.unwrap_or(true);
    let servers = report.servers(&file.servers, mixes_case, listen);
    if entries(&file.servers).count() == 0 {
        let span = file.servers.as_ref().map_or(table.span(), Spanned::span);
        report.mistake(span, messages::zone_needs("servers")).hint =
            Some(messages::write("servers = [\"udp://10.20.0.10\"]"));
    }
    Some(ForwardZone { zone: zone?, servers })
}

/// Reads the zone of a `[[forward]]`; a public suffix or a special-use name is refused.
fn zone(report: &mut Report<'_>, text: &Spanned<String>) -> Option<Name> {
    let shown = text.get_ref();
    if shown == "." {
        report.mistake(text.span(), messages::root_zone()).hint =
            Some(messages::write_into("[upstream]"));
        return None;
    }
    let zone = match Name::from_text(shown) {
        Ok(zone) => zone,
        Err(error) => {
            report.mistake(text.span(), messages::no_zone_name(shown, name_error(&error)));
            return None;
        }
    };
    if is_public_suffix(&zone) && !is_ours(&zone) {
        let message = messages::public_suffix(shown);
        report.mistake(text.span(), message).hint =
            Some(messages::name_the_zone(format!("school.{shown}")));
    }
    refuse_fixed(report, text, &zone);
    Some(zone)
}

/// Public suffixes that a network may serve itself.
fn is_ours(zone: &Name) -> bool {
    // RFC 8375, RFC 9665.
    matches!(zone.to_string().as_str(), "home.arpa." | "service.arpa.")
}

/// Reports a special-use name whose answer no config changes.
fn refuse_fixed(report: &mut Report<'_>, text: &Spanned<String>, name: &Name) {
    if is_fixed(&Folded::from_name(name)) {
        let message = messages::special_use(name);
        report.mistake(text.span(), message).hint = Some(messages::choose_another_name());
    }
}
