//! The order of policy, for the name of a question and for the targets of an answer.
//!
//! A verdict depends on the name, its facts and the group's [`ActiveRules`] only, never on the
//! clock: the same call judges the present and the time after a schedule's edge.

use crate::category::CategorySet;
use crate::dns::rtype;
use crate::matcher::keyword::KeywordMatch;
use crate::matcher::spared::Spared;
use crate::matcher::suffix::{Listed, ZoneHit};
use crate::matcher::{Facts, HashedName};
use crate::policy::group::rules::ActiveRules;
use crate::policy::snapshot::Snapshot;
use crate::policy::tables::names::{Essential, Own};
use crate::policy::tables::urgent::UrgentSaid;
use crate::policy::verdict::{Block, Layer, Pass, StepFinding, Verdict, Witness};
use crate::rule::Action;

/// The role of a name in a query.
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

/// A name to judge, for a group at one time.
struct Case<'a> {
    active: ActiveRules<'a>,
    hashed: &'a HashedName<'a>,
    /// The type of the query, or CNAME of a name that an answer points to.
    qtype: u16,
    listed: &'a Listed,
    /// The department's allow or deny.
    department: Option<Own>,
    urgent: UrgentSaid,
    role: Role,
}

impl Case<'_> {
    /// Its categories for locks: PASSTHRU of a response policy zone never opens a lock.
    #[inline]
    fn lockable(&self) -> CategorySet {
        self.listed.set.union(self.listed.any_zone)
    }

    #[inline]
    fn is_question(&self) -> bool {
        self.role == Role::Question
    }

    #[inline]
    fn is_shielded(&self) -> bool {
        self.role == Role::Target { is_shielded: true }
    }

    #[inline]
    fn pass(&self, layer: Layer) -> Pass {
        let observed = self.listed.set.intersection(self.active.rules.observe);
        Pass { layer, observed: observed.union(self.urgent.warned) }
    }

    /// A pass by a step that decides.
    #[inline]
    fn passes(&self, layer: Layer, witness: &mut impl Witness) -> Pass {
        witness.saw(layer, StepFinding::Decided);
        self.pass(layer)
    }
}

/// What lists and urgent entries say of a name.
#[inline]
fn with_urgent(listed: Listed, urgent: UrgentSaid) -> Listed {
    Listed { set: listed.set.union(urgent.blocked), ..listed }
}

impl Snapshot {
    /// Decides about the name of a question.
    #[inline]
    pub fn decide(&self, active: ActiveRules<'_>, hashed: &HashedName<'_>, qtype: u16) -> Verdict {
        self.decide_before(active, hashed, qtype, &mut ())
    }

    /// [`Snapshot::decide`], with the finding of each step for `witness`.
    #[inline]
    pub(super) fn decide_before(
        &self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        qtype: u16,
        witness: &mut impl Witness,
    ) -> Verdict {
        if let Some(verdict) = self.answered_here(active, hashed, qtype, witness) {
            return verdict;
        }
        let urgent = self.urgent_of(active, hashed);
        let listed = with_urgent(self.listed(hashed, qtype), urgent);
        let keywords = || self.keywords.lookup(hashed.name);
        let case = self.case(active, (hashed, qtype), &listed, urgent, Role::Question);
        match self.judge(&case, keywords, witness) {
            Err(block) => Verdict::Block(block),
            Ok(pass) => match self.safe_engine(active.group, hashed) {
                None => Verdict::Pass(pass),
                Some(engine) => Verdict::Safe(pass, engine),
            },
        }
    }

    /// Local answers: special-use names and canaries.
    #[inline]
    fn answered_here(
        &self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        qtype: u16,
        witness: &mut impl Witness,
    ) -> Option<Verdict> {
        if let Some(special) = self.local_zones.special(hashed, qtype) {
            witness.saw(Layer::SpecialUse, StepFinding::Decided);
            return Some(Verdict::Special(special));
        }
        witness.saw(Layer::SpecialUse, StepFinding::Nothing);
        let Some((_, &kind)) = self.canaries.longest(hashed.name, &hashed.hashes) else {
            witness.saw(Layer::Canary, StepFinding::Nothing);
            return None;
        };
        let is_refused = active.group.refuses(kind);
        witness.saw(
            Layer::Canary,
            if is_refused { StepFinding::Decided } else { StepFinding::Unused },
        );
        is_refused.then_some(Verdict::Canary(kind))
    }

    #[inline]
    fn case<'a>(
        &self,
        active: ActiveRules<'a>,
        (hashed, qtype): (&'a HashedName<'a>, u16),
        listed: &'a Listed,
        urgent: UrgentSaid,
        role: Role,
    ) -> Case<'a> {
        let department = self.department.longest(hashed.name, &hashed.hashes);
        let department = department.map(|(_, own)| *own);
        // An urgent allow undoes what lists block, never what the department's config denies.
        let department = department.or_else(|| urgent.is_allowed.then_some(Own::Allow));
        Case { active, hashed, qtype, listed, department, urgent, role }
    }

    /// What urgent entries say of a name under these rules.
    #[inline]
    fn urgent_of(&self, active: ActiveRules<'_>, hashed: &HashedName<'_>) -> UrgentSaid {
        let at = active.rules.urgent_at;
        self.urgent.as_ref().map_or(UrgentSaid::default(), |table| table.of(hashed, at))
    }

    /// The categories of these rules that are closed for want of their lists.
    #[inline]
    pub fn closed_for(&self, active: ActiveRules<'_>) -> CategorySet {
        active.rules.block.intersection(self.closed)
    }

    /// Whether no name with these facts can be blocked for a group, so that review need not
    /// parse the targets of an answer.
    #[inline]
    pub fn is_silent(&self, active: ActiveRules<'_>, facts: &Facts) -> bool {
        facts.is_silent()
            && active.rules.says_nothing()
            && self.department.is_empty()
            && self.urgent.is_none()
    }

    /// Decides about a name that an answer points to; `is_shielded` when the
    /// question's name was allowed by name. `spared` is what the names before it spare it.
    #[inline]
    pub fn review(
        &self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        facts: &Facts,
        is_shielded: bool,
        spared: impl FnOnce() -> Spared,
    ) -> Option<Block> {
        let urgent = self.urgent_of(active, hashed);
        let listed = with_urgent(facts.listed, urgent);
        let role = Role::Target { is_shielded };
        let case = self.case(active, (hashed, rtype::CNAME), &listed, urgent, role);
        let block = self.judge(&case, || facts.keywords, &mut ()).err()?;
        match block.layer {
            Layer::Illegal | Layer::Locked | Layer::Category => {
                self.review_spared(block, &case, facts, &spared())
            }
            _ => Some(block),
        }
    }

    /// What the zones of lists say of a name that a list redirects to: no plain list judges it again.
    #[cold]
    pub fn review_garden(
        &self,
        active: ActiveRules<'_>,
        question: &HashedName<'_>,
        hashed: &HashedName<'_>,
    ) -> Option<Block> {
        let all = self.listed(hashed, rtype::CNAME);
        all.zone?;
        let listed = Listed { set: all.set.intersection(all.any_zone), ..all };
        let facts = Facts { listed, ..Facts::default() };
        let block = self.review(active, hashed, &facts, false, || self.spared(question))?;
        (block.layer == Layer::Category).then_some(block)
    }

    /// What lists spare the names and addresses that a name leads to.
    #[cold]
    pub fn spared(&self, hashed: &HashedName<'_>) -> Spared {
        self.lists.spared(hashed.name, &hashed.hashes)
    }

    /// A block of an alias, unless the list that says so lets a name before it through.
    #[cold]
    fn review_spared(
        &self,
        block: Block,
        case: &Case<'_>,
        facts: &Facts,
        spared: &Spared,
    ) -> Option<Block> {
        if spared.is_empty() {
            return Some(block);
        }
        let HashedName { name, hashes } = case.hashed;
        let all = self.lists.lookup_of(name, hashes, Some(case.qtype));
        let asked = self.lists.lookup_without(name, hashes, spared);
        let set = facts.listed.set.without(all.set.without(asked.set));
        // What lists spare is theirs: an urgent block stays.
        let set = set.union(case.urgent.blocked);
        let listed = Listed { set, ..asked };
        self.judge(&Case { listed: &listed, ..*case }, || facts.keywords, &mut ()).err()
    }

    /// The order of policy, for every name; no setting changes it.
    #[inline]
    fn judge(
        &self,
        case: &Case<'_>,
        keywords: impl FnOnce() -> KeywordMatch,
        witness: &mut impl Witness,
    ) -> Result<Pass, Block> {
        if let Some(pass) = self.above_the_school(case, witness)? {
            return Ok(pass);
        }
        if let Some(pass) = self.by_name(case, witness)? {
            return Ok(pass);
        }
        self.by_category(case, keywords, witness)
    }

    /// The steps above the school, which no school setting loosens: legal duties, essential names,
    /// department denials, locks, and categories that are closed without their list.
    #[inline]
    fn above_the_school(
        &self,
        case: &Case<'_>,
        witness: &mut impl Witness,
    ) -> Result<Option<Pass>, Block> {
        let group = case.active.group;
        let illegal = case.lockable().intersection(self.illegal);
        if !illegal.is_empty() {
            return Err(self.block(Layer::Illegal, illegal, case, witness));
        }
        witness.saw(Layer::Illegal, StepFinding::Nothing);
        let essential = self.essential.longest(case.hashed.name, &case.hashed.hashes);
        let essential = essential.map(|(_, &kind)| kind);
        let mut pass_essential = |kind: Essential| {
            witness.saw(Layer::from(kind), StepFinding::Decided);
            Ok(Some(Pass { layer: Layer::from(kind), observed: CategorySet::EMPTY }))
        };
        match essential {
            Some(kind @ (Essential::Shipped | Essential::Help)) => return pass_essential(kind),
            // An essential name of the config yields to the steps below.
            Some(Essential::Own) => {}
            None => witness.saw(Layer::Essential, StepFinding::Nothing),
        }
        if case.department == Some(Own::Deny) {
            return Err(self.block(Layer::DepartmentDeny, case.listed.set, case, witness));
        }
        witness.saw(Layer::DepartmentDeny, StepFinding::Nothing);
        // A school's allow of a locked name is void.
        let locked = case.lockable().intersection(group.locked);
        if case.department.is_none() && !locked.is_empty() {
            return Err(self.block(Layer::Locked, locked, case, witness));
        }
        let is_listed = !locked.is_empty();
        witness.saw(
            Layer::Locked,
            if is_listed { StepFinding::Passed(locked) } else { StepFinding::Nothing },
        );
        if essential == Some(Essential::Own) {
            witness.saw(Layer::Essential, StepFinding::Decided);
            return Ok(Some(Pass { layer: Layer::Essential, observed: CategorySet::EMPTY }));
        }
        let closed = self.closed_for(case.active);
        if closed.is_empty() || !case.is_question() {
            witness.saw(Layer::FailClosed, StepFinding::Nothing);
            return Ok(None);
        }
        let is_good = !case.listed.set.intersection(self.positive).is_empty();
        if case.department.is_some() || is_good {
            witness.saw(Layer::FailClosed, StepFinding::Passed(closed));
            return Ok(None);
        }
        witness.saw(Layer::FailClosed, StepFinding::Decided);
        let (category, action) = (closed.first(), Action::NxDomain);
        Err(Block::without_list(Layer::FailClosed, category, action))
    }

    /// Allow and deny by name: exams and lessons, the school, the department.
    #[inline]
    fn by_name(&self, case: &Case<'_>, witness: &mut impl Witness) -> Result<Option<Pass>, Block> {
        let Case { hashed: HashedName { name, hashes }, listed, .. } = *case;
        let rules = case.active.rules;
        if let Some(exam) = rules.exam.as_ref().filter(|_| case.is_question()) {
            if exam.longest(name, hashes).is_some() {
                return Ok(Some(case.passes(Layer::Override, witness)));
            }
            let blocked = listed.set.intersection(rules.block);
            return Err(self.block(Layer::Override, blocked, case, witness));
        }
        match rules.lesson.longest(name, hashes) {
            Some((_, Own::Allow)) => return Ok(Some(case.passes(Layer::Override, witness))),
            Some((_, Own::Deny)) if !case.is_shielded() => {
                return Err(self.block(Layer::Override, listed.set, case, witness));
            }
            _ => {}
        }
        let runs = !rules.overrides.is_empty();
        let running =
            if runs { StepFinding::Passed(CategorySet::EMPTY) } else { StepFinding::Nothing };
        witness.saw(Layer::Override, running);
        let own = rules.own.longest(name, hashes).map(|(_, own)| *own);
        if own == Some(Own::Allow) {
            return Ok(Some(case.passes(Layer::SchoolAllow, witness)));
        }
        witness.saw(Layer::SchoolAllow, StepFinding::Nothing);
        if own == Some(Own::Deny) && !case.is_shielded() {
            return Err(self.block(Layer::SchoolDeny, listed.set, case, witness));
        }
        witness.saw(Layer::SchoolDeny, StepFinding::Nothing);
        let is_good = !listed.set.intersection(self.positive).is_empty();
        if case.department == Some(Own::Allow) || is_good {
            return Ok(Some(case.passes(Layer::DepartmentAllow, witness)));
        }
        witness.saw(Layer::DepartmentAllow, StepFinding::Nothing);
        Ok(None)
    }

    /// Actions by category, allow-list mode, and keyword rules.
    #[inline]
    fn by_category(
        &self,
        case: &Case<'_>,
        keywords: impl FnOnce() -> KeywordMatch,
        witness: &mut impl Witness,
    ) -> Result<Pass, Block> {
        let ActiveRules { group, rules } = case.active;
        let set = case.listed.set;
        let blocked = set.intersection(rules.block);
        if !blocked.is_empty() && !case.is_shielded() {
            let mut block = self.block(Layer::Category, blocked, case, witness);
            // By TCP such a name passes: the steps below must let it pass as well.
            let is_shut = || {
                rules.is_allow_only && case.is_question()
                    || group.keywords && !keywords().block.intersection(rules.block).is_empty()
            };
            if block.action == Action::TcpOnly && is_shut() {
                block.action = Action::Default;
            }
            return Err(block);
        }
        if !set.intersection(rules.opened).is_empty() {
            // A category that a lesson opens, where no other category blocks the name.
            return Ok(case.passes(Layer::Override, witness));
        }
        let is_listed = !set.is_empty();
        witness.saw(
            Layer::Category,
            if is_listed { StepFinding::Passed(set) } else { StepFinding::Nothing },
        );
        if rules.is_allow_only && case.is_question() {
            return Err(self.block(Layer::AllowList, CategorySet::EMPTY, case, witness));
        }
        witness.saw(Layer::AllowList, StepFinding::Unused);
        let layer = if is_listed { Layer::Category } else { Layer::Default };
        if !group.keywords || case.is_shielded() {
            witness.saw(Layer::Keyword, StepFinding::Unused);
            return Ok(case.pass(layer));
        }
        let found = keywords();
        let blocked = found.block.intersection(rules.block);
        if !blocked.is_empty() {
            witness.saw(Layer::Keyword, StepFinding::Decided);
            let (category, action) = (blocked.first(), Action::Default);
            return Err(Block::without_list(Layer::Keyword, category, action));
        }
        // A keyword of tier `observe` in a blocked category is counted, never blocked.
        let counted = found.observe.union(found.block.intersection(rules.observe));
        let counted = counted.intersection(rules.block.union(rules.observe));
        let hints = !counted.is_empty();
        witness.saw(
            Layer::Keyword,
            if hints { StepFinding::Passed(counted) } else { StepFinding::Nothing },
        );
        Ok(Pass { layer, observed: case.pass(layer).observed.union(counted) })
    }

    #[inline]
    fn block(
        &self,
        layer: Layer,
        set: CategorySet,
        case: &Case<'_>,
        witness: &mut impl Witness,
    ) -> Block {
        witness.saw(layer, StepFinding::Decided);
        // A list speaks for its category only: where a name is denied, or an exam closes it, no list
        // says how that is answered; and lists of names alone, as nearly all are, never do.
        let is_by_category = matches!(layer, Layer::Illegal | Layer::Locked | Layer::Category);
        let may_answer = self.lists.has_actions || !case.listed.any_zone.is_empty();
        if is_by_category && may_answer {
            return self.block_by_lists(layer, set, case);
        }
        let named = if is_by_category { case.listed.named } else { 0 };
        Block { layer, category: set.first(), action: Action::Default, named }
    }

    /// A block that lists may say how to answer.
    #[inline(never)]
    fn block_by_lists(&self, layer: Layer, set: CategorySet, case: &Case<'_>) -> Block {
        let Case { hashed, listed, .. } = *case;
        let first = set.first();
        let is_zones = first.is_some_and(|first| listed.any_zone.contains(first));
        let of_set = |hit: &ZoneHit| set.contains(hit.category);
        let from_zone = || {
            let first = || self.lists.first_zone(hashed.name, &hashed.hashes, set);
            listed.zone.filter(of_set).or_else(first)
        };
        let (category, action) = match (first, is_zones.then(from_zone).flatten()) {
            // Zones decide in their order, whatever the order of categories.
            (_, Some(hit)) => (Some(hit.category), hit.action),
            (Some(category), None) => {
                let qtype = Some(case.qtype);
                (first, self.lists.action(hashed.name, &hashed.hashes, category, qtype))
            }
            (None, None) => (None, Action::Default),
        };
        // TCP-only never opens a lock, as PASSTHRU does not, nor what another category blocks.
        let is_alone = category.is_some_and(|one| set == CategorySet::EMPTY.with(one));
        let is_open = layer == Layer::Category && is_alone;
        let action = if !is_open && action == Action::TcpOnly { Action::Default } else { action };
        Block { layer, category, action, named: listed.named }
    }
}
