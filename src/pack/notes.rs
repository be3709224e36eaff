//! Notes of a pack beside its names: sources of rules, listed addresses, rules about more than a
//! name.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::category::CategoryId;
use crate::rule::{Action, Effect, Rule, Target};

/// A listed prefix of addresses in answers (response-IP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedNet {
    /// The addresses.
    pub net: IpNet,
    /// The category of the source.
    pub category: CategoryId,
    /// [`Effect::Rpz`] of a response policy zone, else [`Effect::Add`].
    pub effect: Effect,
    /// The answer to a name that resolves to one of them.
    pub action: Action,
    /// The number of the source, as in [`Rule::source`](crate::rule::Rule).
    pub source: u16,
}

/// A rule that is about more than a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetedRule {
    /// What it is about.
    pub target: Target,
    /// The rule; its scope is that of the name, if the target is one.
    pub rule: Rule,
}

/// The source of rules. Without time and path: equal inputs give equal notes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNote {
    /// The number of its rules.
    pub place: u16,
    /// Its name.
    pub name: String,
    /// The id of its category.
    pub category: String,
    /// The licence of its names, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whether its own answers are in the pack.
    #[serde(default, skip_serializing_if = "is_not")]
    pub trusted: bool,
    /// Rules of names that were read.
    #[serde(default)]
    pub rules: u64,
    /// Of these, duplicates of an earlier source or line.
    #[serde(default)]
    pub duplicate: u64,
    /// Of these, rules that a rule of an ancestor implies.
    #[serde(default)]
    pub subsumed: u64,
    /// Its files.
    #[serde(default)]
    pub files: Vec<FileNote>,
    /// Findings about it that somebody accepted when the pack was built.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedFinding>,
}

/// A finding that somebody accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedFinding {
    /// The key of the finding: kind, category, and name or source.
    pub finding: String,
    /// The person that accepted it.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// The day.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub date: String,
}

/// The yield of one file of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Its name.
    pub name: String,
    /// The id of its syntax.
    pub format: String,
    /// Number of lines.
    pub lines: u32,
    /// Number of rules, those of addresses included.
    pub rules: u64,
    /// Rejected lines and names, by the id of the reason.
    #[serde(default)]
    pub rejects: BTreeMap<String, u32>,
    /// Rules with answers of their own that only block, since their source is not trusted.
    #[serde(default, skip_serializing_if = "is_none")]
    pub answers: u64,
    /// The first of them, for display.
    #[serde(default)]
    pub examples: Vec<String>,
    /// BLAKE3 of the text; empty where it was not requested.
    #[serde(default)]
    pub digest: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_not(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl FileNote {
    /// Number of rejected lines and names.
    pub fn rejected(&self) -> u32 {
        self.rejects.values().sum()
    }
}
