//! Downloads in the metrics: counts by result, and the age of copies.
//!
//! Bounded in series: no URL is a label.

use std::collections::BTreeMap;

use super::attempt::Taken;
use super::copies::Note;
use super::downloads::{Downloads, url_of};
use super::error::FetchError;
use crate::config::ListSource;
use crate::metrics::labels::FetchResult;
use crate::metrics::{Sample, families};
use crate::sys::clock::system_time;

/// Counts since the start, and the moments at which the copies were confirmed.
#[derive(Debug, Default)]
pub struct Tally {
    /// By result.
    counts: [u64; FetchResult::COUNT],
    /// By URL: the moment at which the server last confirmed the copy as the newest; none without a
    /// copy.
    checked: BTreeMap<String, Option<u64>>,
}

impl Tally {
    /// Replaces the sources, with the moments of their stored copies.
    pub(super) fn follow(&mut self, downloads: &Downloads) {
        let copies = downloads.copies().ok().flatten();
        let known = |source: &ListSource| {
            let note = copies.as_ref().and_then(|copies| copies.whole(&source.path));
            (url_of(source).to_owned(), note.map(|note| note.checked))
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
            Ok(Taken::New { .. }) => FetchResult::New,
            Ok(Taken::Unchanged) => FetchResult::Unchanged,
            Err(failure) if failure.is_refusal() => FetchResult::Refused,
            Err(_) => FetchResult::Failed,
        };
        if let Some(count) = self.counts.get_mut(result.index()) {
            *count += 1;
        }
        self.checked.insert(url.to_owned(), note.map(|note| note.checked));
    }

    /// Seconds since a server last confirmed the oldest copy; 0 without one.
    pub fn oldest(&self) -> u64 {
        let oldest = self.checked.values().flatten().min();
        oldest.map_or(0, |checked| system_time().saturating_sub(*checked))
    }

    /// Downloads by result, the age of the oldest copy, and the number of missing copies; both
    /// are 0 where nothing is downloaded.
    pub fn samples(&self) -> Vec<Sample> {
        let age = self.oldest();
        let missing = self.checked.values().filter(|checked| checked.is_none()).count();
        let counts = FetchResult::ALL.into_iter().zip(self.counts);
        let mut samples: Vec<Sample> =
            counts.map(|(result, count)| families::LIST_FETCHES.sample((result,), count)).collect();
        samples.push(families::LIST_FETCH_AGE.sample((), age as f64));
        samples.push(families::LIST_FETCH_MISSING.sample((), missing as f64));
        samples
    }
}
