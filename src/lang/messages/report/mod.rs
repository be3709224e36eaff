//! Reports: what their tables and pages say, and why a file is refused.

pub(in crate::lang::messages) mod faults;
pub(in crate::lang::messages) mod labels;

pub(crate) use faults::*;
pub(crate) use labels::*;
