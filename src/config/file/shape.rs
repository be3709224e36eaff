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

pub(crate) use crate::config::file::syntax::{AllowOnly, Choice, Quoted, Size, Table, Time, parse};

/// A text with its place, if it was given.
pub(crate) type Text = Option<Spanned<String>>;
/// A whole number with its place, if it was given.
pub(crate) type Number = Option<Spanned<i64>>;
/// A list of texts, each with its place, if it was given.
pub(crate) type Texts = Option<Spanned<Vec<Spanned<String>>>>;
/// An amount in quotes with its place, if it was given.
pub(crate) type Amount<U> = Option<Spanned<Quoted<U>>>;

/// The whole file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// `default_group = "name"`: where clients outside every prefix go.
    pub(crate) default_group: Text,
    /// `[school]`
    pub(crate) school: Table<SchoolFile>,
    /// `[listen]`
    pub(crate) listen: Table<ListenFile>,
    /// `[admin]`
    pub(crate) admin: Table<AdminFile>,
    /// `[upstream]`
    pub(crate) upstream: Table<UpstreamFile>,
    /// `[cache]`
    pub(crate) cache: Table<CacheFile>,
    /// `[limits]`
    pub(crate) limits: Table<LimitsFile>,
    /// `[block]`
    pub(crate) block: Table<BlockFile>,
    /// `[rebinding]`
    pub(crate) rebinding: Table<RebindingFile>,
    /// `[local]`
    pub(crate) local: Table<LocalFile>,
    /// `[[forward]]`
    pub(crate) forward: Vec<Spanned<Table<ForwardFile>>>,
    /// `[essential]`
    pub(crate) essential: Table<EssentialFile>,
    /// `[fail_mode]`
    pub(crate) fail_mode: BTreeMap<Spanned<String>, Spanned<String>>,
    /// `[department]`
    pub(crate) department: Table<DepartmentFile>,
    /// `[[schedule]]`
    pub(crate) schedule: Vec<Spanned<Table<ScheduleFile>>>,
    /// `[bundle.<name>]`
    pub(crate) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
    /// `[[group]]`
    pub(crate) group: Vec<Spanned<Table<GroupFile>>>,
    /// `[profile.<name>]`
    pub(crate) profile: BTreeMap<Spanned<String>, Table<ProfileFile>>,
    /// `[lists]`
    pub(crate) lists: Table<ListsFile>,
    /// `[state]`
    pub(crate) state: Table<StateFile>,
}

/// `[school]`: who runs this gateway.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SchoolFile {
    pub(crate) id: Text,
    pub(crate) name: Text,
    pub(crate) level: Text,
    pub(crate) timezone: Text,
    pub(crate) lang: Text,
}

/// `[department]`: what stands above this school.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DepartmentFile {
    pub(crate) policy: Text,
}

/// One `[[schedule]]`: when something runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScheduleFile {
    pub(crate) name: Text,
    pub(crate) days: Texts,
    pub(crate) times: Texts,
    pub(crate) calendar: Text,
    pub(crate) except: Texts,
}

/// One `[bundle.<name>]`: names that belong together.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BundleFile {
    pub(crate) names: Texts,
}

/// A file of bundles alone.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Bundles {
    pub(crate) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
}

/// One `[profile.<name>.during.<schedule>]`: what changes while it runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DuringFile {
    pub(crate) block: Texts,
    pub(crate) observe: Texts,
    pub(crate) allow_only: Option<bool>,
}

/// `[listen]`: where clients ask.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ListenFile {
    pub(crate) dns: Texts,
    pub(crate) allow: Texts,
    pub(crate) workers: Number,
    pub(crate) tcp_connections: Number,
    pub(crate) tcp_per_client: Number,
    pub(crate) tcp_idle: Amount<Time>,
    pub(crate) tcp_in_flight: Number,
}

/// `[admin]`: where the gateway itself is asked.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminFile {
    pub(crate) listen: Text,
    pub(crate) token: Text,
}

/// `[upstream]`: whom we ask.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamFile {
    pub(crate) servers: Texts,
    pub(crate) timeout: Amount<Time>,
    pub(crate) in_flight: Number,
    pub(crate) server_in_flight: Number,
    pub(crate) tls_roots: Text,
}

/// `[cache]`: what is remembered.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CacheFile {
    pub(crate) size: Amount<Size>,
    pub(crate) min_ttl: Amount<Time>,
    pub(crate) max_ttl: Amount<Time>,
    pub(crate) max_negative_ttl: Amount<Time>,
    pub(crate) stale: Amount<Time>,
    pub(crate) stale_after: Amount<Time>,
    pub(crate) prefetch: Option<bool>,
    pub(crate) failure_ttl: Amount<Time>,
    pub(crate) max_failure_ttl: Amount<Time>,
}

/// `[limits]`: what one client may take.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsFile {
    pub(crate) client_rate: Number,
    pub(crate) client_burst: Number,
    pub(crate) client_in_flight: Number,
    pub(crate) exempt: Texts,
}

/// `[block]`: what a blocked answer looks like.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BlockFile {
    pub(crate) ttl: Amount<Time>,
    pub(crate) ede_text: Option<bool>,
}

/// `[rebinding]`: answers from outside with addresses from inside.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RebindingFile {
    pub(crate) protect: Option<bool>,
    pub(crate) allow: Texts,
}

/// `[local]`: records that are answered here.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LocalFile {
    pub(crate) records: Texts,
    pub(crate) ttl: Amount<Time>,
    pub(crate) forward_private: Option<bool>,
}

/// One `[[forward]]`: a zone that other servers answer for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForwardFile {
    pub(crate) zone: Text,
    pub(crate) servers: Texts,
}

/// `[essential]`: names that this gateway cannot do without.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EssentialFile {
    pub(crate) names: Texts,
}

/// One `[[group]]`: clients under one policy.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GroupFile {
    pub(crate) name: Text,
    pub(crate) clients: Texts,
    pub(crate) listen: Texts,
    pub(crate) lessons: Text,
    pub(crate) level: Text,
    pub(crate) profile: Text,
    pub(crate) safesearch: Option<Spanned<Choice>>,
    pub(crate) youtube: Text,
    pub(crate) canaries: Option<Spanned<Choice>>,
    pub(crate) answer: Text,
}

/// One `[profile.<name>]`: a policy that groups can share.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProfileFile {
    pub(crate) level: Text,
    pub(crate) block: Texts,
    pub(crate) observe: Texts,
    pub(crate) allow: Texts,
    pub(crate) deny: Texts,
    pub(crate) allow_only: Option<Spanned<AllowOnly>>,
    pub(crate) during: BTreeMap<Spanned<String>, Table<DuringFile>>,
    pub(crate) keywords: Option<bool>,
    pub(crate) safesearch: Option<Spanned<Choice>>,
    pub(crate) youtube: Text,
    pub(crate) canaries: Option<Spanned<Choice>>,
    pub(crate) answer: Text,
}

/// `[lists]`: where listed names come from.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ListsFile {
    pub(crate) starter: Option<bool>,
    pub(crate) use_keywords: Option<bool>,
    pub(crate) keywords: Text,
    pub(crate) packs: Text,
    pub(crate) tls_roots: Text,
    pub(crate) source: Vec<Spanned<Table<SourceFile>>>,
}

/// `[state]`: what outlives the process.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StateFile {
    pub(crate) dir: Text,
}

/// One `[[lists.source]]`: a file of names, a download, or a sealed list.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SourceFile {
    pub(crate) category: Text,
    pub(crate) path: Text,
    pub(crate) format: Text,
    pub(crate) scope: Text,
    pub(crate) key: Text,
    pub(crate) url: Text,
    pub(crate) every: Amount<Time>,
    pub(crate) timeout: Amount<Time>,
    pub(crate) max_size: Amount<Size>,
    pub(crate) min_percent: Number,
}
