//! Tables of the config, one a file: the type, its defaults, its check.

pub(crate) mod admin;
pub(crate) mod block;
pub(crate) mod devices;
pub(crate) mod essential;
pub(crate) mod fail_mode;
pub(crate) mod limits;
pub(crate) mod listen;
pub(crate) mod lists;
pub(crate) mod local;
pub(crate) mod portal;
pub(crate) mod rebinding;
pub(crate) mod school;
pub(crate) mod selftest;
pub mod server;
pub mod source;
pub(crate) mod state;
pub mod update;
pub(crate) mod upstream;
