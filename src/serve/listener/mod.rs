//! Listeners: one file per transport.

pub mod tcp;
pub mod udp;
pub mod udp_batch;
