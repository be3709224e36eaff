//! Loading: files → candidate → in force.

pub mod assemble;
mod assemble_error;
pub mod candidate;
mod config_file;
pub mod degraded;
mod derive;
mod group_ids;
pub mod guard;
pub mod in_force;
mod keep;
pub mod kept;
pub mod list_state;
pub mod lists;
pub mod rehearsal;
pub mod release;
pub mod rule_origin;
pub mod sources;
pub mod timetable;
pub mod zone_ids;
