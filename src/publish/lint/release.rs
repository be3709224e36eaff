//! The release against the release before it: what it newly blocks, and what became of its sources.
//!
//! Law: what the release before blocks already is no finding, since somebody read it then; but for
//! a finding that was accepted until a day, and that day has passed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::category::{CategoryId, CategorySet};
use crate::config::data::guard::Guard;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::matcher::build::join;
use crate::matcher::keyword::{KeywordRules, Keywords};
use crate::matcher::suffix::SuffixTable;
use crate::pack::{BuildError, Pack};
use crate::publish::lint::finding::{LintFinding, reach, shown};
use crate::publish::lint::popular::{PopularNames, with_www};
use crate::publish::lint::{CATEGORY, GUARD, Lint, POPULAR_OURS, SAMPLE, SourceLimits, against};
use crate::rule::{Effect, Rule};

/// A source of a release may lose half of its rules, and grow to three times as many.
pub const RELEASE_LIMITS: SourceLimits = SourceLimits { shrink: 50, grow: 200 };
/// A category with fewer names than this may lose any number of them.
const SMALL_CATEGORY: u64 = 100;

/// A pack with what is asked of it.
pub(super) struct Compiled {
    pub(super) pack: Arc<Pack>,
    pub(super) table: SuffixTable,
    pub(super) keywords: Keywords,
}

impl Lint<'_> {
    /// The findings of a release; `lapsed` has the keys of findings that were accepted until a day
    /// that has passed.
    ///
    /// # Errors
    ///
    /// [`BuildError`] where a pack cannot be joined.
    pub fn of_release(
        &self,
        pack: &Arc<Pack>,
        lapsed: &BTreeSet<String>,
    ) -> Result<Vec<LintFinding>, BuildError> {
        let now = self.compiled(pack)?;
        let before = self.previous.as_ref().map(|pack| self.compiled(pack)).transpose()?;
        let mut findings = self.of_names(&now, before.as_ref());
        if !lapsed.is_empty() {
            let known: BTreeSet<String> = findings.iter().map(|one| one.key.clone()).collect();
            let again = self.of_names(&now, None).into_iter();
            let is_lapsed =
                |one: &LintFinding| lapsed.contains(&one.key) && !known.contains(&one.key);
            findings.extend(again.filter(is_lapsed));
        }
        findings.extend(self.changes(pack, &now.table)?);
        findings.extend(self.broken(pack));
        findings.extend(self.lost_categories(pack));
        for finding in &mut findings {
            name_source(finding, pack);
        }
        Ok(findings)
    }

    fn compiled(&self, pack: &Arc<Pack>) -> Result<Compiled, BuildError> {
        let table = join([Arc::clone(pack)], |id| self.taxonomy.find(id))?.table;
        let rules = KeywordRules::parse(pack.keywords(), self.taxonomy);
        let keywords = rules.map(Keywords::compile).unwrap_or_default();
        Ok(Compiled { pack: Arc::clone(pack), table, keywords })
    }

    /// Findings about names that `now` blocks and `before` does not.
    fn of_names(&self, now: &Compiled, before: Option<&Compiled>) -> Vec<LintFinding> {
        let newly = |name: &Name| -> CategorySet {
            let old = before.map_or(CategorySet::EMPTY, |one| self.blocking(&one.table, name));
            self.blocking(&now.table, name).without(old)
        };
        let guard = Guard::of(self.data, self.taxonomy);
        let ours = PopularNames::of(self.data, self.taxonomy);
        let pack = &now.pack;
        let guarded = against(&guard, newly);
        let mut findings = self.about(GUARD, pack, guarded, messages::guard_finding);
        let unmeant = |name: &Name, asked: &Name| newly(asked).without(ours.purpose(name));
        let names = with_www(ours.names(), unmeant);
        let mut popular = self.about(POPULAR_OURS, pack, names, messages::popular_finding);
        // A rule that blocks guarded names is told, and accepted, once.
        let is_told = |one: &LintFinding| {
            findings.iter().any(|told| (&told.name, &told.category) == (&one.name, &one.category))
        };
        popular.retain(|one| !is_told(one));
        findings.extend(popular);
        findings.extend(self.suffixes(pack, newly));
        let names = with_www(self.popular.iter(), |_, asked| newly(asked));
        findings.extend(self.about(SAMPLE, pack, names, messages::popular_finding));
        findings.extend(self.keyword_findings(now, before, &guard, &ours));
        findings
    }

    /// Categories that lost more than half of their names.
    fn lost_categories(&self, pack: &Pack) -> Vec<LintFinding> {
        let Some(previous) = &self.previous else { return Vec::new() };
        let now = names_by_category(pack);
        let mut findings = Vec::new();
        for (id, before) in names_by_category(previous) {
            let now = now.get(&id).copied().unwrap_or(0);
            if before > SMALL_CATEGORY && now * 2 < before {
                let message = messages::category_lost(&id, before, now);
                let mut finding = LintFinding::of_source(CATEGORY, &id, None, &message, self.lang);
                // The numbers are in the key: nobody accepts what comes next year.
                finding.key = format!("{}/{id}/{before}-{now}", CATEGORY.0);
                findings.push(finding);
            }
        }
        findings
    }
}

/// Names by the id of the category that lists them.
pub fn names_by_category(pack: &Pack) -> BTreeMap<String, u64> {
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    for number in 0..pack.set_count() as u16 {
        let (count, rules) = pack.set(number);
        let set: BTreeSet<usize> =
            rules.filter(|rule| lists(rule)).map(|rule| rule.category.index()).collect();
        for place in set {
            let id = pack.categories().get(place).cloned().unwrap_or_default();
            *names.entry(id).or_default() += u64::from(count);
        }
    }
    names
}

/// The categories that each set of a pack lists its names in, by the number of the set.
pub(in crate::publish) fn categories_by_set(
    pack: &Pack,
    find: impl Fn(&str) -> Option<CategoryId>,
) -> Vec<CategorySet> {
    let number = |rule: &Rule| find(pack.categories().get(rule.category.index())?);
    let of_set = |set: u16| pack.set(set).1.filter(|rule| lists(rule)).filter_map(number).collect();
    (0..pack.set_count() as u16).map(of_set).collect()
}

fn lists(rule: &Rule) -> bool {
    matches!(rule.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
        && !rule.action.is_pass()
}

/// Puts source and rule of the name that a finding is about into it, as the pack has them.
fn name_source(finding: &mut LintFinding, pack: &Pack) {
    let Some(name) = finding.name.as_deref().filter(|_| finding.source.is_none()) else { return };
    let Ok(name) = Name::from_text(name) else { return };
    let folded = crate::dns::name::Folded::from_name(&name);
    let Some(set) = pack.set_of(&folded) else { return };
    let is_it = |rule: &&Rule| {
        lists(rule) && pack.categories().get(rule.category.index()) == Some(&finding.category)
    };
    let Some(rule) = pack.set(set).1.clone().find(is_it) else { return };
    finding.source = pack.sources().get(usize::from(rule.source)).map(|note| note.name.clone());
    finding.rule = Some(reach(rule.scope, &shown(name.as_wire())));
}
