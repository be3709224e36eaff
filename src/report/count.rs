//! Published counts: what of a count leaves a school, and what sums are made of.
//!
//! ```text
//! raw count ─ PublishedCount::of ─▶ cell ─ PublishedSum ─▶ totals, tables, percentages
//!   (stays)      0, <10, n                                  exact, <10, or rounded to 10
//! ```
//!
//! Law: a [`PublishedSum`] is made of cells, never of raw counts. It knows how many of its cells are
//! hidden; each of them counts as 5, and the sum is rounded to 10. So two fleets that differ in hidden
//! cells only are the same in every sum.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first count of a sensitive category that is told.
pub const LEAST_TOLD: u64 = 10;
/// The greatest count that is hidden.
pub const MOST_HIDDEN: u64 = LEAST_TOLD - 1;
/// What a hidden cell counts as in a sum.
const AS_IF: u64 = 5;
/// What sums with hidden cells are rounded to.
const ROUNDED_TO: u64 = 10;
/// A hidden count as it is written.
pub const HIDDEN: &str = "<10";
/// More than any gateway counts in a month: it bounds the sums of a department.
pub const MAX_COUNT: u64 = 100_000_000_000;

/// A count as it leaves a school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishedCount {
    /// The count.
    Told(u64),
    /// 1 to 9, of a sensitive category.
    Hidden,
}

impl PublishedCount {
    /// What leaves of a count.
    pub fn of(count: u64, is_sensitive: bool) -> Self {
        if is_sensitive && (1..LEAST_TOLD).contains(&count) {
            Self::Hidden
        } else {
            Self::Told(count)
        }
    }

    /// The greatest count that it can stand for.
    pub fn at_most(self) -> u64 {
        match self {
            Self::Told(count) => count,
            Self::Hidden => MOST_HIDDEN,
        }
    }

    /// Whether nothing was counted.
    pub fn is_none(self) -> bool {
        self == Self::Told(0)
    }
}

impl Serialize for PublishedCount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Told(count) => to.serialize_u64(*count),
            Self::Hidden => to.serialize_str(HIDDEN),
        }
    }
}

impl<'de> Deserialize<'de> for PublishedCount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Count;
        impl serde::de::Visitor<'_> for Count {
            type Value = PublishedCount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a count, or `{HIDDEN}`")
            }

            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<Self::Value, E> {
                if count > MAX_COUNT {
                    return Err(E::custom(format!("{count} is more than a gateway counts")));
                }
                Ok(PublishedCount::Told(count))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                if text == HIDDEN {
                    Ok(PublishedCount::Hidden)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }
        }
        from.deserialize_any(Count)
    }
}

/// A sum of published counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishedSum {
    told: u64,
    hidden: u64,
}

impl PublishedSum {
    /// The sum of one count that hides nothing.
    pub fn told(count: u64) -> Self {
        Self { told: count, hidden: 0 }
    }

    /// Adds another sum.
    pub fn add(&mut self, other: Self) {
        self.told = self.told.saturating_add(other.told);
        self.hidden = self.hidden.saturating_add(other.hidden);
    }

    /// How it is shown.
    pub fn shown(self) -> ShownCount {
        match self {
            Self { told, hidden: 0 } => ShownCount::Told(told),
            Self { told: 0, hidden: 1 } => ShownCount::Hidden,
            Self { .. } => ShownCount::Rounded(rounded(self.middle())),
        }
    }

    /// How the public sees it: every count below 10 is hidden, every other one rounded.
    pub fn shown_to_the_public(self) -> ShownCount {
        match self.middle() {
            0 => ShownCount::Told(0),
            1..LEAST_TOLD => ShownCount::Hidden,
            count => ShownCount::Rounded(rounded(count)),
        }
    }

    fn middle(self) -> u64 {
        self.told.saturating_add(self.hidden.saturating_mul(AS_IF))
    }
}

impl From<PublishedCount> for PublishedSum {
    fn from(count: PublishedCount) -> Self {
        match count {
            PublishedCount::Told(count) => Self::told(count),
            PublishedCount::Hidden => Self { told: 0, hidden: 1 },
        }
    }
}

fn rounded(count: u64) -> u64 {
    (count / ROUNDED_TO + u64::from(count % ROUNDED_TO >= ROUNDED_TO / 2)) * ROUNDED_TO
}

/// A count in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownCount {
    /// The count.
    Told(u64),
    /// 1 to 9.
    Hidden,
    /// Near the count: a part of it is hidden.
    Rounded(u64),
}

impl ShownCount {
    /// The number; none where it is hidden.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Told(count) | Self::Rounded(count) => Some(count),
            Self::Hidden => None,
        }
    }

    /// As a plain integer, for a spreadsheet.
    pub fn plain(self) -> String {
        self.number().map_or_else(|| HIDDEN.to_owned(), |count| count.to_string())
    }

    /// For people: thousands apart, and what is rounded marked.
    pub fn text(self) -> String {
        match self {
            Self::Told(count) => grouped(count),
            Self::Hidden => HIDDEN.to_owned(),
            Self::Rounded(count) => format!("≈ {}", grouped(count)),
        }
    }
}

impl Serialize for ShownCount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Told(count) => to.serialize_u64(*count),
            Self::Hidden => to.serialize_str(HIDDEN),
            Self::Rounded(count) => to.collect_str(&format_args!("~{count}")),
        }
    }
}

/// A number with its thousands apart: `12 345`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

/// Tenths of a percent that a count is of another; none where that cannot be said.
pub fn permille(part: ShownCount, of: ShownCount) -> Option<u64> {
    let (part, of) = (u128::from(part.number()?), u128::from(of.number()?));
    if of == 0 {
        return None;
    }
    u64::try_from((part * 1000 + of / 2) / of).ok().filter(|tenths| *tenths <= 1000)
}

/// Tenths as a decimal number with a comma: `12,3`.
pub fn tenths(value: u64) -> String {
    format!("{},{}", value / 10, value % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_nine_of_a_sensitive_category_is_hidden() {
        let shown = |count, is_sensitive| {
            PublishedSum::from(PublishedCount::of(count, is_sensitive)).shown().plain()
        };
        assert_eq!([0, 1, 9, 10].map(|count| shown(count, true)), ["0", "<10", "<10", "10"]);
        assert_eq!([0, 1, 9, 10].map(|count| shown(count, false)), ["0", "1", "9", "10"]);
    }

    #[test]
    fn a_sum_is_made_of_cells() {
        let mut sum = PublishedSum::told(1230);
        sum.add(PublishedCount::Hidden.into());
        assert_eq!(sum.shown().text(), "≈ 1\u{a0}240");
        sum.add(PublishedCount::Hidden.into());
        assert_eq!((sum.shown().plain(), sum.shown().number()), ("1240".into(), Some(1240)));
        let mut two = PublishedSum::from(PublishedCount::Hidden);
        two.add(PublishedCount::Hidden.into());
        assert_eq!(serde_json::to_string(&two.shown()).unwrap(), "\"~10\"");
        let public = |count| PublishedSum::told(count).shown_to_the_public().text();
        assert_eq!([0, 7, 14, 15].map(public), ["0", "<10", "≈ 10", "≈ 20"]);
    }

    #[test]
    fn a_cell_is_read_as_it_is_written_and_nothing_else_is() {
        for cell in [PublishedCount::Told(0), PublishedCount::Told(12), PublishedCount::Hidden] {
            let text = serde_json::to_string(&cell).unwrap();
            assert_eq!(serde_json::from_str::<PublishedCount>(&text).unwrap(), cell);
        }
        for text in ["-1", "1.5", "\"<11\"", "\"12\"", "null", "100000000001", "[]"] {
            assert!(serde_json::from_str::<PublishedCount>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_are_of_what_is_shown() {
        let told = ShownCount::Told;
        assert_eq!(permille(told(1), told(8)), Some(125));
        assert_eq!(permille(ShownCount::Hidden, told(8)), None);
        assert_eq!(permille(told(1), told(0)), None);
        assert_eq!(tenths(125), "12,5");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
    }
}
