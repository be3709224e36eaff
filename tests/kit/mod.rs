//! The test kit: what tests of more than one crate or file put together.
//!
//! ```text
//! Folder   a config on disk with its files ──▶ Snapshot
//! Core     Snapshot + answer cache; octets in, octets out, at a given time
//! gateway  the shell around a Snapshot, without listeners
//! fleet    many update clients in virtual time, over web servers in memory
//! wire     messages, octet by octet
//! policies policies and questions at random
//! repository a department's repository, made by `lachan publish`
//! server   servers upstream that give canned octets, over UDP, TCP, DoT and DoH
//! upstream a scripted server upstream with the habits that people met (case, EDNS, TC, lame, …)
//! data     lists from outside the repository, and the report of a test that lacks them
//! ```

#![expect(dead_code, reason = "test crates share it, and each needs a part")]

pub(crate) mod core;
pub(crate) mod data;
pub(crate) mod fleet;
pub(crate) mod folder;
pub(crate) mod gateway;
pub(crate) mod policies;
pub(crate) mod repository;
pub(crate) mod server;
pub(crate) mod upstream;
pub(crate) mod wire;
