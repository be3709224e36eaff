//! Public suffixes that are listed with all below them, and that no exception frees.
//!
//! | what is listed | by the Public Suffix List | refuses |
//! |---|---|---|
//! | `com`, `com.br`, `github.io` | a rule names it | yes |
//! | `com.bd` | a registry's wildcard has it (`*.bd`) | yes |
//! | `localto.net` | the suffixes of a wildcard are its children (`*.localto.net`) | yes |
//! | `x.localto.net` | a company's wildcard has it | no |
//! | `city.kobe.jp`, `evil.github.io` | no suffix: one registrant has it | no finding |
//!
//! A company's wildcard says that nobody may set cookies at `x.localto.net`, and not that others
//! register names below it: as a rule it is the name of one customer, such as lists of malware are
//! full of. It may be a region with many customers as well, so that it is told.

use psl::{Psl as _, Type};

use crate::category::CategorySet;
use crate::dns::name::{Labels, Name};
use crate::dns::public_suffix::PublicSuffixes;
use crate::lang::messages;
use crate::pack::Pack;
use crate::publish::lint::finding::{LintFinding, shown};
use crate::publish::lint::{BELOW, Lint, SUFFIX, SUFFIX_OF_ONE};
use crate::rule::{Effect, Rule};

impl Lint<'_> {
    /// The suffixes of a pack that are blocked with all below them.
    pub(super) fn suffixes(
        &self,
        pack: &Pack,
        blocking: impl Fn(&Name) -> CategorySet,
    ) -> Vec<LintFinding> {
        let lists = |rule: &Rule| {
            matches!(rule.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                && !rule.action.is_pass()
                && rule.scope.covers(false)
        };
        let mut suffixes = Vec::new();
        pack.each_name(|wire, set| {
            if let Some(kind) = kind_of(wire).filter(|_| pack.set(set).1.clone().any(lists)) {
                suffixes.push((shown(wire), wire.to_vec(), kind));
            }
        });
        suffixes.sort();
        let mut found = Vec::new();
        for (name, wire, kind) in suffixes {
            // Some name below it; what an exception frees there is not blocked.
            let below = Name::from_text(&format!("{BELOW}.{name}"));
            for category in below.map(|name| blocking(&name)).unwrap_or_default().iter() {
                let id = &self.taxonomy.category(category).id;
                let message = messages::suffix_finding(name.as_str());
                let wanted = vec![(wire.clone(), false)];
                found.push(LintFinding::of_name(kind, id, &wire, wanted, &message, self.lang));
            }
        }
        found
    }
}

/// The kind of finding that a listed name with all below it is.
fn kind_of(wire: &[u8]) -> Option<(&'static str, bool)> {
    let labels: Vec<&[u8]> = Labels(wire).collect();
    let length = wire.len().checked_sub(2)?;
    let below = [BELOW.as_bytes()];
    // The suffix of some name below: that name itself where a wildcard has it, or the listed one.
    let info = PublicSuffixes.find(labels.iter().rev().chain(&below).copied());
    // Only by a rule of the list: its default rule makes a suffix of any last label.
    let by = info.typ?;
    if info.len > length {
        return Some(SUFFIX);
    }
    let is_suffix = info.len == length;
    let is_of_company = || {
        let sibling = labels.iter().skip(1).rev().chain(&below).copied();
        let parent = length.saturating_sub(labels.first().map_or(0, |label| label.len()));
        by == Type::Private && PublicSuffixes.find(sibling).len == parent + BELOW.len()
    };
    is_suffix.then(|| if is_of_company() { SUFFIX_OF_ONE } else { SUFFIX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_what_a_rule_names_and_what_stands_above_a_wildcard() {
        let kind = |name: &str| kind_of(Name::from_text(name).unwrap().as_wire());
        for name in [
            "com",
            "vn",
            "com.vn",
            "edu.vn",
            "com.br",
            "co.uk",
            "github.io",
            "cloudfront.net",
            // By a registry's wildcard, and above one.
            "com.bd",
            "bd",
            "shop.kobe.jp",
            "kobe.jp",
            // Above a company's wildcard.
            "localto.net",
            "at.ply.gg",
        ] {
            assert_eq!(kind(name), Some(SUFFIX), "{name}");
        }
        for name in ["x.localto.net", "studies-royal.at.ply.gg"] {
            assert_eq!(kind(name), Some(SUFFIX_OF_ONE), "{name}");
        }
        for name in [
            "google.com",
            "x.com.br",
            "x.github.io",
            "ply.gg",
            "y.x.localto.net",
            "city.kobe.jp",
            "www.ck",
            "x.com.bd",
            "nosuchtld",
            "x.nosuchtld",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
