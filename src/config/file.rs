//! What was written: the shape of the config file, and nothing of its meaning.
//!
//! Every table is a struct that refuses keys it does not know, and every value
//! that can be wrong in meaning keeps its place ([`Spanned`]) for
//! `check.rs`. All keys are optional here, so that a missing one is
//! reported together with all other mistakes, or gets its default there.
//!
//! The TOML reader stops at the first mistake of *shape* (syntax, unknown key,
//! wrong type); [`parse`] shows that one in the look of all others.
//!
//! Absent on purpose: `flatten` and `untagged`, because both lose the place.

use std::collections::BTreeMap;

use toml::Spanned;

pub(super) use super::syntax::{AllowOnly, Choice, Quoted, Size, Table, Time, parse};

/// A text with its place, if it was given.
pub(super) type Text = Option<Spanned<String>>;
/// A whole number with its place, if it was given.
pub(super) type Number = Option<Spanned<i64>>;
/// A list of texts, each with its place, if it was given.
pub(super) type Texts = Option<Spanned<Vec<Spanned<String>>>>;
/// An amount in quotes with its place, if it was given.
pub(super) type Amount<U> = Option<Spanned<Quoted<U>>>;

/// The whole file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    /// `default_group = "name"`: where clients outside every prefix go.
    pub(super) default_group: Text,
    /// `[school]`
    pub(super) school: Table<SchoolFile>,
    /// `[listen]`
    pub(super) listen: Table<ListenFile>,
    /// `[admin]`
    pub(super) admin: Table<AdminFile>,
    /// `[upstream]`
    pub(super) upstream: Table<UpstreamFile>,
    /// `[cache]`
    pub(super) cache: Table<CacheFile>,
    /// `[limits]`
    pub(super) limits: Table<LimitsFile>,
    /// `[block]`
    pub(super) block: Table<BlockFile>,
    /// `[rebinding]`
    pub(super) rebinding: Table<RebindingFile>,
    /// `[local]`
    pub(super) local: Table<LocalFile>,
    /// `[[forward]]`
    pub(super) forward: Vec<Spanned<Table<ForwardFile>>>,
    /// `[essential]`
    pub(super) essential: Table<EssentialFile>,
    /// `[fail_mode]`
    pub(super) fail_mode: BTreeMap<Spanned<String>, Spanned<String>>,
    /// `[department]`
    pub(super) department: Table<DepartmentFile>,
    /// `[[schedule]]`
    pub(super) schedule: Vec<Spanned<Table<ScheduleFile>>>,
    /// `[bundle.<name>]`
    pub(super) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
    /// `[[group]]`
    pub(super) group: Vec<Spanned<Table<GroupFile>>>,
    /// `[profile.<name>]`
    pub(super) profile: BTreeMap<Spanned<String>, Table<ProfileFile>>,
    /// `[lists]`
    pub(super) lists: Table<ListsFile>,
    /// `[state]`
    pub(super) state: Table<StateFile>,
}

/// `[school]`: who runs this gateway.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SchoolFile {
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) level: Text,
    pub(super) timezone: Text,
    pub(super) lang: Text,
}

/// `[department]`: what stands above this school.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DepartmentFile {
    pub(super) policy: Text,
}

/// One `[[schedule]]`: when something runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ScheduleFile {
    pub(super) name: Text,
    pub(super) days: Texts,
    pub(super) times: Texts,
    pub(super) calendar: Text,
    pub(super) except: Texts,
}

/// One `[bundle.<name>]`: names that belong together.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BundleFile {
    pub(super) names: Texts,
}

/// A file of bundles alone.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Bundles {
    pub(super) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
}

/// One `[profile.<name>.during.<schedule>]`: what changes while it runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DuringFile {
    pub(super) block: Texts,
    pub(super) observe: Texts,
    pub(super) allow_only: Option<bool>,
}

/// `[listen]`: where clients ask.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListenFile {
    pub(super) dns: Texts,
    pub(super) allow: Texts,
    pub(super) workers: Number,
    pub(super) tcp_connections: Number,
    pub(super) tcp_per_client: Number,
    pub(super) tcp_idle: Amount<Time>,
    pub(super) tcp_in_flight: Number,
}

/// `[admin]`: where the gateway itself is asked.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdminFile {
    pub(super) listen: Text,
    pub(super) token: Text,
}

/// `[upstream]`: whom we ask.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UpstreamFile {
    pub(super) servers: Texts,
    pub(super) timeout: Amount<Time>,
    pub(super) in_flight: Number,
    pub(super) server_in_flight: Number,
    pub(super) tls_roots: Text,
}

/// `[cache]`: what is remembered.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CacheFile {
    pub(super) size: Amount<Size>,
    pub(super) min_ttl: Amount<Time>,
    pub(super) max_ttl: Amount<Time>,
    pub(super) max_negative_ttl: Amount<Time>,
    pub(super) stale: Amount<Time>,
    pub(super) stale_after: Amount<Time>,
    pub(super) prefetch: Option<bool>,
    pub(super) failure_ttl: Amount<Time>,
    pub(super) max_failure_ttl: Amount<Time>,
}

/// `[limits]`: what one client may take.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub(super) client_rate: Number,
    pub(super) client_burst: Number,
    pub(super) client_in_flight: Number,
    pub(super) exempt: Texts,
}

/// `[block]`: what a blocked answer looks like.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BlockFile {
    pub(super) ttl: Amount<Time>,
    pub(super) ede_text: Option<bool>,
}

/// `[rebinding]`: answers from outside with addresses from inside.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RebindingFile {
    pub(super) protect: Option<bool>,
    pub(super) allow: Texts,
}

/// `[local]`: records that are answered here.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LocalFile {
    pub(super) records: Texts,
    pub(super) ttl: Amount<Time>,
    pub(super) forward_private: Option<bool>,
}

/// One `[[forward]]`: a zone that other servers answer for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ForwardFile {
    pub(super) zone: Text,
    pub(super) servers: Texts,
}

/// `[essential]`: names that this gateway cannot do without.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EssentialFile {
    pub(super) names: Texts,
}

/// One `[[group]]`: clients under one policy.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GroupFile {
    pub(super) name: Text,
    pub(super) clients: Texts,
    pub(super) listen: Texts,
    pub(super) lessons: Text,
    pub(super) level: Text,
    pub(super) profile: Text,
    pub(super) safesearch: Option<Spanned<Choice>>,
    pub(super) youtube: Text,
    pub(super) canaries: Option<Spanned<Choice>>,
    pub(super) answer: Text,
}

/// One `[profile.<name>]`: a policy that groups can share.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProfileFile {
    pub(super) level: Text,
    pub(super) block: Texts,
    pub(super) observe: Texts,
    pub(super) allow: Texts,
    pub(super) deny: Texts,
    pub(super) allow_only: Option<Spanned<AllowOnly>>,
    pub(super) during: BTreeMap<Spanned<String>, Table<DuringFile>>,
    pub(super) keywords: Option<bool>,
    pub(super) safesearch: Option<Spanned<Choice>>,
    pub(super) youtube: Text,
    pub(super) canaries: Option<Spanned<Choice>>,
    pub(super) answer: Text,
}

/// `[lists]`: where listed names come from.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListsFile {
    pub(super) starter: Option<bool>,
    pub(super) use_keywords: Option<bool>,
    pub(super) keywords: Text,
    pub(super) packs: Text,
    pub(super) tls_roots: Text,
    pub(super) source: Vec<Spanned<Table<SourceFile>>>,
}

/// `[state]`: what outlives the process.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StateFile {
    pub(super) dir: Text,
}

/// One `[[lists.source]]`: a file of names, a download, or a sealed list.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SourceFile {
    pub(super) category: Text,
    pub(super) path: Text,
    pub(super) format: Text,
    pub(super) scope: Text,
    pub(super) key: Text,
    pub(super) url: Text,
    pub(super) every: Amount<Time>,
    pub(super) timeout: Amount<Time>,
    pub(super) max_size: Amount<Size>,
    pub(super) min_percent: Number,
}
