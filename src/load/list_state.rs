//! The state of each list in force, and whether all filters as configured: for status and metrics.

use crate::load::in_force::InForce;
use crate::load::kept::left_out::LeftOut;
use crate::metrics::Sample;
use crate::metrics::labels::{ListHealth, Protection};
use crate::metrics::lists::{self, ListSample, label_of};
use crate::policy::group::time::{Now, Trust};
use serde::{Deserialize, Serialize};

use crate::load::kept::held::absolute;
use crate::load::sources::PolicySources;

/// The state of one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListCondition {
    /// Its files are in force.
    Ok,
    /// Its kept copy stands in.
    Held,
    /// It cannot be used, has no kept copy, and is not in force.
    LeftOut,
}

/// One list of the config, or the delivered pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListState {
    /// Its path or URL in the config.
    pub name: String,
    /// Rules in force of it; entries of a sealed list.
    pub rules: u64,
    /// Seconds since its newest file was written; none where that is not known.
    pub age_s: Option<u64>,
    /// Its state.
    pub state: ListCondition,
    /// The digest of its texts, or of the pack; empty where there is none.
    pub digest: String,
    /// The fault of one that is held or left out.
    pub why: Option<String>,
    /// Blocked queries since the start that it names, in the category they were counted in; none of a
    /// sealed list, or of one with protected categories.
    #[serde(default)]
    pub matches: Option<u64>,
    /// True where it named none of them in [`TRIAL`] seconds of service.
    #[serde(default)]
    pub only_costs: bool,
}

/// The service after which a list that named nothing is said to only cost: 30 days.
const TRIAL: u64 = 30 * 86_400;

impl PolicySources {
    /// The state of each list at a civil time, in the order of the config, packs last.
    pub fn list_states(&self, civil: u64) -> Vec<ListState> {
        let open = self.config.lists.sources.iter().map(|source| {
            let path = absolute(&source.path);
            let kept = self.lists.to_keep.iter().find(|kept| absolute(&kept.path) == path);
            let age = kept.map(|kept| civil.saturating_sub(kept.modified));
            let (rules, digest) = kept.map_or((0, String::new()), |k| (k.rules, k.digest()));
            self.list_state(&source.label, rules, age, digest)
        });
        let waiting = self.downloads.sources.iter().filter(|wanted| {
            !self.config.lists.sources.iter().any(|source| source.path == wanted.path)
        });
        let waiting = waiting.map(|one| self.list_state(&one.label, 0, None, String::new()));
        let sealed = self.config.lists.sealed.iter().map(|one| {
            let place =
                self.sealed.to_keep.iter().position(|kept| kept.path == absolute(&one.path));
            let list = place.and_then(|place| self.sealed.lists.get(place));
            self.list_state(
                &one.label,
                list.map_or(0, |l| l.table.len() as u64),
                None,
                String::new(),
            )
        });
        let pack = self.config.lists.packs.iter().map(|directory| {
            let check =
                self.lists.pack.as_ref().map_or_else(String::new, |pack| pack.check.clone());
            self.list_state(&directory.display().to_string(), self.lists.pack_names, None, check)
        });
        open.chain(waiting).chain(sealed).chain(pack).collect()
    }

    fn list_state(&self, name: &str, rules: u64, age_s: Option<u64>, digest: String) -> ListState {
        let held = self.held.iter().find(|one| one.label == name).map(|one| &one.why);
        let left_out = self.left_out.iter().find(|one| one.label == name).map(|one| &one.why);
        let state = match (held, left_out) {
            (_, Some(_)) => ListCondition::LeftOut,
            (Some(_), None) => ListCondition::Held,
            (None, None) => ListCondition::Ok,
        };
        let why = left_out.or(held).cloned();
        let name = name.to_owned();
        ListState { name, rules, age_s, state, digest, why, matches: None, only_costs: false }
    }
}

/// The age of a download, in seconds, from which its list is stale: many failures in a row.
const STALE: u64 = 7 * 86_400;

impl InForce {
    /// The lists and the protection at a moment; `oldest` is the age of the oldest download.
    pub fn list_samples(&self, now: Now, oldest: u64) -> Vec<Sample> {
        let sealed = &self.config().lists.sealed;
        let states = self.sources().list_states(now.civil);
        // A sealed list has a number: its file may be named for what nobody shall read.
        let name = |state: &ListState| {
            let place = sealed.iter().position(|one| one.label == state.name);
            place.map_or_else(|| state.name.clone(), |place| format!("sealed-{}", place + 1))
        };
        let lists = states.into_iter().map(|state| ListSample {
            source: name(&state),
            state: match state.state {
                ListCondition::Ok => ListHealth::Ok,
                ListCondition::Held => ListHealth::Held,
                ListCondition::LeftOut => ListHealth::LeftOut,
            },
            digest: state.digest,
            rules: state.rules,
            age: state.age_s,
        });
        let mut samples = lists::samples(lists);
        samples.push(lists::protection(self.protection(now.trust, oldest)));
        samples
    }

    /// The lists with what each is worth; `count` has the matches at a place.
    pub fn valued_lists(&self, now: Now, count: impl Fn(u8) -> u64) -> Vec<ListState> {
        let sources = self.sources();
        let places = self.snapshot.sources().names();
        let of_label = |label: &str| {
            let place = places.iter().find(|(_, name)| name == label_of(label));
            place.map(|(place, _)| count(*place))
        };
        let packs = &sources.config.lists.packs;
        let is_pack = |state: &ListState| {
            packs.iter().any(|directory| directory.display().to_string() == state.name)
        };
        let of_packs = || {
            let of_pack = sources.lists.sources.iter().filter(|source| source.place.is_none());
            let counts: Vec<u64> = of_pack.filter_map(|one| of_label(&one.name)).collect();
            (!counts.is_empty()).then(|| counts.iter().sum())
        };
        let valued = |state: ListState| {
            let matches = if is_pack(&state) { of_packs() } else { of_label(&state.name) };
            let only_costs = matches == Some(0) && state.rules > 0 && now.mono >= TRIAL;
            ListState { matches, only_costs, ..state }
        };
        sources.list_states(now.civil).into_iter().map(valued).collect()
    }

    /// The worst that is to be said of what is in force.
    pub fn protection(&self, trust: Trust, oldest: u64) -> Protection {
        let (sources, state) = (self.sources(), self.snapshot.fail_mode());
        let is_closed = |one: &LeftOut| {
            !one.lacking(state.fails_closed).intersection(state.closed()).is_empty()
        };
        // A calendar that is left out makes its schedules strict.
        let is_calendar = |one: &LeftOut| {
            sources.config.unusable.iter().any(|calendar| calendar.path == one.path)
        };
        let passes = |one: &LeftOut| !is_closed(one) && !is_calendar(one);
        match () {
            () if self.snapshot.lists().is_empty() => Protection::NoLists,
            () if sources.left_out.iter().any(passes) => Protection::ListMissing,
            () if sources.left_out.iter().any(is_closed) => Protection::FailClosed,
            () if sources.is_degraded() => Protection::Held,
            () if trust == Trust::Untrusted => Protection::Clock,
            () if oldest > STALE => Protection::StaleList,
            () => Protection::Ok,
        }
    }
}
