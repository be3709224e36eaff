//! Where answers come from other than upstream: records of the config, and zones that
//! other servers answer for.
//!
//! A source of an answer, never a verdict: every step of the order comes before
//! it (DESIGN §3, step 12). What a name here does escape is the answer that a
//! special-use or private name gets, and the suspicion against addresses from inside.

use psl::Psl as _;

use crate::dns::name::{Folded, Name};
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::matcher::HashedName;
use crate::matcher::names::NameTable;
use crate::policy::tables::special::{Special, special};
use crate::rule::{LocalData, Scope};

/// What the config says of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalName {
    /// The name.
    pub name: Name,
    /// Seconds that its records may be kept.
    pub ttl: u32,
    /// Its records; a CNAME leads to its last target.
    pub data: LocalData,
}

/// Local records, forward zones, and what becomes of private names without either.
#[derive(Debug, Clone, Default)]
pub struct LocalZoneParts {
    /// Names with records.
    pub names: Vec<LocalName>,
    /// Zones, each with all below it.
    pub zones: Vec<(Name, UpstreamId)>,
    /// Whether names that mean something in a private network only are asked upstream.
    pub forward_private: bool,
}

/// The same, ready to ask.
#[derive(Debug)]
pub(crate) struct LocalZones {
    names: NameTable<LocalName>,
    zones: NameTable<UpstreamId>,
    /// Names above those of the config: they exist.
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

    /// Who is asked for a name.
    #[inline]
    pub(crate) fn upstream(&self, hashed: &HashedName<'_>) -> UpstreamId {
        let zone = self.zones.longest(hashed.name, &hashed.hashes);
        zone.map_or(UpstreamId::MAIN, |(_, &id)| id)
    }

    /// Whether there is a zone that other servers answer for.
    pub(crate) fn has_zones(&self) -> bool {
        !self.zones.is_empty()
    }

    /// Whether the config says where a name's answer comes from.
    #[inline]
    pub(crate) fn covers(&self, hashed: &HashedName<'_>) -> bool {
        self.local(hashed).is_some() || self.upstream(hashed) != UpstreamId::MAIN
    }

    /// The answer to a special-use or private name that the config says nothing of.
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
        // Else a cache downstream would take all below it for gone (RFC 8020).
        Some(if found == Special::NxDomain && is_parent() { Special::NoData } else { found })
    }
}

/// Whether a name means something in a private network only (RFC 6762 appendix G), or is one
/// label that is no top-level domain.
///
/// What a resolver that validates or learns about zones asks of one label goes on.
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

/// Whether all the world registers names directly below `name`.
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
        // Who validates asks this of a top-level domain that is newer than our table.
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
