//! Loading: files → candidate → in force.

pub mod assemble;
mod assemble_error;
pub mod candidate;
pub mod compile_lists;
pub mod degraded;
mod derive;
mod group_ids;
pub mod guard;
pub mod in_force;
pub mod list_error;
pub mod lists;
pub mod packs;
pub mod rule_origin;
pub mod sealed;
pub mod sources;
pub mod timetable;
pub mod zone_ids;
