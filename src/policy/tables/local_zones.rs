//! Local data and forward zones: names that config answers, and zones with servers of their own.
//!
//! An entry is a source of an answer, **never a verdict**: every step of the order comes first
//! (`docs/concepts/decision-order.md`, step 20). A name with an entry is exempt only from the
//! answers for special-use and private names and from rebinding protection.

use std::net::IpAddr;

use psl::Psl as _;

use crate::dns::name::{Folded, Name};
use crate::dns::public_suffix::{PublicSuffixes, is_top_level};
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::matcher::HashedName;
use crate::matcher::names::NameTable;
use crate::policy::tables::designated::{Designated, DesignatedTable};
use crate::policy::tables::special::{Special, special};
use crate::rule::{LocalData, Scope};

/// The local data of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalName {
    /// The name.
    pub name: Name,
    /// TTL of its records in seconds.
    pub ttl: u32,
    /// Its records; a CNAME is resolved to its last target.
    pub data: LocalData,
}

/// The most addresses of the portal in each family: a reply has room for them without allocation.
pub const MOST_PORTAL_ADDRESSES: usize = 4;

/// The label below the portal's name of names that exist to be asked for: a browser that resolves
/// one resolves by this gateway.
const CHECK: &[u8] = b"check";
/// What such a name begins with that has addresses of one family alone: a browser that reaches it
/// has a way of that family.
const ONLY_V4: &[u8] = b"v4-";
const ONLY_V6: &[u8] = b"v6-";

/// The portal's name and addresses.
#[derive(Debug, Clone)]
pub struct PortalHost {
    /// The name in lower case.
    name: Folded,
    /// The RDATA of its A records.
    v4: Vec<[u8; 4]>,
    /// The RDATA of its AAAA records.
    v6: Vec<[u8; 16]>,
}

impl PortalHost {
    /// A portal of this name at some of these addresses.
    pub fn new(name: &Name, addresses: &[IpAddr]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                IpAddr::V4(address) => v4.push(address.octets()),
                IpAddr::V6(address) => v6.push(address.octets()),
            }
        }
        v4.truncate(MOST_PORTAL_ADDRESSES);
        v6.truncate(MOST_PORTAL_ADDRESSES);
        Self { name: Folded::from_name(name), v4, v6 }
    }

    /// Hands the RDATA of a type to `write`; none of a type without any.
    #[inline]
    pub fn with_records<T>(&self, qtype: u16, write: impl FnOnce(&[&[u8]]) -> T) -> T {
        let mut room: [&[u8]; MOST_PORTAL_ADDRESSES] = [&[]; MOST_PORTAL_ADDRESSES];
        let mut length = 0;
        let mut put = |rdata| {
            if let Some(place) = room.get_mut(length) {
                *place = rdata;
                length += 1;
            }
        };
        match qtype {
            rtype::A => self.v4.iter().for_each(|octets| put(octets.as_slice())),
            rtype::AAAA => self.v6.iter().for_each(|octets| put(octets.as_slice())),
            _ => {}
        }
        write(room.get(..length).unwrap_or_default())
    }

    /// The answer to the portal's name, and to the names that exist to be asked for.
    #[inline]
    fn special(&self, name: &Folded, qtype: u16) -> Option<Special> {
        if name.as_wire() == self.name.as_wire() {
            return Some(Special::Portal);
        }
        self.below(name, qtype)
    }

    /// The answer to a name below the portal's: its own labels are few, and compared last.
    #[inline]
    fn below(&self, name: &Folded, qtype: u16) -> Option<Special> {
        let below = name.label_count().checked_sub(self.name.label_count())?;
        let label = below.checked_sub(1)?;
        if name.label(label) != CHECK || !name.is_at_or_below(self.name.as_wire()) {
            return None;
        }
        Some(match below {
            1 => Special::NoData,
            2 if qtype == rtype::AAAA && name.label(0).starts_with(ONLY_V4) => Special::NoData,
            2 if qtype == rtype::A && name.label(0).starts_with(ONLY_V6) => Special::NoData,
            2 => Special::Portal,
            _ => Special::NxDomain,
        })
    }
}

/// Local data, forward zones, and the treatment of private names without either.
#[derive(Debug, Clone, Default)]
pub struct LocalZoneParts {
    /// The portal; none where the config has none.
    pub portal: Option<PortalHost>,
    /// The encrypted listeners that clients are led to.
    pub designated: Designated,
    /// Names with records.
    pub names: Vec<LocalName>,
    /// Zones, each with all below it.
    pub zones: Vec<(Name, UpstreamId)>,
    /// Whether names of private networks are forwarded to the main upstream.
    pub forward_private: bool,
}

/// Local data and forward zones in tables.
#[derive(Debug)]
pub(crate) struct LocalZones {
    portal: Option<PortalHost>,
    /// None without encrypted listeners.
    designated: Option<DesignatedTable>,
    names: NameTable<LocalName>,
    zones: NameTable<UpstreamId>,
    /// Ancestors of configured names: they exist (empty non-terminals).
    parents: NameTable<()>,
    forward_private: bool,
}

impl LocalZones {
    pub(crate) fn new(parts: LocalZoneParts, seed: u64) -> Self {
        let designated = DesignatedTable::new(parts.designated, seed);
        let mut named: Vec<Name> = parts.portal.iter().map(|one| one.name.to_name()).collect();
        if let Some(table) = &designated {
            named.extend(table.own().into_iter().cloned());
        }
        named.extend(parts.names.iter().map(|one| one.name.clone()));
        named.extend(parts.zones.iter().map(|(zone, _)| zone.clone()));
        let parents: Vec<Name> = named
            .iter()
            .flat_map(|name| std::iter::successors(name.parent(), Name::parent))
            .filter(|name| !name.is_root())
            .collect();
        let exact = |one: LocalName| (one.name.clone(), Scope::Exact, one);
        Self {
            portal: parts.portal,
            designated,
            names: NameTable::new(parts.names.into_iter().map(exact), seed),
            zones: NameTable::new(
                parts.zones.into_iter().map(|(zone, id)| (zone, Scope::Subtree, id)),
                seed,
            ),
            parents: NameTable::new(parents.into_iter().map(|n| (n, Scope::Exact, ())), seed),
            forward_private: parts.forward_private,
        }
    }

    /// The records of a name.
    #[inline]
    pub(crate) fn local(&self, hashed: &HashedName<'_>) -> Option<&LocalName> {
        self.names.exact(hashed.name, &hashed.hashes)
    }

    /// The upstream for a name.
    #[inline]
    pub(crate) fn upstream(&self, hashed: &HashedName<'_>) -> UpstreamId {
        let zone = self.zones.longest(hashed.name, &hashed.hashes);
        zone.map_or(UpstreamId::MAIN, |(_, &id)| id)
    }

    /// The portal.
    #[inline]
    pub(crate) fn portal(&self) -> Option<&PortalHost> {
        self.portal.as_ref()
    }

    /// The encrypted listeners that clients are led to.
    #[inline]
    pub(crate) fn designated(&self) -> Option<&DesignatedTable> {
        self.designated.as_ref()
    }

    /// Whether nothing is configured.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.zones.is_empty()
    }

    /// Whether any forward zone is configured.
    pub(crate) fn has_zones(&self) -> bool {
        !self.zones.is_empty()
    }

    /// Whether the name has local data or a forward zone.
    #[inline]
    pub(crate) fn covers(&self, hashed: &HashedName<'_>) -> bool {
        self.local(hashed).is_some() || self.upstream(hashed) != UpstreamId::MAIN
    }

    /// The answer to a special-use or private name without local data or a forward zone.
    #[inline]
    pub(crate) fn special(&self, hashed: &HashedName<'_>, qtype: u16) -> Option<Special> {
        if let Some(own) =
            self.portal.as_ref().and_then(|portal| portal.special(hashed.name, qtype))
        {
            return Some(own);
        }
        if let Some(own) = self.designated.as_ref().and_then(|table| table.special(hashed)) {
            // The config's record of a name wins.
            return self.local(hashed).is_none().then_some(own);
        }
        let private = || {
            (!self.forward_private && is_private(hashed.name, qtype)).then_some(Special::NxDomain)
        };
        let found = special(hashed.name, qtype).or_else(private)?;
        if self.covers(hashed) {
            return None;
        }
        let is_parent = || self.parents.exact(hashed.name, &hashed.hashes).is_some();
        // An NXDOMAIN would make caches downstream deny all names below it (RFC 8020).
        Some(if found == Special::NxDomain && is_parent() { Special::NoData } else { found })
    }
}

/// Whether a name belongs to private networks (RFC 6762 appendix G), or is a single label that is
/// no top-level domain.
///
/// NS, SOA, DS and DNSKEY queries for a single label are forwarded: validators and resolvers that
/// learn zone cuts send them.
#[inline]
fn is_private(name: &Folded, qtype: u16) -> bool {
    let Some(last) = name.label_count().checked_sub(1) else { return false };
    if matches!(name.label(last), b"lan" | b"corp" | b"home" | b"intranet" | b"private") {
        return true;
    }
    last == 0
        && !matches!(qtype, rtype::NS | rtype::SOA | rtype::DS | rtype::DNSKEY)
        && !is_public(name.label(0))
}

fn is_public(label: &[u8]) -> bool {
    // `example` is reserved for documents, and no resolver treats it otherwise (RFC 6761 §6.5).
    label == b"example" || is_top_level(label)
}

/// Whether `name` is a public suffix: registrants own the names directly below it.
pub fn is_public_suffix(name: &Name) -> bool {
    let text = name.to_string();
    let text = text.trim_end_matches('.').as_bytes();
    PublicSuffixes.suffix(text).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == text)
}

/// Whether `name` is directly below a public suffix: what is below it is all of one owner, not of one host.
pub fn is_whole_domain(name: &Name) -> bool {
    name.parent().is_some_and(|parent| {
        let text = parent.to_string();
        let is_top = parent.label_count() == 1 && is_public(text.trim_end_matches('.').as_bytes());
        is_top || is_public_suffix(&parent)
    })
}

/// Whether a registry sells the names directly below `name`: a public suffix that is no company's own.
pub(crate) fn is_registry(name: &Name) -> bool {
    let text = name.to_string();
    let text = text.trim_end_matches('.').as_bytes();
    let is_sold = |suffix: psl::Suffix<'_>| suffix.typ() == Some(psl::Type::Icann);
    PublicSuffixes.suffix(text).is_some_and(|suffix| is_sold(suffix) && suffix.as_bytes() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_names_are_known() {
        let private = |name: &str, qtype| {
            is_private(&Folded::from_name(&Name::from_text(name).unwrap()), qtype)
        };
        for name in ["nas.lan", "x.y.corp", "home", "wpad", "printer", "intranet"] {
            assert!(private(name, rtype::A), "{name}");
        }
        for name in ["example.com", "com", "vn", "lan.example", "xn--p1ai", "example"] {
            assert!(!private(name, rtype::A), "{name}");
        }
        // A validator sends this for a top-level domain that is newer than our table.
        assert!(!private("brandnew", rtype::DS));
    }

    #[test]
    fn public_suffixes_are_known() {
        let is_public = |name| is_public_suffix(&Name::from_text(name).unwrap());
        for name in ["com", "vn", "edu.vn", "com.vn", "github.io", "in-addr.arpa", "ip6.arpa"] {
            assert!(is_public(name), "{name}");
        }
        for name in ["school.edu.vn", "lan", "school.local", "10.in-addr.arpa", "internal"] {
            assert!(!is_public(name), "{name}");
        }
    }
}
