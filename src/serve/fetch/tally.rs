//! What became of downloads, for the metrics: counts by result, and how old copies are.
//!
//! Bounded in series: no URL is a label.

use std::collections::BTreeMap;

use super::{Downloads, FetchError, Note, Taken, url_of};
use crate::serve::clock::system_time;

/// How a download can end.
const RESULTS: [&str; 4] = ["new", "unchanged", "refused", "failed"];

/// Counts since the start, and the copies there are.
#[derive(Debug, Default)]
pub struct Tally {
    counts: [u64; RESULTS.len()],
    /// By URL: when the server last said that the copy is the newest; none without a copy.
    checked: BTreeMap<String, Option<u64>>,
}

impl Tally {
    /// Knows these sources from now on, by the copies that are there.
    pub(super) fn follow(&mut self, downloads: &Downloads) {
        let copies = downloads.copies().ok().flatten();
        let note = |source| copies.as_ref().and_then(|copies| copies.note(source));
        let known = |source: &crate::config::Source| {
            (url_of(source).to_owned(), note(&source.path).map(|note| note.checked))
        };
        self.checked = downloads.sources.iter().map(known).collect();
    }

    pub(super) fn note(
        &mut self,
        url: &str,
        taken: Result<&Taken, &FetchError>,
        note: Option<Note>,
    ) {
        let result = match taken {
            Ok(Taken::New { .. }) => 0,
            Ok(Taken::Unchanged) => 1,
            Err(failure) if failure.is_refusal() => 2,
            Err(_) => 3,
        };
        if let Some(count) = self.counts.get_mut(result) {
            *count += 1;
        }
        self.checked.insert(url.to_owned(), note.map(|note| note.checked));
    }

    /// Whether there is anything to say.
    pub fn is_empty(&self) -> bool {
        self.checked.is_empty()
    }

    /// Downloads by result.
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        RESULTS.into_iter().zip(self.counts).collect()
    }

    /// Seconds since the server of the oldest copy last said that it is the newest.
    pub fn oldest(&self) -> f64 {
        let oldest = self.checked.values().flatten().min();
        oldest.map_or(0, |checked| system_time().saturating_sub(*checked)) as f64
    }

    /// Sources that have no copy at all.
    pub fn missing(&self) -> f64 {
        self.checked.values().filter(|checked| checked.is_none()).count() as f64
    }
}
