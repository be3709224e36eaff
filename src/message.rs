//! DNS messages: octets ⇄ query and reply.

use crate::name::Name;

/// What upstream is asked: class IN, always recursive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name, in lower case.
    pub name: Name,
    /// The type (RFC 1035 §3.2.2), as a number.
    pub qtype: u16,
    /// The client's DO bit (RFC 3225).
    pub dnssec_ok: bool,
    /// The client's CD bit (RFC 4035 §3.2.2).
    pub checking_disabled: bool,
}
