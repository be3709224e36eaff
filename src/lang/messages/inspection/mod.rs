//! Messages about what a school shows an inspector, by the room that they are about.

pub(super) mod attest;
pub(super) mod certificates;
pub(super) mod doctor;
pub(super) mod selftest;
pub(super) mod setup;

pub(crate) use attest::*;
pub(crate) use certificates::*;
pub(crate) use doctor::*;
pub(crate) use selftest::*;
pub(crate) use setup::*;
