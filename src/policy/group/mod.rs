//! Groups: what binds each at which time.

pub mod enforcement;
pub mod overrides;
pub mod rules;
pub mod time;
pub mod timeline;
