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

/// Types by their names, of those that people ask for or write rules about.
const NAMES: [(&str, u16); 40] = [
    ("A", A),
    ("NS", NS),
    ("CNAME", CNAME),
    ("SOA", SOA),
    ("PTR", PTR),
    ("HINFO", HINFO),
    ("MX", MX),
    ("TXT", TXT),
    ("RP", 17),
    ("AFSDB", 18),
    ("SIG", 24),
    ("KEY", 25),
    ("AAAA", AAAA),
    ("LOC", 29),
    ("SRV", SRV),
    ("NAPTR", 35),
    ("KX", 36),
    ("CERT", 37),
    ("DNAME", DNAME),
    ("OPT", OPT),
    ("APL", 42),
    ("DS", DS),
    ("SSHFP", 44),
    ("IPSECKEY", 45),
    ("RRSIG", RRSIG),
    ("NSEC", 47),
    ("DNSKEY", DNSKEY),
    ("DHCID", 49),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("SMIMEA", 53),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("OPENPGPKEY", 61),
    ("SVCB", SVCB),
    ("HTTPS", HTTPS),
    ("SPF", 99),
    ("ANY", ANY),
    ("CAA", 257),
];

/// The type with this name, in any case; also as `TYPE64` (RFC 3597 §5).
pub fn from_name(name: &str) -> Option<u16> {
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, number)| *number).or_else(|| {
        let digits = name.get(..4).filter(|start| start.eq_ignore_ascii_case("TYPE"));
        digits.and_then(|_| name.get(4..)?.parse().ok())
    })
}

/// The name of a type.
pub fn name_of(rtype: u16) -> String {
    let known = NAMES.iter().find(|(_, number)| *number == rtype);
    known.map_or_else(|| format!("TYPE{rtype}"), |(name, _)| (*name).to_owned())
}
