//! Devices: what names the group of one, beside its address.
//!
//! ```text
//! tokens/       lachan token ▸ tokens.json ▸ the group of a DoH path
//! neighbours ┐
//! leases/ ───┴▸ sightings ▸ DeviceTable ▸ Origin: the hardware address of a client
//!               follow        swapped whole
//! ```
//!
//! Laws: a query never waits for either. Only hardware addresses that the config names are looked for,
//! and where one was seen is in memory alone. Nothing runs while no group has any.

pub mod follow;
pub mod leases;
pub mod neighbours;
mod sightings;
pub mod table;
pub mod tokens;
