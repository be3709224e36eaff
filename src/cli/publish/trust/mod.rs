//! Keys and dates of a repository.

pub(super) mod init;
pub(super) mod key;
pub(super) mod refresh;
pub(super) mod rotate;
