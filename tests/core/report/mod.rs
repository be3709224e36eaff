//! The room as a whole: a fleet reports, its department merges, and strangers read what is published.

mod attack;
mod fleet;
mod merging;
mod one_child;
mod reader;
mod solver;
mod year;
