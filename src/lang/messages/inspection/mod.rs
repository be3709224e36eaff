//! Messages about what a school shows an inspector, by the room that they are about.

pub(super) mod attest;
pub(super) mod certificates;
pub(super) mod selftest;

pub(crate) use attest::*;
pub(crate) use certificates::*;
pub(crate) use selftest::*;
