//! A name as the text that patterns search.

use crate::dns::name::{Folded, MAX_OCTETS};

/// The text of a name: lower case, dots between labels, none at the end.
///
/// A dot inside a label, which only a crafted name has, becomes an octet that no pattern names: `a\.b`
/// is not the two labels of `a.b`.
pub struct HostText {
    octets: [u8; MAX_OCTETS],
    length: usize,
}

/// In place of a dot inside a label.
const INNER_DOT: u8 = 0xff;

impl HostText {
    /// The text of `name`.
    #[inline]
    pub fn of(name: &Folded) -> Self {
        let mut text = Self { octets: [0; MAX_OCTETS], length: 0 };
        let wire = name.as_wire();
        let inside = wire.get(1..wire.len() - 1).unwrap_or(&[]);
        for (to, &octet) in text.octets.iter_mut().zip(inside) {
            *to = if octet == b'.' { INNER_DOT } else { octet };
        }
        text.length = inside.len();
        for index in 1..name.label_count() {
            if let Some(octet) = text.octets.get_mut(name.start(index) - 1) {
                *octet = b'.';
            }
        }
        text
    }

    /// Its octets.
    #[inline]
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or(&[])
    }
}
