//! Local data and forward zones: names that config answers, and zones with servers of their own.
//!
//! An entry is a source of an answer, **never a verdict**: every step of the order comes first
//! (`docs/concepts/decision-order.md`, step 20). A name with an entry is exempt only from the
//! answers for special-use and private names and from rebinding protection.

use psl::Psl as _;

use crate::dns::name::{Folded, Name};
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::matcher::HashedName;
use crate::matcher::names::NameTable;
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

/// Local data, forward zones, and the treatment of private names without either.
#[derive(Debug, Clone, Default)]
pub struct LocalZoneParts {
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
    names: NameTable<LocalName>,
    zones: NameTable<UpstreamId>,
    /// Ancestors of configured names: they exist (empty non-terminals).
    parents: NameTable<()>,
    forward_private: bool,
}

impl LocalZones {
    pub(crate) fn new(parts: LocalZoneParts, seed: u64) -> Self {
        let named = parts.names.iter().map(|one| &one.name);
        let parents: Vec<Name> = named
            .chain(parts.zones.iter().map(|(zone, _)| zone))
            .flat_map(|name| std::iter::successors(name.parent(), Name::parent))
            .filter(|name| !name.is_root())
            .collect();
        let exact = |one: LocalName| (one.name.clone(), Scope::Exact, one);
        Self {
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
        && !is_top_level(name.label(0))
}

fn is_top_level(label: &[u8]) -> bool {
    // `example` is reserved for documents, and no resolver treats it otherwise (RFC 6761 §6.5).
    label == b"example" || psl::List.suffix(label).is_some_and(|suffix| suffix.is_known())
}

/// Whether `name` is a public suffix: registrants own the names directly below it.
pub fn is_public_suffix(name: &Name) -> bool {
    let text = name.to_string();
    let text = text.trim_end_matches('.').as_bytes();
    psl::List.suffix(text).is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == text)
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
