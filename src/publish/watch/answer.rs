//! An answer of Prometheus as a value for each gateway.

use std::collections::BTreeMap;

use crate::publish::series::answer::{AnswerError, SeriesValue};

/// A gateway as Prometheus names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchedGateway {
    /// The school's id, by the label `school`; empty where the target file has none.
    pub school: String,
    /// The address that is scraped.
    pub instance: String,
}

/// A value for each gateway; every value is finite.
pub type Readings = BTreeMap<WatchedGateway, f64>;

/// The values by gateway.
///
/// # Errors
///
/// [`AnswerError::Malformed`] where a series is no gateway's.
pub fn readings(values: Vec<SeriesValue>) -> Result<Readings, AnswerError> {
    let mut readings = Readings::new();
    for one in values {
        let school = one.label("school").to_owned();
        let Some(instance) = one.labels.get("instance").cloned() else {
            return Err(AnswerError::Malformed("a series without `instance`".into()));
        };
        readings.insert(WatchedGateway { school, instance }, one.value);
    }
    Ok(readings)
}
