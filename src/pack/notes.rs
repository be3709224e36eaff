//! What a pack notes beside its names: where rules came from, and listed addresses.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::category::CategoryId;
use crate::rule::Action;

/// A listed prefix of addresses in answers (response-IP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedNet {
    /// The addresses.
    pub net: IpNet,
    /// The category of the source.
    pub category: CategoryId,
    /// How a name that resolves to one of them is answered.
    pub action: Action,
}

/// Where rules came from. No time, no place on a disk: it says what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNote {
    /// The number its rules were added with.
    pub place: u16,
    /// What it is called.
    pub name: String,
    /// The id of its category.
    pub category: String,
    /// The licence of its names, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Rules about names that were read.
    #[serde(default)]
    pub rules: u64,
    /// Of these, how many an earlier source, or an earlier line, had said before.
    #[serde(default)]
    pub duplicate: u64,
    /// Of these, how many a rule for an ancestor says anyway.
    #[serde(default)]
    pub subsumed: u64,
    /// What each of its files gave.
    #[serde(default)]
    pub files: Vec<FileNote>,
}

/// What one file of a source gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Its name.
    pub name: String,
    /// The id of the syntax it was read as.
    pub format: String,
    /// Lines in it.
    pub lines: u32,
    /// Rules it gave, those about addresses included.
    pub rules: u64,
    /// Lines and names that gave none, by the id of the reason.
    #[serde(default)]
    pub rejects: BTreeMap<String, u32>,
    /// The first of them, in words.
    #[serde(default)]
    pub examples: Vec<String>,
    /// BLAKE3 of the text, as far as it was asked for.
    #[serde(default)]
    pub digest: String,
}

impl FileNote {
    /// Lines and names that gave no rule.
    pub fn rejected(&self) -> u32 {
        self.rejects.values().sum()
    }
}
