//! Keys, roles and signatures of a repository, and its directory.
//!
//! ```text
//! keys ▶ init ▶ root, targets, rollout, emergency ▶ refresh ▶ snapshot ▶ timestamp
//!          rotate ┘ (other keys)
//! ```
//!
//! Law: what is signed here is given from outside; this room knows nothing of lists.

pub mod init;
pub mod keys;
pub(super) mod officers;
pub mod refresh;
pub mod repository;
pub mod roles;
pub mod rotate;
pub(in crate::publish) mod signed;
pub(in crate::publish) mod verify;
