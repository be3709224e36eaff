//! Groups of clients: their configured rules, and the rules in force at each time.

pub mod enforcement;
pub mod overrides;
pub mod rules;
pub mod strictness;
pub mod time;
pub mod timeline;
