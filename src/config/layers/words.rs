//! Words that stand for many names: `bundle:NAME` and `service:ID`, wherever names stand.
//!
//! Law: a word is replaced by its names where a config is read; no query meets one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use crate::config::data::services::{self, Service, Services};
use crate::config::file::report::Report;
use crate::config::file::shape::{File, SpannedTexts};
use crate::config::file::value::each;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::{Message, messages};

/// A kind of word that stands for many names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordKind {
    /// Names that belong together: `bundle:NAME`.
    Bundle,
    /// The names of an app or a site: `service:ID`.
    Service,
}

impl WordKind {
    /// Every kind.
    const ALL: [Self; 2] = [Self::Bundle, Self::Service];

    /// What stands before the id.
    fn prefix(self) -> &'static str {
        match self {
            Self::Bundle => "bundle:",
            Self::Service => "service:",
        }
    }

    /// The kind in a message.
    pub(crate) fn message(self) -> Message {
        match self {
            Self::Bundle => messages::bundle(),
            Self::Service => messages::service(),
        }
    }

    /// The kind and the id of a text that is such a word.
    pub fn of(text: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))
    }
}

/// Everything that such words stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameWords {
    bundles: BTreeMap<String, Vec<Name>>,
    /// Those of a release; none for those that are compiled in.
    services: Option<Arc<Services>>,
}

/// A word with an id that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// Its kind.
    pub kind: WordKind,
    /// Its id.
    pub given: String,
    /// The ids that there are.
    pub known: Vec<String>,
}

impl NameWords {
    /// The words of these bundles, and of the services of a release where it has any.
    pub fn new(bundles: BTreeMap<String, Vec<Name>>, services: Option<Arc<Services>>) -> Self {
        Self { bundles, services }
    }

    /// The services, by id.
    pub fn services(&self) -> &Services {
        self.services.as_deref().unwrap_or_else(|| services::embedded())
    }

    /// The ids of the bundles.
    pub fn bundles(&self) -> impl Iterator<Item = &str> {
        self.bundles.keys().map(String::as_str)
    }

    /// The services that have a name, or a name above it.
    pub fn services_of(&self, name: &Name) -> impl Iterator<Item = (&str, &Service)> {
        let all = self.services().iter().filter(|(_, service)| service.has(name));
        all.map(|(id, service)| (id.as_str(), service))
    }

    /// The names of a word; `None` for a text that is no such word.
    ///
    /// # Errors
    ///
    /// [`UnknownWord`].
    pub fn names(&self, text: &str) -> Option<Result<&[Name], UnknownWord>> {
        let (kind, id) = WordKind::of(text)?;
        let found = match kind {
            WordKind::Bundle => self.bundles.get(id).map(Vec::as_slice),
            WordKind::Service => self.services().get(id).map(|service| service.names.as_slice()),
        };
        Some(found.ok_or_else(|| {
            let known = match kind {
                WordKind::Bundle => self.bundles.keys().cloned().collect(),
                WordKind::Service => self.services().keys().cloned().collect(),
            };
            UnknownWord { kind, given: id.to_owned(), known }
        }))
    }

    /// The names that a text of a list of names stands for; none where it is neither a name nor a
    /// known word.
    pub fn meant(&self, text: &str) -> Vec<Name> {
        match self.names(text) {
            Some(names) => names.map(<[Name]>::to_vec).unwrap_or_default(),
            None => Name::from_text(text).into_iter().collect(),
        }
    }

    /// The names of a list with their places; a word stands for all of its names.
    pub(crate) fn read(
        &self,
        report: &mut Report<'_>,
        key: &str,
        given: &SpannedTexts,
    ) -> Vec<(Name, Range<usize>)> {
        let mut found = Vec::new();
        for text in each(given) {
            match self.names(text.get_ref()) {
                None => found.extend(report.name(key, text).map(|name| (name, text.span()))),
                Some(Ok([])) => {
                    // The word is right and acts on nothing: for `check`, and no reason to stop.
                    let message = messages::word_of_no_name(text.get_ref());
                    let hint = messages::write_the_names();
                    report.void(Diagnostic::new(text.span(), message).hint(hint));
                }
                Some(Ok(names)) => {
                    found.extend(names.iter().map(|name| (name.clone(), text.span())));
                }
                Some(Err(UnknownWord { kind, given, known })) => {
                    let given = Spanned::new(text.span(), given);
                    report.unknown(kind.message(), &given, known.iter().map(String::as_str));
                }
            }
        }
        found
    }

    /// Adds the bundles of a file; one of the same name replaces.
    pub(crate) fn add_bundles(&mut self, report: &mut Report<'_>, file: &File) {
        self.bundles.extend(report.bundles(&file.bundle));
    }
}
