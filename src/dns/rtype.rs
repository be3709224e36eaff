//! Record types that this program speaks of, as numbers on the wire.

/// IPv4 address.
pub const A: u16 = 1;
/// Name server.
pub const NS: u16 = 2;
/// Canonical name.
pub const CNAME: u16 = 5;
/// Start of authority.
pub const SOA: u16 = 6;
/// A pointer to another name.
pub const PTR: u16 = 12;
/// Host information; the answer to ANY (RFC 8482).
pub const HINFO: u16 = 13;
/// Mail exchange.
pub const MX: u16 = 15;
/// Text.
pub const TXT: u16 = 16;
/// IPv6 address.
pub const AAAA: u16 = 28;
/// Where a service is (RFC 2782).
pub const SRV: u16 = 33;
/// Redirection of a subtree (RFC 6672).
pub const DNAME: u16 = 39;
/// The EDNS pseudo record (RFC 6891).
pub const OPT: u16 = 41;
/// Delegation signer.
pub const DS: u16 = 43;
/// DNSSEC signature.
pub const RRSIG: u16 = 46;
/// DNSSEC key.
pub const DNSKEY: u16 = 48;
/// Service binding (RFC 9460).
pub const SVCB: u16 = 64;
/// Service binding for HTTPS (RFC 9460).
pub const HTTPS: u16 = 65;
/// Incremental zone transfer.
pub const IXFR: u16 = 251;
/// Zone transfer.
pub const AXFR: u16 = 252;
/// All types.
pub const ANY: u16 = 255;
