//! Config: what holds together, checked.
//!
//! ```text
//! text ──parse──▶ File (shape, config/file.rs) ──check──▶ Config (meaning)
//! ```
//!
//! [`load_text`] is the only way to get a [`Config`] other than the built-in
//! defaults, and every mistake of meaning is reported at once, with its place,
//! what was found and what is allowed. Defaults live in one place, the
//! `Default` of each section; `config/gateway.toml` shows them all, and a test
//! holds the two together.
//!
//! Absent on purpose: reading files. Paths are resolved against the directory
//! that the caller names; the shell opens them.

mod check;
pub mod data;
pub(crate) mod errors;
pub(crate) mod external;
pub mod file;
pub mod layers;
pub mod sections;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use jiff::tz::TimeZone;

use crate::blocklist::{Format, ScopeChoice};
use crate::category::{CategoryId, CategorySet, Level, Taxonomy};
use crate::dns::name::Name;
use crate::lang::Lang;
use crate::policy::GroupRules;
use crate::rule::Scope;
use data::safesearch::SafeSearch;
use data::starter;
pub use errors::ConfigErrors;
use errors::lang_of;
use external::Externals;
pub use external::FileReader;
use layers::department::Department;
use layers::schedule::Schedule;
pub use sections::limits::{CacheLimits, Limits};
pub use sections::local::{ForwardZone, Local};
use sections::server::Server;

/// Everything the gateway is told, in a form that holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whose gateway this is.
    pub school: School,
    /// Where clients ask.
    pub listen: Listen,
    /// Where the gateway itself is asked.
    pub admin: AdminSettings,
    /// Whom we ask.
    pub upstream: Upstream,
    /// What is remembered.
    pub cache: CacheLimits,
    /// What one client may take.
    pub limits: Limits,
    /// What a blocked answer looks like.
    pub block: BlockSettings,
    /// What becomes of answers from outside with addresses from inside.
    pub rebinding: Rebinding,
    /// Records that are answered here.
    pub local: Local,
    /// Zones that other servers answer for.
    pub forwards: Vec<ForwardZone>,
    /// Names that resolve in every mode beside those that are built in; locks stop them.
    pub essential: Vec<(Name, Scope)>,
    /// Categories that are closed when they have a source and no list.
    pub fail_closed: CategorySet,
    /// The groups, in the order of the file; at least one.
    pub groups: Vec<GroupRules>,
    /// The group of clients outside every prefix, as a place in `groups`.
    pub default_group: usize,
    /// Where listed names come from.
    pub lists: ListSettings,
    /// What outlives the process.
    pub state: StateSettings,
    /// The categories that groups and lists speak of.
    pub taxonomy: Taxonomy,
    /// The search engines that can be held to a safe mode.
    pub safesearch: SafeSearch,
    /// What stands above this school.
    pub department: Department,
    /// When lessons are, and whatever else groups depend on.
    pub schedules: Vec<Schedule>,
    /// Names that belong together, by name.
    pub bundles: BTreeMap<String, Vec<Name>>,
    /// The other files that were read for it, to be watched.
    pub files: Vec<PathBuf>,
    /// What was in them.
    pub texts: Vec<String>,
}

/// Whose gateway this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    /// The id in metrics and in the choice of a release ring.
    pub id: String,
    /// The name that people read.
    pub name: String,
    /// The level of groups that name none.
    pub level: Option<Level>,
    /// The IANA name of the time zone that timetables are in.
    pub timezone: String,
    /// The language that its people are spoken to in.
    pub lang: Lang,
}

impl Default for School {
    fn default() -> Self {
        Self {
            id: "school".into(),
            name: String::new(),
            level: None,
            timezone: "UTC".into(),
            lang: Lang::En,
        }
    }
}

impl School {
    /// The time zone that timetables are in.
    pub fn zone(&self) -> TimeZone {
        // That there is one of this name has been checked.
        TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC)
    }
}

/// Where clients ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Addresses for UDP and TCP; never empty, no two alike.
    pub dns: Vec<SocketAddr>,
    /// Networks whose clients are answered; all others get REFUSED.
    pub allow: Vec<IpNet>,
    /// UDP workers; 0 is one for each core.
    pub workers: usize,
    /// TCP connections at one time.
    pub tcp_connections: usize,
    /// TCP connections at one time from one client address.
    pub tcp_per_client: usize,
    /// How long a silent TCP connection stays open.
    pub tcp_idle: Duration,
    /// Queries of one TCP connection that are answered at one time.
    pub tcp_in_flight: usize,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            dns: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 5300))],
            allow: local_networks(),
            workers: 0,
            tcp_connections: 1024,
            tcp_per_client: 64,
            tcp_idle: Duration::from_secs(10),
            tcp_in_flight: 64,
        }
    }
}

/// The networks that can only be local: private (RFC 1918), loopback, link-local,
/// shared address space of carriers (RFC 6598), unique local (RFC 4193).
fn local_networks() -> Vec<IpNet> {
    let v4 = |a, b, length| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), length));
    let v6 = |first, last, length| {
        IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last), length))
    };
    vec![
        v4(127, 0, 8),
        v4(10, 0, 8),
        v4(172, 16, 12),
        v4(192, 168, 16),
        v4(169, 254, 16),
        v4(100, 64, 10),
        v6(0, 1, 128),
        v6(0xfe80, 0, 10),
        v6(0xfc00, 0, 7),
    ]
}

/// Where the gateway itself is asked: health, readiness, metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    /// The address of the admin HTTP server.
    pub listen: SocketAddr,
    /// The file of the token without which nothing can be changed there; one in the state
    /// directory where none is named.
    pub token: Option<PathBuf>,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9153)), token: None }
    }
}

/// Whom we ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The servers in order of preference; empty stands for the system's own.
    pub servers: Vec<Server>,
    /// How long one exchange with one server may take.
    pub timeout: Duration,
    /// Questions that wait for upstream at one time.
    pub in_flight: usize,
    /// Questions that wait for one server at one time.
    pub server_in_flight: usize,
    /// A PEM file of certificate authorities to trust beside the built-in ones.
    pub tls_roots: Option<PathBuf>,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_millis(1500),
            in_flight: 4096,
            server_in_flight: 2048,
            tls_roots: None,
        }
    }
}

/// What a blocked answer looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSettings {
    /// How long a client may keep it.
    pub ttl: Duration,
    /// Whether the extended error (RFC 8914) carries a text beside its code.
    pub ede_text: bool,
}

impl Default for BlockSettings {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(30), ede_text: true }
    }
}

/// What becomes of answers from outside with addresses from inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// Whether they are answered as blocked.
    pub protect: bool,
    /// Names, each with all below it, that may have such addresses.
    pub allow: Vec<Name>,
}

impl Default for Rebinding {
    fn default() -> Self {
        Self { protect: true, allow: Vec::new() }
    }
}

/// Where listed names come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSettings {
    /// Whether the built-in starter lists are used.
    pub starter: bool,
    /// Whether keyword rules are used at all.
    pub use_keywords: bool,
    /// The file of keyword rules; those of a pack, or the built-in ones, where there is none.
    pub keywords: Option<PathBuf>,
    /// The directory of compiled packs: the newest that verifies is used.
    pub packs: Option<PathBuf>,
    /// Sources of names, in the order of the config.
    pub sources: Vec<ListSource>,
    /// Sealed lists, in the order of the config.
    pub sealed: Vec<Sealed>,
    /// A PEM file of certificate authorities that downloads trust besides the built-in ones.
    pub tls_roots: Option<PathBuf>,
}

impl Default for ListSettings {
    fn default() -> Self {
        Self {
            starter: true,
            use_keywords: true,
            keywords: None,
            packs: None,
            sources: Vec::new(),
            sealed: Vec::new(),
            tls_roots: None,
        }
    }
}

/// What outlives the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateSettings {
    /// The directory it is kept in. Without one the shell takes the directory that the
    /// service manager gives, or keeps nothing.
    pub dir: Option<PathBuf>,
}

/// One source of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSource {
    /// What its names are about.
    pub category: CategoryId,
    /// Where it is: absolute, or below the directory of the config file. Of a download, the
    /// name that its copy is kept by; the shell puts the directory before it.
    pub path: PathBuf,
    /// Its syntax.
    pub format: Format,
    /// What its names stand for.
    pub scope: ScopeChoice,
    /// The path or URL as written: how logs, metrics and `why` name the source.
    pub label: String,
    /// Where it is downloaded from.
    pub fetch: Option<Fetch>,
}

/// Where a list is downloaded from, how often, and what of it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// An https or http URL without user name, password or fragment.
    pub url: String,
    /// How often it is looked for.
    pub every: Duration,
    /// How long one download may take in all.
    pub timeout: Duration,
    /// Octets that it may have, as sent and unpacked.
    pub max_octets: u64,
    /// How many rules it must have at least, in percent of the last good copy's.
    pub min_percent: u8,
}

/// A sealed list and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What its names are about.
    pub category: CategoryId,
    /// Where the list is.
    pub path: PathBuf,
    /// Where its key is.
    pub key: PathBuf,
    /// The list's path as written.
    pub label: String,
}

impl Config {
    /// The config of an empty file: what runs when there is none.
    pub fn embedded() -> Self {
        match load_text("", "built-in defaults", Path::new("")) {
            Ok(config) => config,
            Err(errors) => unreachable!("the defaults are tested to hold together: {errors}"),
        }
    }

    /// The group of clients outside every prefix.
    pub fn default_group(&self) -> &GroupRules {
        &self.groups[self.default_group]
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::embedded()
    }
}

/// Reads a config from `text`, which came from `path`.
///
/// Relative paths in it are taken from `base_dir`. Nothing is opened here.
///
/// # Errors
///
/// Every mistake of meaning; or the first mistake of shape (syntax, an unknown
/// key, a wrong type), behind which meaning cannot be seen.
///
/// # Examples
///
/// ```
/// # use std::path::Path;
/// # use lachan::config::load_text;
/// let config = load_text("[block]\nttl = \"10s\"\n", "gateway.toml", Path::new("/etc/lachan"))?;
/// assert_eq!(config.block.ttl.as_secs(), 10);
/// assert_eq!(config.default_group().name, "default");
/// # Ok::<(), lachan::config::ConfigErrors>(())
/// ```
pub fn load_text(text: &str, path: &str, base_dir: &Path) -> Result<Config, ConfigErrors> {
    load(text, path, base_dir, None)
}

/// As [`load_text`], with the other files that it names: the department's policy, calendars.
///
/// Without a reader they are taken to say nothing.
///
/// # Errors
///
/// Every mistake of the first file that has any: the others before the config, which builds
/// on them.
pub fn load(
    text: &str,
    path: &str,
    base_dir: &Path,
    reader: Option<FileReader<'_>>,
) -> Result<Config, ConfigErrors> {
    let built_in = |file: &'static str, text: &'static str| {
        move |mistakes| ConfigErrors::new(file, text, mistakes)
    };
    let taxonomy =
        starter::taxonomy().map_err(built_in("built-in categories.toml", starter::CATEGORIES))?;
    let safesearch =
        starter::safesearch().map_err(built_in("built-in safesearch.toml", starter::SAFESEARCH))?;
    let bundles =
        starter::bundles().map_err(built_in("built-in bundles.toml", starter::BUNDLES))?;
    let lang = lang_of(text);
    let wrong = |mistakes| ConfigErrors::new(path, text, mistakes).in_lang(lang);
    let file = file::shape::parse(text).map_err(|mistake| wrong(vec![mistake]))?;
    let known = (&taxonomy, &safesearch);
    let externals =
        Externals::read(&file, base_dir, known, reader).map_err(|errors| errors.in_lang(lang))?;
    check::check(&file, base_dir, taxonomy, safesearch, bundles, externals).map_err(wrong)
}

/// Writes alternatives for a message: `a`, `b`, `c`.
fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
