//! An answer of the HTTP API of Prometheus: `{"status":"success","data":{"resultType":"vector",…}}`.
//!
//! Laws: an answer is read whole or not at all; what is partial, of another time, or of another kind
//! is no answer. A value that is no number says nothing.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The most seconds between the clock of Prometheus and the one here.
const MAX_SKEW: f64 = 300.0;
/// The most characters of a server's text that are shown.
const MAX_SHOWN: usize = 200;

/// The value of one series; it is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesValue {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl SeriesValue {
    /// A label; empty where the series has none of this name.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// What came is no answer.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum AnswerError {
    /// Another text than the API's.
    #[error("it is no answer of Prometheus: {0}")]
    Malformed(String),
    /// Prometheus says that it failed.
    #[error("Prometheus says: {0}")]
    Failed(String),
    /// A part of the series may be missing.
    #[error("the answer is not whole: {0}")]
    Partial(String),
    /// The answer is of another time.
    #[error("the answer is of another time, by {0:.0} s: a cache, or a clock that is wrong")]
    OtherTime(f64),
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    /// `VictoriaMetrics`, where a storage node is away.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
    data: Option<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// Reads an answer; `now` in seconds since 1970.
///
/// # Errors
///
/// [`AnswerError`].
pub fn read(octets: &[u8], now: u64) -> Result<Vec<SeriesValue>, AnswerError> {
    let malformed = |error: &dyn ToString| AnswerError::Malformed(shown(&error.to_string()));
    let answer: Answer = serde_json::from_slice(octets).map_err(|error| malformed(&error))?;
    if answer.status != "success" {
        return Err(AnswerError::Failed(shown(&answer.error)));
    }
    if let Some(warning) = answer.warnings.first() {
        return Err(AnswerError::Partial(shown(warning)));
    }
    if answer.is_partial {
        return Err(AnswerError::Partial("`isPartial`".into()));
    }
    let vector = answer.data.ok_or_else(|| malformed(&"without `data`"))?;
    if vector.kind != "vector" {
        return Err(malformed(&format!("`resultType` is `{}`", vector.kind)));
    }
    let mut values = Vec::new();
    for Row { metric: labels, value: (at, text) } in vector.result {
        let skew = (at - now as f64).abs();
        if skew > MAX_SKEW {
            return Err(AnswerError::OtherTime(skew));
        }
        let value: f64 = text.parse().map_err(|error| malformed(&error))?;
        if value.is_finite() {
            values.push(SeriesValue { labels, value });
        }
    }
    Ok(values)
}

/// A text of a server for a person: one line, and not long.
fn shown(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).take(MAX_SHOWN).collect()
}
