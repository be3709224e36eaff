//! Lá Chắn (the shield): a policy-implementing DNS resolver for school gateways.
//!
//! Three flows, each a straight line; the modules stand in the order in which
//! they may import each other, lowest first (`tests/core/architecture.rs` holds it):
//!
//! ```text
//! query     serve::{udp,stream} ▶ message::query ▶ policy::client ▶ policy (decide) ▶ cache
//!           ▶ serve::upstream ▶ message::answer ▶ policy (review) ▶ message::reply
//! lists     files ▶ blocklist ▶ pack ▶ matcher::suffix ▶ policy::Snapshot ▶ swap
//! evidence  resolve::Outcome ▶ metrics::counters ▶ /metrics
//! ```
//!
//! From `name` to `resolve` there is no socket, no file, no clock and no async:
//! octets, a snapshot and the time come in, octets and an outcome go out.

// L0: the wire format, and words
pub mod category;
pub mod cpu_prefetch;
pub mod diagnostic;
pub mod dns;
pub mod lang;
pub mod rule;

// L1: lists
pub mod blocklist;
pub mod matcher;
pub mod pack;

// L2: policy
pub mod policy;

// L3: resolution
pub mod cache;
pub mod resolve;

// L4: settings and counters
pub mod config;
pub mod metrics;

// L5: the shell
pub mod admin;
pub mod cli;
pub mod fetch;
pub mod load;
pub mod overrides;
pub mod serve;
pub mod sys;
pub mod upstream;
