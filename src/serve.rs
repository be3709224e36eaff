//! The shell: everything that can block, fail or tick.
pub mod upstream;
