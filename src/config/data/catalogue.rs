//! The catalogue: well-known public lists, as data.
//!
//! It is printed and copied from, never acted on: a list is downloaded only where a
//! config names it.

use serde::{Deserialize, Serialize};

use crate::blocklist::{Format, ScopeChoice};

/// The catalogue that is compiled in.
const TEXT: &str = include_str!("../../../blocklists/catalogue.toml");

/// Public lists, and those that are no block lists.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Lists to choose from.
    #[serde(rename = "list")]
    pub lists: Vec<CatalogueEntry>,
    /// Lists that must not be blocked by.
    pub never: Vec<Never>,
}

/// One public list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// What `lists add` is given.
    pub name: String,
    /// What is in it.
    pub what: String,
    /// Where it is.
    pub url: String,
    /// Our category for it.
    pub category: String,
    /// Its syntax, where that is not found out from the text.
    pub format: Option<String>,
    /// What its names are to stand for, where not as its format says.
    pub scope: Option<String>,
    /// How often to look for it, where not daily.
    pub every: Option<String>,
    /// As its publisher states it.
    pub licence: String,
    /// Who publishes it.
    pub homepage: String,
    /// How far its URL is known to be right.
    pub seen: Provenance,
    /// Whether to think before it is taken.
    #[serde(default)]
    pub advice: Advice,
    /// What else to know.
    pub note: Option<String>,
    /// What in it would hurt a school.
    pub leave_out: Option<String>,
}

/// How far a URL is known to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// The file was seen in a copy of the repository that it is served from.
    Repository,
    /// Other public programs download it from there.
    Cited,
    /// By its publisher's scheme of names only.
    Unverified,
}

/// Whether to think before a list is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Advice {
    /// Not more than with any list.
    #[default]
    Good,
    /// Read first what is to be left out of it.
    Care,
}

/// Lists that must not be blocked by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// Their names.
    pub names: Vec<String>,
    /// Why not.
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

    /// Why the list with this name must not be blocked by.
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
    /// The lines that make a source of it in a config.
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
