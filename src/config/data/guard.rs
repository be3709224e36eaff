//! The guard: names that no list may block by mistake, and what a rule of a list would cover.
//!
//! Law: a rule that covers a name of `guard.txt` is void in its list, whether it is for the name or
//! for a parent of it; its other rules act. A rule about more than names (a pattern, a keyword, every
//! name of a zone) spares each such name with all below it, and acts on the others. A list of the category that exists to block a name, a
//! category of a legal duty, and what is accepted of a source, may. An essential name resolves
//! whatever a list says ([`crate::policy`]): a rule for it is told and not taken away, since what
//! merely lies beside the name is blocked.

use std::collections::BTreeMap;

use crate::category::{CategorySet, Taxonomy};
use crate::config::data::released::ReleasedData;
use crate::dns::name::{Folded, Name};
use crate::rule::{Effect, Rule, Scope};

/// A guarded name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Guarded {
    name: Name,
    /// The categories that exist to block it.
    purpose: CategorySet,
    is_essential: bool,
}

/// What becomes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It covers no guarded name, or may.
    Acts,
    /// It covers an essential name, which resolves all the same, and acts on what is beside it.
    Beside,
    /// It covers a guarded name.
    Void,
}

/// The guarded names of a taxonomy, by what is at them and above them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    names: Vec<Guarded>,
    /// Every guarded name and every parent of one, with the places of the names at or below it.
    suffixes: BTreeMap<Name, Vec<usize>>,
    /// Categories of good names, with lists that block nothing, and of legal duties.
    exempt: CategorySet,
}

impl Guard {
    /// The embedded guard and essential names.
    pub fn embedded(taxonomy: &Taxonomy) -> Self {
        Self::of(&ReleasedData::default(), taxonomy)
    }

    /// The guard and essential names in effect.
    pub fn of(data: &ReleasedData, taxonomy: &Taxonomy) -> Self {
        let exempt = taxonomy.select(|row| row.is_positive || row.duty.is_some());
        let mut guard = Self { exempt, ..Self::default() };
        for (name, ids) in data.guarded().unwrap_or_default() {
            let purpose = ids.iter().filter_map(|id| taxonomy.find(id)).collect();
            guard.add(Guarded { name, purpose, is_essential: false });
        }
        for one in data.essential().unwrap_or_default() {
            let (name, purpose) = (one.name, CategorySet::EMPTY);
            guard.add(Guarded { name, purpose, is_essential: true });
        }
        guard
    }

    fn add(&mut self, guarded: Guarded) {
        let place = self.names.len();
        let mut at = Some(guarded.name.clone());
        while let Some(suffix) = at.filter(|suffix| !suffix.is_root()) {
            at = suffix.parent();
            self.suffixes.entry(suffix).or_default().push(place);
        }
        self.names.push(guarded);
    }

    /// Every guarded and essential name.
    pub fn names(&self) -> impl Iterator<Item = &Name> + Clone {
        self.names.iter().map(|one| &one.name)
    }

    /// The same, each with the categories that exist to block it and whether it is essential.
    pub fn guarded(&self) -> impl Iterator<Item = (&Name, CategorySet, bool)> {
        self.names.iter().map(|one| (&one.name, one.purpose, one.is_essential))
    }

    /// Every name at which a rule can cover a guarded name.
    pub fn suffixes(&self) -> impl Iterator<Item = &Name> {
        self.suffixes.keys()
    }

    /// The guarded and essential names that a rule at `name` of this scope covers.
    pub fn covers(&self, name: &Name, scope: Scope) -> impl Iterator<Item = &Name> {
        self.covered(name, scope).map(|one| &one.name)
    }

    fn covered(&self, name: &Name, scope: Scope) -> impl Iterator<Item = &Guarded> {
        let places = self.suffixes.get(name).into_iter().flatten();
        let names = places.filter_map(|place| self.names.get(*place));
        names.filter(move |guarded| scope.covers(guarded.name == *name))
    }

    /// What becomes of a rule at `name`, of a source of which some names are accepted.
    pub fn judge(&self, name: &Name, rule: &Rule, accepted: &[Name]) -> Judged {
        let blocks = match rule.effect {
            Effect::Add | Effect::AddImportant => true,
            Effect::Rpz => !rule.action.is_pass(),
            Effect::Clear | Effect::ClearImportant => false,
        };
        let mut judged = Judged::Acts;
        if !blocks || self.exempt.contains(rule.category) {
            return judged;
        }
        for guarded in self.covered(name, rule.scope) {
            let folded = Folded::from_name(&guarded.name);
            let is_meant = guarded.purpose.contains(rule.category)
                || accepted.iter().any(|accepted| folded.is_at_or_below(accepted.as_wire()));
            match (is_meant, guarded.is_essential) {
                (true, _) => {}
                (false, true) => judged = Judged::Beside,
                (false, false) => return Judged::Void,
            }
        }
        judged
    }

    /// The same for a guarded name that a rule blocks, whatever the rule is written about.
    pub fn judge_at(&self, name: &Name, rule: &Rule, accepted: &[Name]) -> Judged {
        self.judge(name, &Rule { scope: Scope::Exact, ..*rule }, accepted)
    }

    /// Whether accepting a name accepts anything: a guarded name is at or below it.
    pub fn has(&self, name: &Name) -> bool {
        self.suffixes.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::data::starter;

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    fn judge(at: &str, category: &str, scope: Scope, accepted: &[&str]) -> Judged {
        let taxonomy = starter::taxonomy().unwrap();
        let category = taxonomy.find(category).unwrap();
        let (effect, action) = (Effect::Add, crate::rule::Action::Default);
        let rule = Rule { category, scope, effect, action, source: 1 };
        let accepted: Vec<Name> = accepted.iter().map(|text| name(text)).collect();
        Guard::embedded(&taxonomy).judge(&name(at), &rule, &accepted)
    }

    #[test]
    fn a_rule_for_a_guarded_name_or_a_parent_of_it_is_void_where_it_covers_it() {
        let void = |at, scope| judge(at, "gambling", scope, &[]) == Judged::Void;
        for at in ["google.com", "GOOGLE.com", "moet.gov.vn", "edu.vn", "com", "vn", "int", "arpa"]
        {
            assert!(void(at, Scope::Subtree), "{at}");
        }
        assert!(!void("edu.vn", Scope::Exact) && void("google.com", Scope::Exact));
        assert!(!void("forms.gle", Scope::Below) && void("google.com", Scope::Below));
        for at in ["gemini.google.com", "x.moet.gov.vn", "example.com", "notgoogle.com"] {
            assert_eq!(judge(at, "gambling", Scope::Subtree, &[]), Judged::Acts, "{at}");
        }
        for at in ["pool.ntp.org", "ntp.org"] {
            assert_eq!(judge(at, "gambling", Scope::Subtree, &[]), Judged::Beside, "{at}");
        }
    }

    #[test]
    fn every_domain_that_no_list_closes_has_a_guarded_name() {
        for tld in ["com", "net", "org", "edu", "gov", "int", "arpa", "vn"] {
            assert_eq!(judge(tld, "gambling", Scope::Subtree, &[]), Judged::Void, "{tld}");
            assert_eq!(judge(tld, "gambling", Scope::Subtree, &[tld]), Judged::Acts, "{tld}");
        }
        assert_eq!(judge("zip", "gambling", Scope::Subtree, &[]), Judged::Acts);
    }

    #[test]
    fn a_name_that_a_wide_rule_blocks_is_judged_alone() {
        let taxonomy = starter::taxonomy().unwrap();
        let guard = Guard::embedded(&taxonomy);
        let at = |at: &str, category: &str| {
            let category = taxonomy.find(category).unwrap();
            let (scope, effect, action) =
                (Scope::Below, Effect::Rpz, crate::rule::Action::NxDomain);
            let rule = Rule { category, scope, effect, action, source: 1 };
            guard.judge_at(&name(at), &rule, &[])
        };
        assert_eq!(at("youtube.com", "video"), Judged::Acts);
        assert_eq!(at("youtube.com", "games"), Judged::Void);
        assert_eq!(at("pool.ntp.org", "games"), Judged::Beside);
        assert_eq!(at("ntp.org", "games"), Judged::Acts);
        assert_eq!(at("moet.gov.vn", "csam"), Judged::Acts);
    }

    #[test]
    fn a_category_may_block_what_it_is_for_and_a_source_what_is_accepted() {
        let void = |at, category, accepted: &[&str]| {
            judge(at, category, Scope::Subtree, accepted) == Judged::Void
        };
        assert!(!void("youtube.com", "video", &[]) && void("youtube.com", "malware", &[]));
        assert!(void("google.com", "video", &[]));
        assert!(!void("google.com", "safe", &[]) && !void("google.com", "legal_request", &[]));
        assert!(!void("google.com", "gambling", &["google.com"]));
        assert!(void("google.com", "gambling", &["www.google.com"]));
        assert!(void("com", "gambling", &["google.com"]));
    }
}
