//! Lá Chắn (the shield): a policy-implementing DNS resolver for school gateways.
//!
//! Three flows, each a straight line (`ARCHITECTURE.md` has them with their steps):
//!
//! ```text
//! query     serve::listener ▶ dns::message ▶ policy (decide) ▶ cache ▶ upstream
//!           ▶ policy (review) ▶ dns::message ▶ serve::listener
//! lists     files ▶ blocklist ▶ pack ▶ matcher ▶ policy::Snapshot ▶ load::in_force
//! evidence  resolve::Outcome ▶ metrics ▶ admin
//! ```
//!
//! Law: from `dns` to `rehearse` there is no socket, no file, no clock, no thread and no async.
//! Octets, a snapshot and the time come in, octets and an outcome go out. Groups below import
//! from the groups above them only; `tests/core/architecture.rs` has the exact layers.

// The wire format, and words.
pub mod category;
pub mod cpu_prefetch;
pub mod diagnostic;
pub mod digest;
pub mod dns;
pub mod lang;
pub mod rule;

// Lists.
pub mod blocklist;
pub mod matcher;
pub mod pack;
pub mod pattern;
pub mod release;

// Policy and resolution.
pub mod cache;
pub mod overblock;
pub mod policy;
pub mod rehearse;
pub mod resolve;

// Settings and counters.
pub mod config;
pub mod metrics;

// The shell: the system, servers that are asked, policy that comes into force.
pub mod evidence;
pub mod fetch;
pub mod load;
pub mod overrides;
pub mod paper;
pub mod reviews;
pub mod status;
pub mod sys;
pub mod update;
pub mod upstream;

// The shell: clients, operators, the command line.
pub mod admin;
pub mod cli;
pub mod clients;
pub mod devices;
pub mod doctor;
pub mod fleet;
pub mod life;
pub mod portal;
pub mod publish;
pub mod report;
pub mod selftest;
pub mod serve;
pub mod staff;
pub mod upgrade;
pub mod web;
