//! The popular sample: names that many people ask for, each with a place.

use std::collections::HashMap;

use crate::dns::name::{Folded, Name};

/// The most names of a sample: a place is a number of 16 bits.
pub const MOST: usize = 1 << 14;

/// The label that a sample name stands for as well.
const WWW: &[u8] = b"\x03www";

/// Names in the order of their file, found by their octets.
#[derive(Debug, Default)]
pub struct PopularSample {
    names: Vec<Name>,
    places: HashMap<Box<[u8]>, u16>,
    digest: String,
}

impl PopularSample {
    /// A sample of these names, those beyond [`MOST`] left out.
    pub fn new(names: impl IntoIterator<Item = Name>) -> Self {
        let mut sample = Self::default();
        let mut hasher = blake3::Hasher::new();
        for (name, place) in names.into_iter().take(MOST).zip(0..) {
            hasher.update(name.as_wire());
            sample.places.insert(name.as_wire().into(), place);
            sample.names.push(name);
        }
        sample.digest = hasher.finalize().to_hex().to_string();
        sample
    }

    /// The names in order.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// The identity of the names and their order: bits by place mean nothing under another one.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The place of a name: its own, or that of the name without `www` in front.
    pub fn place(&self, name: &Folded) -> Option<usize> {
        let wire = name.as_wire();
        let own = self.places.get(wire);
        let found = own.or_else(|| self.places.get(wire.strip_prefix(WWW)?));
        found.map(|&place| usize::from(place))
    }
}

/// `www` below a name; none where that is too long for a name.
pub fn www(name: &Name) -> Option<Folded> {
    let wire = [WWW, name.as_wire()].concat();
    Folded::from_wire(&wire).ok().map(|(folded, _)| folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    #[test]
    fn a_name_stands_for_itself_and_www() {
        let sample = PopularSample::new([name("a.vn"), name("www.b.vn"), name("c.vn")]);
        let place = |text| sample.place(&Folded::from_name(&name(text)));
        assert_eq!(
            ["A.vn", "www.a.vn", "x.a.vn", "b.vn", "www.b.vn", "c.vn", "vn"].map(place),
            [Some(0), Some(0), None, None, Some(1), Some(2), None]
        );
        assert_eq!(www(&name("a.vn")).unwrap().to_name(), name("www.a.vn"));
    }

    #[test]
    fn another_order_is_another_sample() {
        let sample = |names: [&str; 2]| PopularSample::new(names.map(name)).digest().to_owned();
        assert_eq!(sample(["a.vn", "b.vn"]), sample(["A.vn", "b.vn"]));
        assert_ne!(sample(["a.vn", "b.vn"]), sample(["b.vn", "a.vn"]));
    }
}
