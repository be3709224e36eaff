//! Claims: what a device shows of itself beside its address.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

/// A hardware address of six octets (EUI-48).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether the device has drawn it itself: phones draw one for each network (the bit of locally
    /// administered addresses, IEEE 802).
    pub const fn is_random(self) -> bool {
        self.0[0] & 0x02 != 0
    }

    /// Whether a device can have it: neither a group address (IEEE 802) nor zero.
    pub fn is_of_one_device(self) -> bool {
        self.0[0] & 0x01 == 0 && self.0 != [0; 6]
    }
}

/// As systems write it: `a0:36:9f:00:00:01`.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|octet| write!(f, ":{octet:02x}"))
    }
}

/// Six octets in two hexadecimal digits each, with `:` or `-` between them, in either case.
impl FromStr for Mac {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let separator = if text.contains('-') { '-' } else { ':' };
        let mut octets = [0; 6];
        let mut parts = text.split(separator);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2).ok_or(())?;
            if !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(());
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| ())?;
        }
        if parts.next().is_some() { Err(()) } else { Ok(Self(octets)) }
    }
}

/// What a device shows of itself beside its address: it can name a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// The group whose token is in the path of its DoH request: the only secret of the three.
    pub token: Option<Arc<str>>,
    /// The name it gave for the server (TLS SNI), in lower case.
    pub server_name: Option<Arc<str>>,
    /// Its hardware address, if the gateway has seen it beside the client's address and a group
    /// names it.
    pub mac: Option<Mac>,
}

impl Claims {
    /// No claim.
    pub const NONE: Self = Self { token: None, server_name: None, mac: None };

    /// Whether there is none.
    #[inline]
    pub const fn is_none(&self) -> bool {
        self.token.is_none() && self.server_name.is_none() && self.mac.is_none()
    }
}

/// What a group names of its devices beside their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupClaims {
    /// The names by which its devices call the server, in lower case, without a final dot.
    pub server_names: Vec<String>,
    /// Their hardware addresses.
    pub macs: Vec<Mac>,
    /// The networks where its tokens act; empty for those of its clients.
    pub tokens_from: Vec<IpNet>,
}

#[cfg(test)]
mod tests {
    use super::Mac;

    #[test]
    fn a_hardware_address_is_read_as_people_write_it() {
        for text in ["a0:36:9f:0b:00:1f", "A0-36-9F-0B-00-1F"] {
            let mac: Mac = text.parse().unwrap();
            assert_eq!(mac.to_string(), "a0:36:9f:0b:00:1f");
            assert!(!mac.is_random() && mac.is_of_one_device());
        }
        assert!("02:00:00:00:00:01".parse::<Mac>().unwrap().is_random());
        for text in ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"] {
            assert!(!text.parse::<Mac>().unwrap().is_of_one_device(), "{text}");
        }
        let wrong = [
            "",
            "a0:36:9f:0b:00",
            "a0:36:9f:0b:00:1f:00",
            "a:36:9f:0b:00:1f",
            "+0:36:9f:0b:00:1f",
            "a0:36-9f:0b:00:1f",
            "a0369f0b001f",
        ];
        for text in wrong {
            assert_eq!(text.parse::<Mac>(), Err(()), "{text}");
        }
    }
}
