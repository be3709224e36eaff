//! One override in text form: in the file, in the ledger and in replies.

use serde::{Deserialize, Serialize};

use crate::category::Taxonomy;
use crate::config::layers::words::NameWords;
use crate::policy::group::overrides::{Override, OverrideKind};

/// One override in text form, as in the file and in replies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOverride {
    /// Its number. Law: it must never be given to another override.
    pub id: u64,
    /// `lesson`, `exam` or `allow`.
    pub kind: String,
    /// The group it binds; `*` is every group.
    pub group: String,
    /// The names it allows, and the words that stand for many: `bundle:NAME`, `service:ID`.
    pub names: Vec<String>,
    /// The categories it allows.
    pub categories: Vec<String>,
    /// The same of what it denies; absent in files of versions that could not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Its beginning, in civil seconds.
    pub from: u64,
    /// Its end, in civil seconds.
    pub until: u64,
    /// The name of the person that set it.
    pub by: String,
    /// The reason of an allow.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl StoredOverride {
    /// Converts it to policy; `None` where its kind is unknown. Categories, names and words that do
    /// not exist any more are left out.
    pub fn to_policy(&self, taxonomy: &Taxonomy, words: &NameWords) -> Option<Override> {
        let kind = OverrideKind::ALL.into_iter().find(|kind| kind.id() == self.kind)?;
        let names = |texts: &[String]| texts.iter().flat_map(|text| words.meant(text)).collect();
        Some(Override {
            id: self.id,
            kind,
            group: self.group.clone(),
            names: names(&self.names),
            deny: names(&self.deny),
            categories: self.categories.iter().filter_map(|id| taxonomy.find(id)).collect(),
            from: self.from,
            until: self.until,
            by: self.by.clone(),
        })
    }
}
