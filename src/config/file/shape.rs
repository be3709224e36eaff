//! Shape of the config file: its tables and keys as written, without their meaning.
//!
//! Every table is a struct that refuses unknown keys, and every value that can be wrong
//! in meaning is [`Spanned`], so that the checks (`check.rs`, `sections/`) can report its
//! place. All keys are optional here: a check reports a missing one together with all
//! other mistakes, or takes its default.
//!
//! The TOML reader stops at the first mistake of *shape* (syntax, unknown key,
//! wrong type); [`parse`] returns that one as a diagnostic.
//!
//! Absent on purpose: `flatten` and `untagged`, because both lose the place.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::config::file::server_entry::Servers;
pub(crate) use crate::config::file::syntax::{AllowOnly, Choice, Quoted, Size, Table, Time, parse};

/// A text with its place, if it was given.
pub(crate) type SpannedText = Option<Spanned<String>>;
/// A whole number with its place, if it was given.
pub(crate) type Number = Option<Spanned<i64>>;
/// A list of texts, each with its place, if it was given.
pub(crate) type SpannedTexts = Option<Spanned<Vec<Spanned<String>>>>;
/// A quantity in quotes with its place, if it was given.
pub(crate) type Amount<U> = Option<Spanned<Quoted<U>>>;

/// The whole file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// `default_group = "name"`: the group of clients outside every prefix.
    pub(crate) default_group: SpannedText,
    /// `[school]`
    pub(crate) school: Table<SchoolFile>,
    /// `[listen]`
    pub(crate) listen: Table<ListenFile>,
    /// `[admin]`
    pub(crate) admin: Table<AdminFile>,
    /// `[portal]`
    pub(crate) portal: Table<PortalFile>,
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
    /// `[evidence]`
    pub(crate) evidence: Table<EvidenceFile>,
    /// `[update]`
    pub(crate) update: Table<UpdateFile>,
    /// `[selftest]`
    pub(crate) selftest: Table<SelfTestFile>,
    /// `[devices]`
    pub(crate) devices: Table<DevicesFile>,
}

/// `[devices]`: where hardware addresses are seen.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DevicesFile {
    pub(crate) neighbours: Option<bool>,
    pub(crate) leases: SpannedTexts,
}

/// `[school]`: the school that runs the gateway.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SchoolFile {
    pub(crate) id: SpannedText,
    pub(crate) name: SpannedText,
    pub(crate) level: SpannedText,
    pub(crate) timezone: SpannedText,
    pub(crate) lang: SpannedText,
    /// `[school.roles]`
    pub(crate) roles: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(crate) report_from: SpannedText,
}

/// `[department]`: the policy above the school's.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DepartmentFile {
    pub(crate) policy: SpannedText,
}

/// One `[[schedule]]`: days, times and calendars.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScheduleFile {
    pub(crate) name: SpannedText,
    pub(crate) days: SpannedTexts,
    pub(crate) times: SpannedTexts,
    pub(crate) calendar: SpannedText,
    pub(crate) except: SpannedTexts,
}

/// One `[bundle.<name>]`: names that stand together in a list of names.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BundleFile {
    pub(crate) names: SpannedTexts,
}

/// A file of bundles alone.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Bundles {
    pub(crate) bundle: BTreeMap<Spanned<String>, Table<BundleFile>>,
}

/// One `[profile.<name>.during.<schedule>]`: the changes while the schedule runs.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DuringFile {
    pub(crate) block: SpannedTexts,
    pub(crate) observe: SpannedTexts,
    pub(crate) allow: SpannedTexts,
    pub(crate) deny: SpannedTexts,
    pub(crate) allow_only: Option<Spanned<AllowOnly>>,
}

/// `[listen]`: listeners for clients.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ListenFile {
    pub(crate) dns: SpannedTexts,
    pub(crate) dot: SpannedTexts,
    pub(crate) doh: SpannedTexts,
    pub(crate) names: SpannedTexts,
    pub(crate) tls: Vec<Spanned<Table<TlsFile>>>,
    pub(crate) allow: SpannedTexts,
    pub(crate) workers: Number,
    pub(crate) tcp_connections: Number,
    pub(crate) tcp_per_client: Number,
    pub(crate) tcp_idle: Amount<Time>,
    pub(crate) tcp_in_flight: Number,
    pub(crate) stream_memory: Amount<Size>,
    pub(crate) stream_memory_client: Amount<Size>,
    pub(crate) stream_memory_connection: Amount<Size>,
}

/// One `[[listen.tls]]`: a certificate of the encrypted listeners.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsFile {
    pub(crate) certificate: SpannedText,
    pub(crate) key: SpannedText,
}

/// `[admin]`: the admin server.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminFile {
    pub(crate) listen: SpannedText,
    pub(crate) token: SpannedText,
}

/// `[portal]`: the pages that people open in a browser.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PortalFile {
    pub(crate) listen: SpannedTexts,
    pub(crate) name: SpannedText,
    pub(crate) owned: Option<bool>,
    pub(crate) addresses: SpannedTexts,
    pub(crate) staff_networks: SpannedTexts,
    pub(crate) contact: SpannedText,
    pub(crate) help: Vec<Spanned<Table<HelpFile>>>,
}

/// One `[[portal.help]]`: a line that a pupil may call.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HelpFile {
    pub(crate) label: SpannedText,
    pub(crate) label_en: SpannedText,
    pub(crate) number: SpannedText,
}

/// `[upstream]`: upstream servers.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpstreamFile {
    pub(crate) servers: Servers,
    pub(crate) resolv_conf: SpannedText,
    pub(crate) timeout: Amount<Time>,
    pub(crate) deadline: Amount<Time>,
    pub(crate) case_randomisation: Option<bool>,
    pub(crate) in_flight: Number,
    pub(crate) server_in_flight: Number,
    pub(crate) tls_roots: SpannedText,
}

/// `[cache]`: bounds of the answer cache.
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

/// `[limits]`: bounds of one client.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitsFile {
    pub(crate) client_rate: Number,
    pub(crate) client_burst: Number,
    pub(crate) client_in_flight: Number,
    pub(crate) exempt: SpannedTexts,
}

/// `[block]`: form of a blocked answer.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BlockFile {
    pub(crate) ttl: Amount<Time>,
    pub(crate) ede_text: Option<bool>,
}

/// `[rebinding]`: upstream answers with private addresses.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RebindingFile {
    pub(crate) protect: Option<bool>,
    pub(crate) allow: SpannedTexts,
}

/// `[local]`: local records.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LocalFile {
    pub(crate) records: SpannedTexts,
    pub(crate) ttl: Amount<Time>,
    pub(crate) forward_private: Option<bool>,
}

/// One `[[forward]]`: a zone with servers of its own.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForwardFile {
    pub(crate) zone: SpannedText,
    pub(crate) servers: Servers,
    pub(crate) case_randomisation: Option<bool>,
}

/// `[essential]`: names that resolve in every mode.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EssentialFile {
    pub(crate) names: SpannedTexts,
}

/// One `[[group]]`: clients under one policy.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GroupFile {
    pub(crate) name: SpannedText,
    pub(crate) clients: SpannedTexts,
    pub(crate) listen: SpannedTexts,
    pub(crate) server_names: SpannedTexts,
    pub(crate) macs: SpannedTexts,
    pub(crate) tokens_from: SpannedTexts,
    pub(crate) lessons: SpannedText,
    pub(crate) level: SpannedText,
    pub(crate) profile: SpannedText,
    pub(crate) safesearch: Option<Spanned<Choice>>,
    pub(crate) youtube: SpannedText,
    pub(crate) canaries: Option<Spanned<Choice>>,
    pub(crate) answer: SpannedText,
}

/// One `[profile.<name>]`: a policy that groups can share.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProfileFile {
    pub(crate) level: SpannedText,
    pub(crate) block: SpannedTexts,
    pub(crate) observe: SpannedTexts,
    pub(crate) allow: SpannedTexts,
    pub(crate) deny: SpannedTexts,
    pub(crate) allow_only: Option<Spanned<AllowOnly>>,
    pub(crate) during: BTreeMap<Spanned<String>, Table<DuringFile>>,
    pub(crate) keywords: Option<bool>,
    pub(crate) safesearch: Option<Spanned<Choice>>,
    pub(crate) youtube: SpannedText,
    pub(crate) canaries: Option<Spanned<Choice>>,
    pub(crate) answer: SpannedText,
}

/// `[lists]`: sources of listed names.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ListsFile {
    pub(crate) starter: Option<bool>,
    pub(crate) use_keywords: Option<bool>,
    pub(crate) keywords: SpannedText,
    pub(crate) packs: SpannedText,
    pub(crate) accept: SpannedTexts,
    pub(crate) min_percent: Number,
    pub(crate) tls_roots: SpannedText,
    pub(crate) source: Vec<Spanned<Table<SourceFile>>>,
}

/// `[state]`: state that outlives the process.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StateFile {
    pub(crate) dir: SpannedText,
    pub(crate) keep: Option<bool>,
}

/// `[evidence]`: records of how the gateway did.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EvidenceFile {
    pub(crate) hours: SpannedText,
    pub(crate) flush: Amount<Time>,
    pub(crate) keep: Number,
    pub(crate) ledger: Number,
    pub(crate) max_size: Amount<Size>,
}

/// `[selftest]`: how often the gateway asks itself.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SelfTestFile {
    pub(crate) every: SpannedText,
}

/// `[update]`: the department's releases.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UpdateFile {
    pub(crate) urls: SpannedTexts,
    pub(crate) directory: SpannedText,
    pub(crate) root: SpannedText,
    pub(crate) every: Amount<Time>,
    pub(crate) silence: Amount<Time>,
    pub(crate) nudge: SpannedText,
    pub(crate) nudge_every: Amount<Time>,
}

/// One `[[lists.source]]`: a file of names, a download, or a sealed list.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SourceFile {
    pub(crate) category: SpannedText,
    pub(crate) path: SpannedText,
    pub(crate) format: SpannedText,
    pub(crate) scope: SpannedText,
    pub(crate) key: SpannedText,
    pub(crate) url: SpannedText,
    pub(crate) every: Amount<Time>,
    pub(crate) timeout: Amount<Time>,
    pub(crate) max_size: Amount<Size>,
    pub(crate) min_percent: Number,
    pub(crate) trusted: Option<Spanned<bool>>,
    pub(crate) action: SpannedText,
    pub(crate) accept: SpannedTexts,
}
