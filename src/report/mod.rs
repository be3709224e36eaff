//! The yearly report: what a school hands in, and what its department makes of all of them.
//!
//! ```text
//! STATE/evidence/2026-11.json …  ▸ unit::build ▸ report.json, report.csv, report.html    a school
//! report.json of every school    ▸ merge       ▸ detail.csv, summary.json, summary.html  a department
//! ```
//!
//! Laws, each behind `docs/decisions/0016-counts-that-stay-hidden.md`:
//!
//! - A count of 1 to 9 of a sensitive category is `<10` in a school's report, month by month, and in
//!   no other form.
//! - Every number that is published is made of published cells alone ([`count::PublishedSum`]), so no
//!   table says more of a hidden cell than the cell itself does.
//! - Only months that are over are reported: a cell is published once, and never again with less or more.

pub mod attest;
pub mod count;
pub mod detail;
pub mod files;
pub mod merge;
pub mod period;
pub mod school_month;
pub mod standing;
pub mod summary;
pub mod summary_page;
pub mod table;
pub mod unit;
pub mod unit_page;

#[cfg(test)]
mod unit_tests;
