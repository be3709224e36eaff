//! What became of downloads, for the metrics: counts by result, and how old copies are.
//!
//! Bounded in series: no URL is a label.

use std::collections::BTreeMap;

use super::{Downloads, FetchError, Note, Taken, url_of};
use crate::config::ListSource;
use crate::metrics::LabelledCounts;
use crate::sys::clock::system_time;

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
        let known = |source: &ListSource| {
            let note = copies.as_ref().and_then(|copies| copies.note(&source.path));
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

    /// How old the copies are, and how many are missing; 0 where nothing is downloaded.
    pub fn gauges(&self) -> [(&'static str, &'static str, f64); 2] {
        let oldest = self.checked.values().flatten().min();
        let age = oldest.map_or(0, |checked| system_time().saturating_sub(*checked));
        let missing = self.checked.values().filter(|checked| checked.is_none()).count();
        [
            (
                "lachan_list_fetch_age_seconds",
                "Time since the server of the oldest downloaded list said that it is the newest.",
                age as f64,
            ),
            (
                "lachan_list_fetch_missing",
                "Lists by URL that have never been downloaded, and so are not in force.",
                missing as f64,
            ),
        ]
    }

    /// Downloads by result.
    pub fn counts(&self) -> LabelledCounts {
        let values = RESULTS.into_iter().zip(self.counts).collect();
        let help = "Downloads of lists, by how they ended.";
        ("lachan_list_fetches_total", help, "result", values)
    }
}
