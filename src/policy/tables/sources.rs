//! Sources of lists and the places at which their matches are counted.
//!
//! A place belongs to the name of a source for the life of the process, a number to one reading of the
//! lists: a reload that reorders sources mixes no counts. Laws: a match in a protected category is
//! counted at [`PROTECTED`], whatever list has it; sources without a place share [`OTHER`].

use std::sync::Arc;

/// Places in all.
pub const MAX_PLACES: usize = 32;
/// The place of every match in a protected category.
pub const PROTECTED: u8 = 30;
/// The place of all sources without one of their own, sealed lists among them.
pub const OTHER: u8 = 31;

/// The places of the sources in force.
#[derive(Debug, Clone)]
pub struct SourcePlaces {
    /// By bit of [`crate::rule::source_bit`].
    places: [u8; MAX_PLACES],
    /// The sources with a place of their own.
    names: Arc<[(u8, String)]>,
    /// Whether a source in force counts at [`OTHER`].
    has_other: bool,
}

impl Default for SourcePlaces {
    fn default() -> Self {
        Self { places: [OTHER; MAX_PLACES], names: Arc::default(), has_other: false }
    }
}

impl SourcePlaces {
    /// The places of sources, in the order of their numbers; each with its name.
    pub fn new(sources: impl IntoIterator<Item = (u8, String)>, has_other: bool) -> Self {
        let mut places = Self { has_other, ..Self::default() };
        let mut names: Vec<(u8, String)> = Vec::new();
        // The last bit is that of all sources behind it.
        let own = 0..MAX_PLACES - 1;
        for (number, (place, name)) in sources.into_iter().enumerate() {
            let place = if own.contains(&number) { place } else { OTHER };
            if let Some(known) = places.places.get_mut(number).filter(|_| own.contains(&number)) {
                *known = place;
            }
            places.has_other |= place == OTHER;
            if place < PROTECTED && !names.iter().any(|(known, _)| *known == place) {
                names.push((place, name));
            }
        }
        places.names = names.into();
        places
    }

    /// The places of a set of sources, one bit each.
    #[inline]
    pub(crate) fn of(&self, mut sources: u32) -> u32 {
        let mut places = 0;
        while sources != 0 {
            let number = sources.trailing_zeros() as usize;
            places |= 1 << self.places.get(number).copied().unwrap_or(OTHER);
            sources &= sources - 1;
        }
        places
    }

    /// The sources with a place of their own.
    pub fn names(&self) -> &[(u8, String)] {
        &self.names
    }

    /// Whether a source in force counts at [`OTHER`].
    pub fn has_other(&self) -> bool {
        self.has_other
    }
}
