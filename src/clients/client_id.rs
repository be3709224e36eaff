//! The identity of a client in every limit: an IPv4 address or an IPv6 network of 64 bits.

use std::net::IpAddr;

/// The client that a limit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId(u64);

impl ClientId {
    /// The client at an address.
    #[inline]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // No IPv6 network of 64 bits is numbered so low but ::/64, that of loopback.
            IpAddr::V4(address) => Self(1 << 32 | u64::from(u32::from(address))),
            IpAddr::V6(address) => {
                let whole = u128::from(address);
                Self(if address.is_unicast_link_local() {
                    whole as u64
                } else {
                    (whole >> 64) as u64
                })
            }
        }
    }

    /// The identity as a number.
    #[inline]
    pub fn number(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_is_an_address_or_a_network_of_64_bits() {
        let id = |address: &str| ClientId::of(address.parse().unwrap());
        assert_ne!(id("10.0.0.1"), id("10.0.0.2"));
        assert_eq!(id("10.0.0.1"), id("::ffff:10.0.0.1"));
        assert_eq!(id("2001:db8:0:1::1"), id("2001:db8:0:1:ffff::2"));
        assert_ne!(id("2001:db8:0:1::1"), id("2001:db8:0:2::1"));
        assert_ne!(id("fe80::1"), id("fe80::2"));
    }
}
