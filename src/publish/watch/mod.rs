//! The watch over a rollout: figures of the gateways in, a halt or none out.
//!
//! ```text
//! WatchQuestion ▶ Prometheus ▶ answer ▶ Readings ─┐
//! Rollout, WatchLimits ───────────────────────────┴▶ judge ▶ WatchFigure: fine, too few, unread, halt
//! ```
//!
//! Laws: a figure halts only where enough gateways have it; what was not answered never halts; the
//! result is a halt or nothing, so that no answer of Prometheus can advance a release or lead back.
//!
//! Absent on purpose: evidence. Metrics are what gateways and Prometheus say; whoever can forge them
//! can bring about a halt, and no more.

pub mod answer;
pub mod question;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use self::answer::{Readings, WatchedGateway};
use self::question::WatchQuestion;
use crate::release::rollout::{KnownTime, Rollout};

/// The limits of a watch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WatchLimits {
    /// The least gateways that a figure is judged by, on each side of a comparison.
    pub gateways: usize,
    /// The share of refusals at which the rollout halts.
    pub ratio: f64,
    /// How much larger a share must be than among the other gateways for the rollout to halt.
    pub apart: f64,
    /// By how much the share of blocked queries of one gateway must change to count.
    pub jump: f64,
}

/// What was asked and answered; a question that was not answered is absent.
pub type WatchAnswers = BTreeMap<WatchQuestion, Readings>;

/// A figure of the gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// Gateways that refused the release or went back from it by themselves, of those that tried it.
    Refused,
    /// Gateways that refused the program that the rollout chooses or went back from it, of those that
    /// tried it.
    Program,
    /// Gateways that had the release when they were last heard, and are silent.
    Silent,
    /// Gateways with the release whose share of blocked answers is another than a week ago.
    Blocked,
}

/// What a figure comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureVerdict {
    /// Within its limit.
    Fine,
    /// Too few gateways have it.
    TooFew,
    /// A question of it was not answered.
    Unread,
    /// Past its limit.
    Halt,
}

/// Gateways, and how many of them a figure speaks against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GatewayShare {
    /// Those that it speaks against.
    pub bad: usize,
    /// All of them.
    pub of: usize,
}

impl GatewayShare {
    fn add(&mut self, is_bad: bool) {
        self.of += 1;
        self.bad += usize::from(is_bad);
    }

    fn ratio(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.bad as f64 / self.of as f64 }
    }
}

/// A figure that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WatchFigure {
    /// Which one.
    pub figure: FigureKind,
    /// What it comes to.
    pub verdict: FigureVerdict,
    /// Gateways with the release; for refusals those that tried it.
    pub new: GatewayShare,
    /// Gateways without it, where the figure compares.
    pub others: Option<GatewayShare>,
    /// The limit.
    pub limit: f64,
}

/// Judges what gateways do with the release that is rolled out; `now` in seconds since 1970.
pub fn judge(
    rollout: &Rollout,
    answers: &WatchAnswers,
    limits: &WatchLimits,
    now: u64,
) -> Vec<WatchFigure> {
    let scene = Scene { rollout, answers, limits, now };
    let program = (!rollout.programs().is_empty())
        .then(|| scene.figure(FigureKind::Program, scene.program()));
    let of_release = [
        scene.figure(FigureKind::Refused, scene.refused()),
        scene.figure(FigureKind::Silent, scene.silent()),
        scene.figure(FigureKind::Blocked, scene.blocked()),
    ];
    of_release.into_iter().chain(program).collect()
}

/// Two sides of a figure.
type Sides = (GatewayShare, Option<GatewayShare>);

struct Scene<'a> {
    rollout: &'a Rollout,
    answers: &'a WatchAnswers,
    limits: &'a WatchLimits,
    now: u64,
}

impl Scene<'_> {
    fn answer(&self, question: WatchQuestion) -> Option<&Readings> {
        self.answers.get(&question)
    }

    /// The gateways that were heard of, each with the release that it said last.
    fn releases(&self) -> Option<impl Iterator<Item = (&WatchedGateway, u64)>> {
        let known = self.answer(WatchQuestion::Release)?;
        Some(known.iter().filter_map(|(gateway, value)| Some((gateway, serial(*value)?))))
    }

    /// Gateways that refused the release, of these and those that have it.
    ///
    /// A gateway whose ring is still to come tried another release. One that refused before the
    /// rollout began says nothing of this release either.
    fn refused(&self) -> Option<Sides> {
        let refused = self.answer(WatchQuestion::Refused)?;
        let before = positive(self.answer(WatchQuestion::RefusedBefore)?);
        let mut new = GatewayShare::default();
        for (gateway, has) in self.releases()? {
            let Some(count) = refused.get(gateway) else { continue };
            if has == self.rollout.release {
                new.add(false);
            } else if self.is_due(gateway, has) && *count > 0.0 && !before.contains(gateway) {
                new.add(true);
            }
        }
        Some((new, None))
    }

    fn is_due(&self, gateway: &WatchedGateway, has: u64) -> bool {
        let assigned = self.rollout.choice(&gateway.school, KnownTime::Synced(self.now), has);
        assigned.release == self.rollout.release
    }

    /// Gateways that refused a program of the rollout, of these and those that run one.
    fn program(&self) -> Option<Sides> {
        let mut new = GatewayShare::default();
        for value in self.answer(WatchQuestion::Program)?.values() {
            new.add(*value > 1.5);
        }
        Some((new, None))
    }

    fn silent(&self) -> Option<Sides> {
        let heard = self.answer(WatchQuestion::Heard)?;
        self.compared(|gateway| Some(!heard.contains_key(gateway)))
    }

    fn blocked(&self) -> Option<Sides> {
        let blocked = self.answer(WatchQuestion::Blocked)?;
        let before = self.answer(WatchQuestion::BlockedBefore)?;
        self.compared(|gateway| {
            let change = (blocked.get(gateway)? - before.get(gateway)?).abs();
            Some(change >= self.limits.jump)
        })
    }

    /// Gateways with the release against those without it; none are counted of which nothing is known.
    fn compared(&self, is_bad: impl Fn(&WatchedGateway) -> Option<bool>) -> Option<Sides> {
        let (mut new, mut others) = (GatewayShare::default(), GatewayShare::default());
        for (gateway, has) in self.releases()? {
            let Some(is_bad) = is_bad(gateway) else { continue };
            let side = if has == self.rollout.release { &mut new } else { &mut others };
            side.add(is_bad);
        }
        Some((new, Some(others)))
    }

    fn figure(&self, figure: FigureKind, sides: Option<Sides>) -> WatchFigure {
        let WatchLimits { gateways, ratio, apart, .. } = *self.limits;
        let is_of_refusals = matches!(figure, FigureKind::Refused | FigureKind::Program);
        let limit = if is_of_refusals { ratio } else { apart };
        // A gateway names the version that it refuses: one of a ring of one says enough.
        let gateways = if figure == FigureKind::Program { 1 } else { gateways };
        let Some((new, others)) = sides else {
            let (verdict, new) = (FigureVerdict::Unread, GatewayShare::default());
            return WatchFigure { figure, verdict, new, others: None, limit };
        };
        let is_enough = |share: GatewayShare| share.of >= gateways.max(1);
        let excess = new.ratio() - others.map_or(0.0, GatewayShare::ratio);
        let verdict = if !is_enough(new) || !others.is_none_or(is_enough) {
            FigureVerdict::TooFew
        } else if new.bad > 0 && excess >= limit {
            FigureVerdict::Halt
        } else {
            FigureVerdict::Fine
        };
        WatchFigure { figure, verdict, new, others, limit }
    }
}

/// The serial of a release, of a reading that is one.
fn serial(value: f64) -> Option<u64> {
    let is_serial = value.fract() == 0.0 && (0.0..=9e15).contains(&value);
    is_serial.then_some((value as i64).unsigned_abs())
}

/// The gateways with more than nothing.
fn positive(readings: &Readings) -> BTreeSet<&WatchedGateway> {
    readings.iter().filter(|(_, value)| **value > 0.0).map(|(gateway, _)| gateway).collect()
}

#[cfg(test)]
mod tests;
