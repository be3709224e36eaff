//! The rehearsal of what is to come into force, and what is kept for the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tracing::{info, warn};

use crate::category::{CategorySet, Taxonomy};
use crate::config::Config;
use crate::config::data::guard::Guard;
use crate::config::data::released::ReleasedData;
use crate::dns::name::Name;
use crate::load::assemble::Assembler;
use crate::load::candidate::Candidate;
use crate::load::in_force::InForce;
use crate::load::kept::{DIRECTORY, SEEN};
use crate::metrics::{Sample, families};
use crate::policy::Snapshot;
use crate::policy::group::time::Now;
use crate::rehearse::compare::{NameSet, Rehearsal, RehearsedName, RehearsedSet, rehearse};
use crate::rehearse::recent::RecentNames;
use crate::rehearse::sample::PopularSample;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The popular sample of these tables.
pub fn popular(data: &ReleasedData) -> Arc<PopularSample> {
    Arc::new(PopularSample::new(data.popular().unwrap_or_default()))
}

/// The sets that a policy with this taxonomy is rehearsed with; `data` are the tables before and after:
/// what either calls essential or guarded is rehearsed.
fn sets(taxonomy: &Taxonomy, data: [&ReleasedData; 2], recent: &[Name]) -> Vec<NameSet> {
    let guards = data.map(|data| Guard::of(data, taxonomy));
    let of = |wanted: bool| -> Vec<RehearsedName> {
        let mut names: BTreeMap<&Name, CategorySet> = BTreeMap::new();
        for (name, meant, is_essential) in guards.iter().flat_map(Guard::guarded) {
            if is_essential == wanted {
                let known = names.entry(name).or_insert(meant);
                *known = known.union(meant);
            }
        }
        names.into_iter().map(|(name, meant)| RehearsedName::new(name, meant)).collect()
    };
    let recent: BTreeSet<&Name> = recent.iter().collect();
    let recent = recent.into_iter().map(|name| RehearsedName::new(name, CategorySet::EMPTY));
    let [_, after] = data;
    let sample = popular(after);
    vec![
        (RehearsedSet::Guard, of(false)),
        (RehearsedSet::Essential, of(true)),
        (RehearsedSet::Popular, sample.names().iter().map(RehearsedName::with_www).collect()),
        (RehearsedSet::Recent, recent.collect()),
    ]
}

/// Rehearses a policy against another one from `now` on, with what `recent` knows of this school;
/// names are told where `with_names`.
pub fn rehearse_policies(
    (old, new): (&Snapshot, &Snapshot),
    data: [&ReleasedData; 2],
    recent: &RecentNames,
    now: Now,
    with_names: bool,
) -> Rehearsal {
    let sets = sets(new.taxonomy(), data, &recent.names());
    let found = rehearse(old, new, &sets, now, with_names);
    Rehearsal { unrehearsed_permille: recent.unknown_permille(), ..found }
}

/// Rehearses a candidate against what is in force, under the overrides of this moment; none where
/// it has the same lists.
pub fn rehearse_candidate(
    in_force: &InForce,
    candidate: &Candidate,
    recent: &RecentNames,
    now: Now,
) -> Option<Rehearsal> {
    let (old, new) = (in_force.sources(), candidate.sources());
    if old.lists_tag == new.lists_tag {
        return None;
    }
    let next = candidate.look(&in_force.overrides_at(now.civil), now.civil);
    let data = [&in_force.config().data, &candidate.config().data];
    Some(rehearse_policies((&in_force.snapshot, &next), data, recent, now, false))
}

impl Assembler {
    /// The same, with this pack in the place of the delivered ones.
    #[must_use]
    pub fn with_pack(mut self, pack: PathBuf) -> Self {
        self.pack = Some(pack);
        self
    }
}

/// Reads what an earlier process kept of the names that were asked for.
pub fn remember(recent: &RecentNames, state: &StateDir) {
    recent.take(&read::text(&state.join(DIRECTORY).join(SEEN)).unwrap_or_default());
}

/// Keeps it for the next process, where an hour has passed since it was kept; `micros` is the time of
/// the gateway's clock.
pub fn keep_hourly(recent: &RecentNames, state: &StateDir, config: &Config, micros: u64) {
    if recent.is_due(micros / 1_000_000) {
        keep(recent, state, config);
    }
}

/// Keeps it for the next process, where the config wants anything kept.
pub fn keep(recent: &RecentNames, state: &StateDir, config: &Config) {
    let text = recent.kept();
    let is_kept = read::text(&state.join(DIRECTORY).join(SEEN)).is_ok_and(|kept| kept == text);
    if is_kept || !config.state.keep {
        return;
    }
    let directory = state.subdirectory(DIRECTORY).map_err(io::Error::other);
    if let Err(error) = directory.and_then(|kept| kept.replace(SEEN, text.as_bytes())) {
        warn!(%error, "what a rehearsal knows of this school cannot be kept");
    }
}

/// Logs what was found: counts, never names.
pub fn report(found: &Rehearsal) {
    let count = |set: RehearsedSet| found.most(set);
    let ((guard, _), (essential, _)) = (count(RehearsedSet::Guard), count(RehearsedSet::Essential));
    let (popular, recent) = (count(RehearsedSet::Popular), count(RehearsedSet::Recent));
    let unrehearsed = found.unrehearsed_permille.map_or_else(
        || "nothing is known of what this school asks for".to_owned(),
        |permille| format!("{}.{} % of its queries not rehearsed", permille / 10, permille % 10),
    );
    if found.holds() {
        warn!(
            guard,
            essential,
            "rehearsal: the new lists block names that no list may block by mistake; `lachan lists rehearse` names them"
        );
    }
    info!(
        blocked = popular.0,
        opened = popular.1,
        of_recent = recent.0,
        opened_of_recent = recent.1,
        "rehearsed, popular and recent names that change in a group; {unrehearsed}"
    );
}

/// A rehearsal as gauges.
pub fn samples(rehearsal: &Rehearsal) -> Vec<Sample> {
    let names = RehearsedSet::ALL.into_iter().map(|set| {
        let count = rehearsal.names.get(set.id()).copied().unwrap_or(0);
        families::REHEARSED.sample((set,), count as f64)
    });
    let blocked = rehearsal.newly_blocked.iter().map(|(category, &count)| {
        families::REHEARSAL_BLOCKED.sample((category.as_str().into(),), count as f64)
    });
    let unknown = rehearsal.unrehearsed_permille.unwrap_or(1000);
    let rest = [
        families::REHEARSAL_HOLDING.sample((), rehearsal.holding as f64),
        families::REHEARSAL_UNKNOWN.sample((), f64::from(unknown) / 1000.0),
    ];
    names.chain(blocked).chain(rest).collect()
}
