//! The questions of a test, and what must come of each by config and policy.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::category::{Category, CategoryId};
use crate::config::data::starter::Class;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::load::in_force::InForce;
use crate::policy::group::time::{Now, Trust};
use crate::policy::tables::rewrite::EngineId;
use crate::policy::{ActiveRules, GroupId, Layer, Snapshot, Verdict};
use crate::selftest::run::{Expected, RowFinding, RowKind};

/// The zone of the names that lists have for tests: one a category.
const TEST_ZONE: &str = "test.lachan.example";

/// Seconds of a day.
const DAY: u64 = 86_400;
/// Days after which dated lists are stale, as `lachan status` warns of a release.
const STALE: u64 = 14;
/// The oldest day that is looked for.
const OLDEST: u64 = 400;

/// One question of a group.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) kind: RowKind,
    /// The category, engine, canary or class that it is about.
    pub(super) about: String,
    pub(super) name: Name,
    pub(super) expected: Expected,
    /// The safe name, of an engine.
    pub(super) safe: Option<Name>,
    /// Why it is not asked; none for one that is.
    pub(super) untested: Option<RowFinding>,
}

impl Planned {
    pub(super) fn new(
        kind: RowKind,
        about: impl Into<String>,
        name: Name,
        expected: Expected,
    ) -> Self {
        Self { kind, about: about.into(), name, expected, safe: None, untested: None }
    }
}

/// The test name of a category.
pub fn test_name(category: &Category) -> Option<Name> {
    let label = category.id.replace('_', "-");
    Name::from_text(&format!("{label}.{TEST_ZONE}")).ok()
}

/// The questions of one group.
pub(super) fn of_group(in_force: &InForce, group: GroupId, now: Now) -> Vec<Planned> {
    let active = in_force.snapshot.rules_at(group, now);
    let mut planned: Vec<Planned> = in_force
        .snapshot
        .taxonomy()
        .iter()
        .filter(|(_, row)| !row.is_positive)
        .filter_map(|(id, row)| of_category(&in_force.snapshot, active, id, row))
        .collect();
    planned.extend(freshness(&in_force.snapshot, active, now));
    planned.extend(engines(in_force, active, group));
    planned.extend(canaries(in_force, group));
    planned.extend(essential(in_force));
    planned
}

/// The question of a category; none for a protected one without a name to ask for.
///
/// What must come of it is what the group's rules say of the category, unless a rule by name, an
/// exam or an allow list decides before them.
fn of_category(
    snapshot: &Snapshot,
    active: ActiveRules<'_>,
    id: CategoryId,
    row: &Category,
) -> Option<Planned> {
    let name = test_name(row)?;
    let folded = Folded::from_name(&name);
    let hashed = snapshot.hashed(&folded);
    let by_category = || {
        if active.rules.block.contains(id) { Expected::Blocked } else { Expected::Open }
    };
    let expected = match snapshot.decide(active, &hashed, rtype::A) {
        Verdict::Special(_) | Verdict::Canary(_) => return None,
        Verdict::Block(block) => match block.layer {
            Layer::Override
            | Layer::SchoolDeny
            | Layer::DepartmentDeny
            | Layer::AllowList
            | Layer::Keyword => Expected::Blocked,
            _ => by_category(),
        },
        Verdict::Pass(pass) | Verdict::Safe(pass, _) => match pass.layer {
            Layer::Category | Layer::Default => by_category(),
            _ => Expected::Open,
        },
    };
    // Ids go into records and onto pages: there, protected categories are one.
    let mut planned = Planned::new(RowKind::Category, row.counted_as(), name, expected);
    if expected == Expected::Blocked && !snapshot.listed(&hashed, rtype::A).set.contains(id) {
        let has_names = snapshot.listed_in(id) > 0;
        let has_source = snapshot.fail_mode().enrolled.contains(id);
        planned.untested = match (has_names, has_source) {
            _ if row.is_protected => return None,
            (true, _) => Some(RowFinding::NoTestName),
            (false, false) => Some(RowFinding::NoList),
            // Its list is empty, or gone: the listener tells what that means.
            (false, true) => None,
        };
    }
    Some(planned)
}

/// The newest dated name that the lists have: each build of them puts the day's in, and so it can be seen in
/// any browser how old the lists are that act. None where they have none, or no clock can be trusted.
fn freshness(snapshot: &Snapshot, active: ActiveRules<'_>, now: Now) -> Option<Planned> {
    if now.trust == Trust::Untrusted {
        return None;
    }
    let is_listed = |name: &Name| {
        let folded = Folded::from_name(name);
        !snapshot.listed(&snapshot.hashed(&folded), rtype::A).set.is_empty()
    };
    let dated = |days: u64| Some((days, dated_name(now.civil.checked_sub(days * DAY)?)?));
    let (days, name) = (0..=OLDEST).filter_map(dated).find(|(_, name)| is_listed(name))?;
    let folded = Folded::from_name(&name);
    let verdict = snapshot.decide(active, &snapshot.hashed(&folded), rtype::A);
    let is_blocked = matches!(verdict, Verdict::Block(_));
    let expected = if is_blocked { Expected::Blocked } else { Expected::Open };
    let mut planned = Planned::new(RowKind::Freshness, "list", name, expected);
    planned.untested = (days > STALE).then_some(RowFinding::Stale);
    Some(planned)
}

/// The name that lists of a day have, such as `2026-11-29.list.test.lachan.example`.
fn dated_name(civil: u64) -> Option<Name> {
    let at = Timestamp::from_second(i64::try_from(civil).ok()?).ok()?;
    let day = TimeZone::UTC.to_datetime(at).date();
    Name::from_text(&format!("{day}.list.{TEST_ZONE}")).ok()
}

/// A host of each engine that the group holds to its safe mode.
fn engines<'a>(
    in_force: &'a InForce,
    active: ActiveRules<'a>,
    group: GroupId,
) -> impl Iterator<Item = Planned> + 'a {
    let config = in_force.config();
    let rules = config.groups.get(usize::from(group.0));
    let engines = (0..=u8::MAX).zip(&config.safesearch.engines.0);
    engines.filter_map(move |(number, engine)| {
        let safe = rules?.enforcement.safe.target(EngineId(number))?.clone();
        let host = engine.hosts.first()?.clone();
        let folded = Folded::from_name(&host);
        let snapshot = &in_force.snapshot;
        let verdict = snapshot.decide(active, &snapshot.hashed(&folded), rtype::A);
        let is_blocked = matches!(verdict, Verdict::Block(_));
        let expected = if is_blocked { Expected::Blocked } else { Expected::Safe };
        let planned = Planned::new(RowKind::SafeSearch, engine.id.clone(), host, expected);
        Some(Planned { safe: Some(safe), ..planned })
    })
}

/// The names by which software asks whether it may pass by, where the group refuses that.
fn canaries(in_force: &InForce, group: GroupId) -> Vec<Planned> {
    let config = in_force.config();
    let refused = config.groups.get(usize::from(group.0)).map(|rules| &rules.enforcement.canaries);
    let names = config.data.canaries().unwrap_or_default().into_iter();
    names
        .filter(|(kind, _)| refused.is_some_and(|refused| refused.contains(kind)))
        .map(|(kind, name)| Planned::new(RowKind::Canary, kind.id(), name, Expected::Negative))
        .collect()
}

/// The first essential name of each class, which resolves in every mode.
fn essential(in_force: &InForce) -> Vec<Planned> {
    let names = in_force.config().data.essential().unwrap_or_default();
    let first = |class: Class| names.iter().find(|one| one.class == class);
    Class::ALL
        .into_iter()
        .filter_map(|class| Some((class, first(class)?.name.clone())))
        .map(|(class, name)| Planned::new(RowKind::Essential, class.id(), name, Expected::Open))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_name_is_of_the_day_in_utc() {
        let name = |civil| dated_name(civil).unwrap().to_string();
        assert_eq!(name(1_795_996_799), "2026-11-29.list.test.lachan.example.");
        assert_eq!(name(1_795_996_800), "2026-11-30.list.test.lachan.example.");
    }
}
