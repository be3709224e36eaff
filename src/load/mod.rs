//! Loading: files → candidate → in force.

pub mod assemble;
pub mod compile_lists;
pub mod degraded;
pub mod in_force;
pub mod lists;
pub mod packs;
pub mod rule_origin;
pub mod sealed;
pub mod timetable;
