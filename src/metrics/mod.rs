//! Metrics: typed families in one table, and the exposition text that Prometheus reads.
//!
//! ```text
//! counters (a block per worker) ─┐
//! policy in force ───────────────┼─▶ Sample of a Family ─▶ exporter ─▶ /metrics
//! samples of the other rooms ────┘        │
//!                              families: name, kind, labels, help ─▶ docs/reference/metrics.md
//! ```
//!
//! To add a metric: a line in [`families`], where needed a label in [`labels`], and a
//! [`Sample`] where the value is known; then make the reference anew (`reference`).

pub mod counters;
mod exporter;
pub mod families;
mod family;
pub mod labels;
pub mod lists;
pub mod merged;
pub mod policy;
#[cfg(test)]
mod reference;
mod traffic;
mod upstream;

pub use exporter::{Metrics, MetricsError, ScrapeState, StateSource};
pub use family::{Distribution, Sample};
pub use upstream::{UpstreamSample, ZoneSample};
