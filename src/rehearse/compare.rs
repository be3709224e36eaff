//! The comparison of two policies over sets of names.
//!
//! Laws: a group is compared with the group of its name, in every state that its timetable has, so
//! that what lessons will block on Monday is seen on Sunday; a name is newly blocked where any of
//! these states blocks it and let it through before. Names are kept only where they are asked for,
//! and never those of a protected category.

use std::collections::{BTreeMap, BTreeSet};

use crate::category::{Category, CategorySet, NO_CATEGORY, PROTECTED, Taxonomy};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::policy::group::time::Now;
use crate::policy::{ActiveRules, Block, Group, Snapshot, Verdict};
use crate::rehearse::sample::www;
use crate::resolve::labels::label_set;

/// The most pairs of states that are compared for a group.
const MOST_STATES: usize = 64;
/// The most names of one row that are kept.
const MOST_NAMES: usize = 1000;
label_set! {
    /// A set of names that is rehearsed.
    RehearsedSet {
        /// Names that no list may block by mistake.
        Guard => "guard",
        /// Names that resolve in every mode.
        Essential => "essential",
        /// The popular sample.
        Popular => "popular",
        /// What this school asked for lately.
        Recent => "recent",
    }
}

impl RehearsedSet {
    /// Whether a name of it that is newly blocked holds a release up.
    pub fn holds(self) -> bool {
        matches!(self, Self::Guard | Self::Essential)
    }
}

/// A name to rehearse.
#[derive(Debug, Clone)]
pub struct RehearsedName {
    name: Folded,
    /// `www` below it, where the name stands for that as well.
    www: Option<Folded>,
    /// The categories that exist to block it.
    meant: CategorySet,
}

impl RehearsedName {
    /// A name by itself, that `meant` exist to block.
    pub fn new(name: &Name, meant: CategorySet) -> Self {
        Self { name: Folded::from_name(name), www: None, meant }
    }

    /// A name that stands for `www` below it as well.
    pub fn with_www(name: &Name) -> Self {
        Self { www: www(name), ..Self::new(name, CategorySet::EMPTY) }
    }
}

/// The names of one set.
pub type NameSet = (RehearsedSet, Vec<RehearsedName>);

/// How names of a set, in one group and one category, change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsedRow {
    /// The group.
    pub group: String,
    /// The set.
    pub set: RehearsedSet,
    /// The category's id, [`PROTECTED`] or [`NO_CATEGORY`]: by the new policy of what it blocks, by the old
    /// one of what it opens.
    pub category: String,
    /// Names that would be newly blocked.
    pub blocked: usize,
    /// Names that would be newly open.
    pub opened: usize,
    /// Some of those that would be blocked, and of those that would be open; empty unless asked for.
    pub names: (Vec<String>, Vec<String>),
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// Names of each set.
    pub names: BTreeMap<&'static str, usize>,
    /// Groups of both policies, and those that only one of them has.
    pub groups: usize,
    /// Groups of the new policy that the old one does not have: nothing to compare them with.
    pub new_groups: usize,
    /// What changes, in the order of groups, sets and categories.
    pub rows: Vec<RehearsedRow>,
    /// Names that would be newly blocked in any group, by category; each name once.
    pub newly_blocked: BTreeMap<String, usize>,
    /// Guarded and essential names that a category blocks that is not there to do so.
    pub holding: usize,
    /// Of a thousand queries of this school that passed, those whose name is in none of the sets;
    /// `None` where nothing is known of its queries.
    pub unrehearsed_permille: Option<u32>,
}

impl Rehearsal {
    /// Whether a release with this outcome is to wait for people.
    pub fn holds(&self) -> bool {
        self.holding > 0
    }

    /// Names that would be newly blocked, and those that would be newly open, in a set: the most of
    /// any group.
    pub fn most(&self, set: RehearsedSet) -> (usize, usize) {
        let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.set == set) {
            let most = groups.entry(&row.group).or_default();
            most.0 += row.blocked;
            most.1 += row.opened;
        }
        let all = || groups.values();
        (all().map(|one| one.0).max().unwrap_or(0), all().map(|one| one.1).max().unwrap_or(0))
    }
}

/// One kind of change of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Blocked,
    Opened,
}

/// Compares two policies from `now` on; names are kept where `with_names`.
pub fn rehearse(
    old: &Snapshot,
    new: &Snapshot,
    sets: &[NameSet],
    now: Now,
    with_names: bool,
) -> Rehearsal {
    let mut found = Rehearsal::default();
    for (set, names) in sets {
        *found.names.entry(set.id()).or_default() += names.len();
    }
    let mut blocked: BTreeMap<String, BTreeSet<&[u8]>> = BTreeMap::new();
    let mut holding: BTreeSet<&[u8]> = BTreeSet::new();
    for group in new.groups() {
        let Some(before) = old.groups().iter().find(|one| one.name == group.name) else {
            found.new_groups += 1;
            continue;
        };
        found.groups += 1;
        let compared = Compared { old, new, states: states(before, group, now) };
        for (set, names) in sets {
            let mut rows: BTreeMap<String, RehearsedRow> = BTreeMap::new();
            for one in names {
                for (change, block) in compared.changes(one) {
                    let taxonomy = if change == Change::Blocked { new } else { old }.taxonomy();
                    let category = label(taxonomy, block);
                    if change == Change::Blocked {
                        let wire = one.name.as_wire();
                        blocked.entry(category.clone()).or_default().insert(wire);
                        let is_meant = block.category.is_some_and(|id| one.meant.contains(id));
                        if set.holds() && !is_meant {
                            holding.insert(wire);
                        }
                    }
                    let row = rows.entry(category).or_insert_with_key(|category| RehearsedRow {
                        group: group.name.clone(),
                        set: *set,
                        category: category.clone(),
                        blocked: 0,
                        opened: 0,
                        names: Default::default(),
                    });
                    row.add(change, &one.name, with_names);
                }
            }
            found.rows.extend(rows.into_values());
        }
    }
    found.newly_blocked =
        blocked.into_iter().map(|(category, names)| (category, names.len())).collect();
    found.holding = holding.len();
    found
}

impl RehearsedRow {
    fn add(&mut self, change: Change, name: &Folded, with_names: bool) {
        let (count, names) = match change {
            Change::Blocked => (&mut self.blocked, &mut self.names.0),
            Change::Opened => (&mut self.opened, &mut self.names.1),
        };
        *count += 1;
        if with_names && self.category != PROTECTED && names.len() < MOST_NAMES {
            names.push(name.to_name().to_string().trim_end_matches('.').to_owned());
        }
    }
}

/// The category of a block as reports show it.
fn label(taxonomy: &Taxonomy, block: Block) -> String {
    let row = block.category.map(|id| taxonomy.category(id));
    row.map_or(NO_CATEGORY, Category::counted_as).to_owned()
}

/// Two policies for one group.
struct Compared<'a> {
    old: &'a Snapshot,
    new: &'a Snapshot,
    states: Vec<(ActiveRules<'a>, ActiveRules<'a>)>,
}

impl Compared<'_> {
    /// How a name changes, each kind once.
    fn changes(&self, one: &RehearsedName) -> BTreeMap<Change, Block> {
        let mut found = BTreeMap::new();
        for name in std::iter::once(&one.name).chain(&one.www) {
            let (old, new) = (self.old.hashed(name), self.new.hashed(name));
            for &(before, after) in &self.states {
                let was = self.old.decide(before, &old, rtype::A);
                let is = self.new.decide(after, &new, rtype::A);
                match (was, is) {
                    (Verdict::Block(_), Verdict::Block(_)) => {}
                    (_, Verdict::Block(block)) => {
                        found.entry(Change::Blocked).or_insert(block);
                    }
                    (Verdict::Block(block), _) => {
                        found.entry(Change::Opened).or_insert(block);
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

/// The states that a group is in from `now` on, old beside new: each pair once, and those of an
/// untrusted clock.
fn states<'a>(old: &'a Group, new: &'a Group, now: Now) -> Vec<(ActiveRules<'a>, ActiveRules<'a>)> {
    let edges =
        |group: &Group| -> Vec<u64> { group.rules.changes(now).map(|(edge, _)| edge).collect() };
    let mut times: Vec<u64> = [vec![now.civil], edges(old), edges(new)].concat();
    times.sort_unstable();
    times.dedup();
    let mut found = vec![(
        ActiveRules { group: old, rules: old.rules.strict() },
        ActiveRules { group: new, rules: new.rules.strict() },
    )];
    for civil in times {
        let at = Now { civil, ..now };
        let pair = (old.at(at), new.at(at));
        let is_same = |known: &(ActiveRules<'_>, ActiveRules<'_>)| {
            std::ptr::eq(known.0.rules, pair.0.rules) && std::ptr::eq(known.1.rules, pair.1.rules)
        };
        if !found.iter().any(is_same) {
            found.push(pair);
        }
        if found.len() >= MOST_STATES {
            break;
        }
    }
    found
}
