//! Catalogue of well-known public lists.
//!
//! A list is never downloaded because the catalogue has it: only because a config names it.

use serde::{Deserialize, Serialize};

use crate::blocklist::{Format, ScopeChoice};

/// The catalogue that is compiled in.
const TEXT: &str = include_str!("../../../blocklists/catalogue.toml");

/// Public lists, and lists that must never be used to block.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Lists to choose from.
    #[serde(rename = "list")]
    pub lists: Vec<CatalogueEntry>,
    /// Lists that must never be used to block.
    pub never: Vec<Never>,
}

/// One public list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// Argument of `lists add`.
    pub name: String,
    /// Its content.
    pub what: String,
    /// Its URL.
    pub url: String,
    /// Category of its names.
    pub category: String,
    /// Format, where it is not detected from the text.
    pub format: Option<String>,
    /// Scope of its names, where it is not the format's.
    pub scope: Option<String>,
    /// Interval between downloads, where it is not a day.
    pub every: Option<String>,
    /// Licence, as its publisher states it.
    pub licence: String,
    /// Home page of its publisher.
    pub homepage: String,
    /// Evidence for the URL.
    pub seen: Provenance,
    /// Advice to the administrator.
    #[serde(default)]
    pub advice: Advice,
    /// A note for the administrator.
    pub note: Option<String>,
    /// Content of it that a school should leave out.
    pub leave_out: Option<String>,
}

/// Evidence for a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// The file was seen in a copy of the repository that it is served from.
    Repository,
    /// Other public programs download it from there.
    Cited,
    /// Derived from its publisher's scheme of names.
    Unverified,
}

/// Advice to the administrator about a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// Nothing special.
    #[default]
    Good,
    /// `leave_out` or `note` is to be read first.
    Care,
}

/// Lists that must never be used to block.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// Their names.
    pub names: Vec<String>,
    /// The reason.
    pub why: String,
}

impl Catalogue {
    /// The catalogue that is compiled in.
    pub fn embedded() -> Self {
        match toml::from_str(TEXT) {
            Ok(catalogue) => catalogue,
            Err(error) => unreachable!("the catalogue is tested to be right: {error}"),
        }
    }

    /// The list with this name.
    pub fn find(&self, name: &str) -> Option<&CatalogueEntry> {
        self.lists.iter().find(|listing| listing.name == name)
    }

    /// Why the list with this name must never be used to block; `None` where it may.
    pub fn refusal(&self, name: &str) -> Option<&str> {
        let never = self.never.iter().find(|never| never.names.iter().any(|one| one == name));
        never.map(|never| never.why.as_str())
    }

    /// Every name in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(|listing| listing.name.as_str())
    }
}

impl CatalogueEntry {
    /// Its `[[lists.source]]`, with comments.
    pub fn source(&self) -> String {
        let mut lines = vec![format!("# {}: {}", self.name, self.what)];
        lines.push(format!("# licence: {} ({})", self.licence, self.homepage));
        lines.extend(self.leave_out.iter().map(|what| format!("# take care: {what}")));
        lines.extend(self.note.iter().map(|note| format!("# {note}")));
        lines.push("[[lists.source]]".into());
        let mut key = |key: &str, value: Option<&str>| {
            lines.extend(value.map(|value| format!("{key} = {value:?}")));
        };
        key("category", Some(&self.category));
        key("url", Some(&self.url));
        key("format", self.format.as_deref().filter(|format| *format != Format::Auto.id()));
        key("scope", self.scope.as_deref().filter(|s| *s != ScopeChoice::AsFormat.id()));
        key("every", self.every.as_deref());
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::config::load_text;

    #[test]
    fn every_listing_makes_a_source_that_the_config_takes() {
        let catalogue = Catalogue::embedded();
        assert!(catalogue.lists.len() > 50);
        for listing in &catalogue.lists {
            let source = listing.source();
            let config = load_text(&source, "gateway.toml", Path::new(""))
                .unwrap_or_else(|mistakes| panic!("{}\n{mistakes}", listing.name));
            let [source] = config.lists.sources.as_slice() else { panic!("{source}") };
            assert_eq!(source.fetch.as_ref().unwrap().url, listing.url, "{}", listing.name);
            assert!(listing.url.starts_with("https://"), "{}", listing.url);
            let has_reason = listing.leave_out.is_some() || listing.note.is_some();
            assert_eq!(listing.advice == Advice::Care, has_reason, "{}", listing.name);
            assert!(!listing.licence.is_empty() && listing.homepage.starts_with("https://"));
        }
        let all: String = catalogue.lists.iter().map(CatalogueEntry::source).collect();
        assert!(load_text(&all, "gateway.toml", Path::new("")).is_ok(), "no URL stands twice");
    }

    #[test]
    fn a_name_stands_once() {
        let catalogue = Catalogue::embedded();
        let never = catalogue.never.iter().flat_map(|never| &never.names).map(String::as_str);
        let names: Vec<&str> = catalogue.names().chain(never).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let is_plain = |name: &&str| {
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(names.iter().all(is_plain), "{names:?}");
        assert!(catalogue.find("ut1-jobsearch").is_none());
        assert!(catalogue.refusal("ut1-jobsearch").unwrap().contains("pupils need"));
    }
}
