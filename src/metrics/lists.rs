//! The lists in force: one series a source, and whether the whole filters as it is configured.

use crate::metrics::families as family;
use crate::metrics::family::Sample;
use crate::metrics::labels::{ListHealth, Protection};

/// Most sources with series of their own; those beyond share one.
const MAX_SOURCES: usize = 32;
/// The name of the series that they share.
const OTHER: &str = "other";
/// Characters of a digest in a label: enough to tell two versions apart.
const DIGEST: usize = 12;

/// One source of lists, or the delivered pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSample {
    /// Its path or URL in the config.
    pub source: String,
    /// Its state.
    pub state: ListHealth,
    /// The digest of its texts, or of the pack; empty where there is none.
    pub digest: String,
    /// Rules in force of it.
    pub rules: u64,
    /// Seconds since its newest file was written, where that is known.
    pub age: Option<u64>,
}

/// The name of a source without what a URL may have behind its path: a key of the reader.
pub fn label_of(source: &str) -> &str {
    match source.split_once("://") {
        Some(_) => source.split(['?', '#']).next().unwrap_or_default(),
        None => source,
    }
}

impl ListSample {
    /// The source without a key of the reader.
    fn label(&self) -> &str {
        label_of(&self.source)
    }

    /// Both as one: the worse state, the greater age. Two versions have no digest together.
    fn and(self, other: &Self) -> Self {
        Self {
            state: self.state.max(other.state),
            digest: if self.digest == other.digest { self.digest } else { String::new() },
            rules: self.rules + other.rules,
            age: self.age.max(other.age),
            source: self.source,
        }
    }

    fn into_samples(self) -> Vec<Sample> {
        let digest: String = self.digest.chars().take(DIGEST).collect();
        let source = || self.label().into();
        let mut samples = vec![
            family::LIST_INFO.flag((source(), self.state, digest.into()), true),
            family::LIST_RULES.sample((source(),), self.rules as f64),
        ];
        samples.extend(self.age.map(|age| family::LIST_AGE.sample((source(),), age as f64)));
        samples
    }
}

/// The samples of all sources: each name once, and bounded in number.
pub fn samples(lists: impl IntoIterator<Item = ListSample>) -> Vec<Sample> {
    let mut all: Vec<ListSample> = Vec::new();
    for list in lists {
        // Those beyond the bound have one name.
        let known = all.iter().position(|known| known.label() == list.label());
        let list = match known {
            None if all.len() >= MAX_SOURCES - 1 => ListSample { source: OTHER.into(), ..list },
            _ => list,
        };
        match all.iter_mut().find(|known| known.label() == list.label()) {
            Some(known) => *known = known.clone().and(&list),
            None => all.push(list),
        }
    }
    all.into_iter().flat_map(ListSample::into_samples).collect()
}

/// The one series of protection.
pub fn protection(of: Protection) -> Sample {
    family::PROTECTED.flag((of,), of.is_protected())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(source: &str, state: ListHealth) -> ListSample {
        let digest = "0123456789abcdef".to_owned();
        ListSample { source: source.into(), state, digest, rules: 2, age: Some(7) }
    }

    fn labels(samples: &[Sample]) -> Vec<String> {
        samples.iter().map(|sample| sample.labels.first().unwrap().1.clone()).collect()
    }

    #[test]
    fn a_key_in_a_url_is_no_label_and_a_name_is_exported_once() {
        let ok = ListHealth::Ok;
        let found = samples([
            list("https://lists.example/a.txt?key=secret", ok),
            list("https://lists.example/a.txt?key=secret", ListHealth::Held),
            list("a?.txt", ok),
        ]);
        let names = labels(&found);
        assert_eq!(names.iter().filter(|name| *name == "https://lists.example/a.txt").count(), 3);
        assert!(names.contains(&"a?.txt".to_owned()) && names.len() == 6, "{names:?}");
        let info = found.first().unwrap();
        assert_eq!(info.labels[1].1, "held");
        assert_eq!(info.labels[2].1, "0123456789ab");
    }

    #[test]
    fn beyond_thirty_two_sources_one_series_stands_for_the_rest() {
        let many = (0..100).map(|n| {
            let state = if n == 99 { ListHealth::LeftOut } else { ListHealth::Ok };
            list(&format!("{n}.txt"), state)
        });
        let found = samples(many);
        assert_eq!(found.len(), 32 * 3);
        let other = found.iter().find(|sample| sample.labels[0].1 == "other").unwrap();
        assert_eq!(other.labels[1].1, "left_out", "the worst state is the one that shows");
    }
}
