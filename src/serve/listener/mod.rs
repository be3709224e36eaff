//! Listeners: one file per transport.
//!
//! ```text
//! transports  udp (udp_batch)  tcp (stream)  tls (stream)  doh
//! shared      origin ▶ the core ▶ conclude
//! ```
//!
//! To add one: fill an [`crate::resolve::Origin`] in `origin`, begin, [`conclude::settle`],
//! [`conclude::conclude`]. Streams have all but the first in `stream`.

pub mod conclude;
pub mod doh;
pub mod origin;
pub mod stream;
pub mod tcp;
pub mod tls;
pub mod udp;
pub mod udp_batch;
