//! Response policy zones as zone files (draft-vixie-dnsop-dns-rpz).
//!
//! | owner, relative to the zone | trigger |
//! |---|---|
//! | `x` | the question's name is x |
//! | `*.x` | it is below x |
//! | `24.0.2.0.192.rpz-ip` | an address of the answer is in 192.0.2.0/24 |
//!
//! | record | action |
//! |---|---|
//! | `CNAME .` | NXDOMAIN |
//! | `CNAME *.` | NODATA |
//! | `CNAME rpz-passthru.`, or the name itself | none: this zone has spoken |
//! | `CNAME rpz-drop.` | silence |
//! | `CNAME rpz-tcp-only.` | truncated over UDP |
//! | anything else | is the answer |
//!
//! Triggers on the client, a name server's name or its address are counted, as
//! are targets that are wildcards. What stands at the apex describes the zone and
//! is skipped; where the file does not say what the zone is called, relative
//! owners are triggers as they stand and absolute ones are outside of it.

mod rdata;
mod reader;
mod trigger;
mod zone;

pub(super) use reader::RpzReader;
pub(super) use zone::looks_like;
