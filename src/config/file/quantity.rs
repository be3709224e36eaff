//! Quantities, a number with a unit: `"30s"`, `"1500ms"`, `"1d"`, `"64MiB"`.
//!
//! One whole number and one unit, nothing between them. There is no bare number
//! (its unit would depend on the key), no fraction and no sum such as `1h30m`: each
//! quantity has one spelling. What [`show_duration`] and [`show_size`] write reads back.

use std::time::Duration;

use crate::diagnostic::nearest;
use crate::lang::{Message, messages};

/// The units of time, in milliseconds.
const TIMES: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The units of size, in octets.
const SIZES: &[(&str, u64)] = &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not begin with a digit.
    #[error("it does not begin with a whole number")]
    NoNumber,
    /// A number alone.
    #[error("it has no unit; the units are {units}")]
    NoUnit {
        /// The units there are.
        units: String,
    },
    /// A number and something else.
    #[error("`{unit}` is not a unit; the units are {units}")]
    Unit {
        /// What stands behind the number.
        unit: String,
        /// The units there are.
        units: String,
        /// The quantity with the unit that was probably meant.
        suggestion: Option<String>,
    },
    /// It does not fit 64 bits.
    #[error("the number is too large")]
    TooLarge,
}

impl QuantityError {
    /// The reason as a message.
    pub(crate) fn message(&self) -> Message {
        match self {
            Self::NoNumber => messages::no_number(),
            Self::NoUnit { units } => messages::unit_missing(units),
            Self::Unit { unit, units, .. } => messages::no_unit(unit, units),
            Self::TooLarge => messages::number_too_large(),
        }
    }
}

/// Reads a span of time.
///
/// # Errors
///
/// [`QuantityError`], whose text continues "… is not a duration: ".
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
    amount(text, TIMES).map(Duration::from_millis)
}

/// Reads a size in octets.
///
/// # Errors
///
/// [`QuantityError`], whose text continues "… is not a size: ".
pub fn size(text: &str) -> Result<u64, QuantityError> {
    amount(text, SIZES)
}

/// Writes a span of time with the largest unit that divides it.
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 { "0s".to_owned() } else { show(millis, TIMES) }
}

/// Writes a size with the largest unit that divides it.
pub fn show_size(octets: u64) -> String {
    show(octets, SIZES)
}

/// A number times the factor of its unit.
fn amount(text: &str, units: &[(&str, u64)]) -> Result<u64, QuantityError> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    if digits.is_empty() {
        return Err(QuantityError::NoNumber);
    }
    let known = || units.iter().map(|(unit, _)| format!("`{unit}`")).collect::<Vec<_>>().join(", ");
    if unit.is_empty() {
        return Err(QuantityError::NoUnit { units: known() });
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let meant = nearest(unit.trim(), units.iter().map(|(name, _)| *name));
        return Err(QuantityError::Unit {
            unit: unit.to_owned(),
            units: known(),
            suggestion: meant.map(|meant| format!("{digits}{meant}")),
        });
    };
    let number: u64 = digits.parse().map_err(|_| QuantityError::TooLarge)?;
    number.checked_mul(*factor).ok_or(QuantityError::TooLarge)
}

/// The number with the largest unit that divides it.
fn show(amount: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().filter(|(_, factor)| amount.is_multiple_of(*factor));
    match fitting.max_by_key(|(_, factor)| *factor) {
        Some((unit, factor)) => format!("{}{unit}", amount / factor),
        None => amount.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_have_one_number_and_one_unit() {
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(duration("007d"), Ok(Duration::from_secs(7 * 86_400)));
        for wrong in ["", "s", "-1s", "1", "1.5s", "1 s", "1h30m", "1S", "１s", "99999999999999d"]
        {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(duration(&format!("{}ms", u64::MAX)), Ok(Duration::from_millis(u64::MAX)));
        assert_eq!(duration(&format!("{}s", u64::MAX)), Err(QuantityError::TooLarge));
        assert_eq!(duration("18446744073709551616ms"), Err(QuantityError::TooLarge));
    }

    #[test]
    fn sizes_are_binary_and_say_so() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("4GiB"), Ok(4 << 30));
        assert_eq!(size("65536B"), Ok(65_536));
        for wrong in ["64M", "64MB", "64mib", "64", "MiB", "17179869184GiB"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_near_unit_is_suggested() {
        let suggestion = |error| match error {
            Err(QuantityError::Unit { suggestion, .. }) => suggestion,
            _ => None,
        };
        assert_eq!(suggestion(size("64MB")).as_deref(), Some("64MiB"));
        assert_eq!(suggestion(size("64mib")).as_deref(), Some("64MiB"));
        assert_eq!(suggestion(duration("10sec").map(|_| 0)).as_deref(), Some("10s"));
        assert_eq!(suggestion(duration("10 s").map(|_| 0)).as_deref(), Some("10s"));
        assert_eq!(suggestion(duration("10fortnights").map(|_| 0)), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(amount: u64) {
            prop_assert_eq!(size(&show_size(amount)), Ok(amount));
            let span = Duration::from_millis(amount);
            prop_assert_eq!(duration(&show_duration(span)), Ok(span));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|[0-9]{1,25}[a-zA-Z]{0,3}") {
            let _ = (duration(&text), size(&text));
        }
    }
}
