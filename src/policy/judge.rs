//! The one order of policy, for the name of a question and for what an answer points to.
//!
//! A group is asked as it is bound at one time ([`Bound`]); what is said here depends on
//! nothing else, so that the same words hold for now and for the time behind an edge.

use std::net::IpAddr;

use crate::category::CategorySet;
use crate::matcher::SuffixHashes;
use crate::matcher::keyword::KeywordMatch;
use crate::matcher::suffix::Listed;
use crate::name::{Folded, Name};
use crate::policy::essential::Essential;
use crate::policy::rebinding::is_internal;
use crate::policy::{
    Block, Bound, Facts, Layer, LockedAllow, Own, Pass, Snapshot, Subject, Verdict,
};
use crate::rule::Action;

/// What a name is to the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The name of the question.
    Question,
    /// A name that the answer points to.
    Target {
        /// Whether the question's name was allowed by name.
        is_shielded: bool,
    },
}

impl Snapshot {
    /// Decides about the name of a question.
    #[inline]
    pub fn decide(&self, bound: Bound<'_>, subject: &Subject<'_>, qtype: u16) -> Verdict {
        if let Some(verdict) = self.answered_here(bound, subject, qtype) {
            return verdict;
        }
        let listed = self.listed(subject);
        let keywords = || self.keywords.lookup(subject.name);
        match self.judge(bound, subject, &listed, keywords, Role::Question) {
            Err(block) => Verdict::Block(block),
            Ok(pass) => match self.safe_engine(bound.group, subject) {
                None => Verdict::Pass(pass),
                Some(engine) => Verdict::Safe(pass, engine),
            },
        }
    }

    /// Special-use names and canaries.
    #[inline]
    fn answered_here(
        &self,
        bound: Bound<'_>,
        subject: &Subject<'_>,
        qtype: u16,
    ) -> Option<Verdict> {
        if let Some(special) = self.sources.special(subject, qtype) {
            return Some(Verdict::Special(special));
        }
        let (_, &kind) = self.canaries.longest(subject.name, &subject.hashes)?;
        bound.group.refuses(kind).then_some(Verdict::Canary(kind))
    }

    /// Whether no name with these facts can be blocked for a group, so that a name an
    /// answer points to need not even be read.
    #[inline]
    pub fn is_silent(&self, bound: Bound<'_>, facts: &Facts) -> bool {
        facts.is_silent() && bound.group.own.is_empty() && self.department.is_empty()
    }

    /// Decides about a name that an answer points to; `is_shielded` when the
    /// question's name was allowed by name.
    #[inline]
    pub fn review(
        &self,
        bound: Bound<'_>,
        subject: &Subject<'_>,
        facts: &Facts,
        is_shielded: bool,
    ) -> Option<Block> {
        let keywords = || facts.keywords;
        self.judge(bound, subject, &facts.listed, keywords, Role::Target { is_shielded }).err()
    }

    /// Whether the addresses of answers to `name` must be looked at.
    #[inline]
    pub fn reviews_addresses(&self, has_internal: bool) -> bool {
        self.addresses.is_some() || has_internal && self.rebinding.is_some()
    }

    /// Decides about an address in the answer to `subject`.
    pub fn review_address(
        &self,
        bound: Bound<'_>,
        subject: &Subject<'_>,
        address: IpAddr,
        is_shielded: bool,
    ) -> Option<Block> {
        let listed = self.addresses.as_ref().and_then(|table| table.get(address));
        if let Some(listed) = listed {
            let locked = listed.set.intersection(bound.group.locked.union(self.illegal));
            let blocked = listed.set.intersection(bound.rules.block);
            let action = listed.action;
            if !locked.is_empty() {
                return Some(Block { layer: Layer::Locked, category: locked.first(), action });
            }
            if !blocked.is_empty() && !is_shielded && action != Action::Passthru {
                return Some(Block { layer: Layer::Category, category: blocked.first(), action });
            }
        }
        let exceptions = self.rebinding.as_ref().filter(|_| is_internal(address))?;
        let is_expected = exceptions.longest(subject.name, &subject.hashes).is_some()
            || self.sources.covers(subject);
        let (layer, action) = (Layer::Rebinding, Action::Default);
        (!is_expected).then_some(Block { layer, category: None, action })
    }

    /// The order of policy, for every name. One function, nowhere configurable.
    #[inline]
    fn judge(
        &self,
        bound: Bound<'_>,
        subject: &Subject<'_>,
        listed: &Listed,
        keywords: impl FnOnce() -> KeywordMatch,
        role: Role,
    ) -> Result<Pass, Block> {
        let Subject { name, hashes } = subject;
        let Bound { group, rules } = bound;
        let set = listed.set;
        let is_shielded = role == Role::Target { is_shielded: true };
        let block = |layer, set: CategorySet| Err(self.block(layer, set, subject, listed));
        let pass = |layer| Ok(Pass { layer, observed: set.intersection(rules.observe) });
        // A zone that lets a name pass does not open a lock.
        let lockable = set.union(listed.any_zone);
        if !lockable.intersection(self.illegal).is_empty() {
            return block(Layer::Illegal, lockable.intersection(self.illegal));
        }
        let essential = self.essential.longest(name, hashes).map(|(_, &kind)| kind);
        let pass_essential =
            |kind: Essential| Ok(Pass { layer: kind.layer(), observed: CategorySet::EMPTY });
        if let Some(kind @ (Essential::Shipped | Essential::Help)) = essential {
            return pass_essential(kind);
        }
        let department = self.department.longest(name, hashes).map(|(_, own)| *own);
        if department == Some(Own::Deny) {
            return block(Layer::DepartmentDeny, set);
        }
        // A school allow for such a name is refused at load; a name that was locked
        // since then stays blocked.
        if department.is_none() && !lockable.intersection(group.locked).is_empty() {
            return block(Layer::Locked, lockable.intersection(group.locked));
        }
        if let Some(kind) = essential {
            return pass_essential(kind);
        }
        let closed = rules.block.intersection(self.closed);
        if !closed.is_empty() && role == Role::Question {
            let is_good = department.is_some() || !set.intersection(self.positive).is_empty();
            if !is_good {
                let (category, action) = (closed.first(), Action::NxDomain);
                return Err(Block { layer: Layer::FailClosed, category, action });
            }
        }
        if let Some(exam) = rules.exam.as_ref().filter(|_| role == Role::Question) {
            return match exam.longest(name, hashes) {
                Some(_) => pass(Layer::Override),
                None => block(Layer::Override, set.intersection(rules.block)),
            };
        }
        if rules.lesson.longest(name, hashes).is_some() {
            return pass(Layer::Override);
        }
        match group.own.longest(name, hashes) {
            Some((_, Own::Allow)) => return pass(Layer::SchoolAllow),
            Some((_, Own::Deny)) if !is_shielded => return block(Layer::SchoolDeny, set),
            Some((_, Own::Deny)) | None => {}
        }
        if department == Some(Own::Allow) || !set.intersection(self.positive).is_empty() {
            return pass(Layer::DepartmentAllow);
        }
        let blocked = set.intersection(rules.block);
        if !blocked.is_empty() && !is_shielded {
            return block(Layer::Category, blocked);
        }
        if rules.is_allow_only && role == Role::Question {
            return block(Layer::AllowList, CategorySet::EMPTY);
        }
        let layer = if set.is_empty() { Layer::Default } else { Layer::Category };
        if !group.keywords || is_shielded {
            return pass(layer);
        }
        let found = keywords();
        let blocked = found.block.intersection(rules.block);
        if !blocked.is_empty() {
            let (category, action) = (blocked.first(), Action::Default);
            return Err(Block { layer: Layer::Keyword, category, action });
        }
        // What a group blocks when it is listed is counted where a word only hints at it.
        let counted = found.observe.union(found.block.intersection(rules.observe));
        let counted = counted.intersection(rules.block.union(rules.observe));
        Ok(Pass { layer, observed: set.intersection(rules.observe).union(counted) })
    }

    fn block(
        &self,
        layer: Layer,
        set: CategorySet,
        subject: &Subject<'_>,
        listed: &Listed,
    ) -> Block {
        let category = set.first();
        let from_zone = listed.zone.filter(|hit| Some(hit.category) == category);
        let action = match (from_zone, category) {
            (Some(hit), _) if hit.action != Action::Passthru => hit.action,
            (_, Some(category)) => self.lists.action(subject.name, &subject.hashes, category),
            _ => Action::Default,
        };
        Block { layer, category, action }
    }

    /// The locked category of a name, for a group: no school allow opens it.
    ///
    /// None where the department lets the name through. Sealed lists are not asked: saying that
    /// a name is on one would tell it. It stays blocked for all that.
    pub fn lock_of(&self, group: &crate::policy::Group, name: &Name) -> Option<Lock> {
        let folded = Folded::from_name(name);
        let hashes = SuffixHashes::of(&folded, self.lists.seed());
        let department = self.department.longest(&folded, &hashes).map(|(_, own)| *own);
        let listed = self.lists.lookup(&folded, &hashes);
        let set = listed.set;
        let illegal = set.intersection(self.illegal).first();
        let locked = set.intersection(group.locked).first();
        match (illegal, department) {
            (Some(category), _) => Some(Lock::Category(category)),
            (None, Some(Own::Deny)) => Some(Lock::Department),
            (None, Some(Own::Allow)) => None,
            (None, None) => locked.map(Lock::Category),
        }
    }

    /// The school's allowed and essential names that are locked.
    pub fn locked_allows(&self) -> Vec<LockedAllow> {
        let mut found = Vec::new();
        for group in &self.groups {
            for (name, _, _) in group.own.iter().filter(|(_, _, own)| **own == Own::Allow) {
                if let Some(lock) = self.lock_of(group, name) {
                    let (group, name) = (Some(group.name.clone()), name.clone());
                    found.push(LockedAllow { group, name, lock });
                }
            }
        }
        found.extend(self.locked_essentials());
        found
    }
}

/// What keeps a school from letting a name through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// A locked category lists it.
    Category(crate::category::CategoryId),
    /// The department denies it.
    Department,
}
