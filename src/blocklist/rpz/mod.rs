//! Response policy zones as zone files (draft-vixie-dnsop-dns-rpz).
//!
//! | owner, relative to the zone | trigger |
//! |---|---|
//! | `x` | the question's name is x |
//! | `*.x` | it is below x |
//! | `*` | any name |
//! | `24.0.2.0.192.rpz-ip` | an address of the answer is in 192.0.2.0/24 |
//!
//! | record | action |
//! |---|---|
//! | `CNAME .` | NXDOMAIN |
//! | `CNAME *.` | NODATA |
//! | `CNAME rpz-passthru.`, or the name itself | PASSTHRU: no block, no later zone |
//! | `CNAME rpz-drop.` | no answer |
//! | `CNAME rpz-tcp-only.` | truncated over UDP |
//! | `CNAME *.garden.` | local data: the name below `garden.` |
//! | an unknown `rpz-` action | block, with the answer of the group |
//! | any other | local data |
//!
//! Triggers on the client, a name server's name or its address are counted. Records at the apex describe the zone and are skipped.
//! Where the file does not name its zone, relative owners are triggers as written,
//! and absolute owners are out of zone.

mod rdata;
mod reader;
mod trigger;
mod zone;

pub(super) use reader::RpzReader;
pub(super) use zone::looks_like;
