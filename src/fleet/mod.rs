//! The fleet: which schools are protected now, which are not, and why.
//!
//! ```text
//! org.toml ▸ SchoolRegistry ──────────────────────┐
//! Prometheus ▸ FleetQuestion ▸ answers ▸ gateways ┼▸ FleetView: schools, roll-ups ▸ text, JSON, page
//! access logs ▸ ReportedFleet ─── as reported ────┘
//! ```
//!
//! Laws: a school of the registry is never absent: one that nothing is known of is `unknown`, and
//! unknown is not protected. What a log says is *reported*, and never makes a school protected, nor a school
//! that the registry does not have one of the fleet. The worst of a school's gateways is what the school is.
//!
//! Absent on purpose: names that were asked and clients; no metric has any.

pub mod cause;
mod gateways;
pub mod page;
pub mod protection;
pub mod question;
pub mod school;
pub mod shown;
pub mod text;
pub mod view;

use std::collections::BTreeMap;

use self::question::FleetQuestion;
use crate::publish::series::answer::SeriesValue;

/// What was asked and answered; a question that was not answered is absent.
pub type FleetAnswers = BTreeMap<FleetQuestion, Vec<SeriesValue>>;

#[cfg(test)]
mod tests;
