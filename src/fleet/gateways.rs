//! Gateways as Prometheus knows them: its answers, put together by school and address.

use std::collections::{BTreeMap, BTreeSet};

use super::FleetAnswers;
use super::cause::FleetCause;
use super::protection::SchoolProtection;
use super::question::FleetQuestion;
use crate::publish::series::answer::SeriesValue;

/// States of `lachan_enforcement_seconds_total` in which nothing passes that is to be blocked.
const ENFORCED: [&str; 2] = ["enforced", "uplink"];

/// A gateway.
#[derive(Debug, Clone, Default)]
pub(super) struct ScrapedGateway {
    /// Whether its scrapes succeed; none where it is not scraped any more.
    up: Option<bool>,
    protection: Option<(bool, String)>,
    has_uplink: Option<bool>,
    /// School seconds of the month, by what held; none where it does not count them.
    pub(super) seconds: Option<BTreeMap<String, u64>>,
    silent: u64,
    pub(super) seen: Option<u64>,
    last_protected: Option<u64>,
    last_unprotected: Option<u64>,
    pub(super) release: Option<u64>,
    pub(super) versions: BTreeSet<String>,
}

/// Gateways by school and address.
pub(super) type Gateways = BTreeMap<String, BTreeMap<String, ScrapedGateway>>;

/// The greatest count that is believed: all schools together stay far below what a number holds.
const MOST: i64 = 10_i64.pow(13);

/// A value that is a count: nothing below 0, nothing between two, nothing beyond belief.
pub(super) fn whole(value: f64) -> u64 {
    (value.round() as i64).clamp(0, MOST).unsigned_abs()
}

/// Puts the answers together. Series without a school are nobody's.
pub(super) fn gateways(answers: &FleetAnswers) -> Gateways {
    let mut found = Gateways::new();
    let mut each = |question, note: &mut dyn FnMut(&mut ScrapedGateway, &SeriesValue)| {
        for one in answers.get(&question).into_iter().flatten() {
            let (school, instance) = (one.label("school"), one.label("instance"));
            if !school.is_empty() {
                let of_school = found.entry(school.to_owned()).or_default();
                note(of_school.entry(instance.to_owned()).or_default(), one);
            }
        }
    };
    each(FleetQuestion::Up, &mut |gateway, one| gateway.up = Some(one.value > 0.0));
    each(FleetQuestion::Protected, &mut |gateway, one| {
        let said = (one.value > 0.0, one.label("reason").to_owned());
        // Of two series, of which one is late, the worse counts.
        if gateway.protection.as_ref().is_none_or(|(is_protected, _)| *is_protected) {
            gateway.protection = Some(said);
        }
    });
    each(FleetQuestion::Uplink, &mut |gateway, one| gateway.has_uplink = Some(one.value > 0.0));
    each(FleetQuestion::Enforced, &mut |gateway, one| {
        let seconds = gateway.seconds.get_or_insert_default();
        *seconds.entry(one.label("state").to_owned()).or_default() += whole(one.value);
    });
    each(FleetQuestion::Silent, &mut |gateway, one| gateway.silent = whole(one.value));
    each(FleetQuestion::Seen, &mut |gateway, one| gateway.seen = Some(whole(one.value)));
    each(FleetQuestion::LastProtected, &mut |gateway, one| {
        gateway.last_protected = Some(whole(one.value));
    });
    each(FleetQuestion::LastUnprotected, &mut |gateway, one| {
        gateway.last_unprotected = Some(whole(one.value));
    });
    each(FleetQuestion::Release, &mut |gateway, one| gateway.release = Some(whole(one.value)));
    each(FleetQuestion::Version, &mut |gateway, one| {
        gateway.versions.insert(one.label("version").to_owned());
    });
    found
}

impl ScrapedGateway {
    /// Whether it is protected, as far as is known.
    pub(super) fn protected(&self) -> SchoolProtection {
        match &self.protection {
            Some((false, _)) => SchoolProtection::No,
            Some((true, _)) if self.up != Some(false) => SchoolProtection::Yes,
            _ => SchoolProtection::Unknown,
        }
    }

    /// What is to be said of it, the worst first.
    pub(super) fn causes(&self) -> Vec<FleetCause> {
        let mut causes = Vec::new();
        match &self.protection {
            None if self.up == Some(true) => causes.push(FleetCause::Unsaid),
            None => causes.push(FleetCause::Silent),
            Some((true, _)) if self.up == Some(false) => causes.push(FleetCause::Silent),
            Some((is_protected, reason)) => {
                causes.extend(FleetCause::of_reason(*is_protected, reason));
            }
        }
        if self.up == Some(true) && self.has_uplink == Some(false) {
            causes.push(FleetCause::Uplink);
        }
        causes
    }

    /// Since when that is so, where it is known: the end of the other state.
    pub(super) fn since(&self) -> Option<u64> {
        if self.protected() == SchoolProtection::Yes {
            self.last_unprotected
        } else {
            self.last_protected
        }
    }

    /// School seconds of the month that were due and in which filtering was not enforced, or not known
    /// to be; then all that were due. None where it is not known at all.
    pub(super) fn not_enforced(&self, age: u64) -> Option<(u64, u64)> {
        // While it is heard, its own counter says all.
        let silent = self.silent.min(age);
        let counted = self.seconds.as_ref().map(|seconds| {
            let of = |is_enforced: bool| -> u64 {
                let of = seconds.iter();
                of.filter(|(state, _)| ENFORCED.contains(&state.as_str()) == is_enforced)
                    .map(|(_, seconds)| *seconds)
                    .sum()
            };
            (of(false), of(true))
        });
        match counted {
            None if silent == 0 => None,
            counted => {
                let (not, enforced) = counted.unwrap_or_default();
                Some((not + silent, not + silent + enforced))
            }
        }
    }
}
