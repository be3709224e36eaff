//! What a school hands in.

pub mod attest;
