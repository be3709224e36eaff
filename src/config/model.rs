//! Config: every section's value, checked.

use std::path::PathBuf;

use crate::category::{CategorySet, Taxonomy};
use crate::config::data::released::ReleasedData;
use crate::config::data::safesearch::SafeSearch;
use crate::config::errors::ConfigErrors;
use crate::config::external::UnusableCalendar;
use crate::config::layers::department::Department;
use crate::config::layers::schedule::Schedule;
use crate::config::layers::words::NameWords;
use crate::config::sections::admin::AdminSettings;
use crate::config::sections::block::BlockSettings;
use crate::config::sections::devices::DevicesSettings;
use crate::config::sections::limits::{CacheLimits, Limits};
use crate::config::sections::listen::Listen;
use crate::config::sections::lists::ListSettings;
use crate::config::sections::local::{ForwardZone, Local};
use crate::config::sections::portal::PortalSettings;
use crate::config::sections::rebinding::Rebinding;
use crate::config::sections::school::School;
use crate::config::sections::selftest::SelfTestSettings;
use crate::config::sections::state::StateSettings;
use crate::config::sections::state::evidence::EvidenceSettings;
use crate::config::sections::update::UpdateSettings;
use crate::config::sections::upstream::Upstream;
use crate::dns::name::Name;
use crate::policy::GroupRules;
use crate::rule::Scope;

/// Settings of the gateway. A value of this type has passed every check: `serve` runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The school that runs the gateway.
    pub school: School,
    /// Listeners for clients.
    pub listen: Listen,
    /// The admin server.
    pub admin: AdminSettings,
    /// The pages for people; none where the config has no `[portal]`.
    pub portal: Option<PortalSettings>,
    /// Upstream servers.
    pub upstream: Upstream,
    /// Bounds of the answer cache.
    pub cache: CacheLimits,
    /// Bounds of one client.
    pub limits: Limits,
    /// Form of a blocked answer.
    pub block: BlockSettings,
    /// Protection against DNS rebinding.
    pub rebinding: Rebinding,
    /// Local records.
    pub local: Local,
    /// Forward zones, each with servers of its own.
    pub forwards: Vec<ForwardZone>,
    /// Essential names beside the built-in ones: they resolve in every mode, unless locked.
    pub essential: Vec<(Name, Scope)>,
    /// Categories that fail closed: with a source and without its list they block every name.
    pub fail_closed: CategorySet,
    /// Groups, in the order of the file; at least one.
    pub groups: Vec<GroupRules>,
    /// The group of clients outside every prefix, as a place in `groups`.
    pub default_group: usize,
    /// Sources of listed names.
    pub lists: ListSettings,
    /// State that outlives the process.
    pub state: StateSettings,
    /// What is kept to show how the gateway did.
    pub evidence: EvidenceSettings,
    /// How often the gateway asks itself.
    pub selftest: SelfTestSettings,
    /// Where the gateway sees the hardware addresses that groups name.
    pub devices: DevicesSettings,
    /// The department's releases.
    pub update: UpdateSettings,
    /// The tables in effect: those of a release, or those compiled in.
    pub data: ReleasedData,
    /// Categories, by the ids that groups and lists use.
    pub taxonomy: Taxonomy,
    /// Search engines with a safe mode.
    pub safesearch: SafeSearch,
    /// The department's policy, a layer above the school's.
    pub department: Department,
    /// Schedules that groups refer to: lessons and others.
    pub schedules: Vec<Schedule>,
    /// What is no mistake, and seldom what was meant; [`Config::warnings`] adds what depends on the
    /// time.
    pub(in crate::config) warned: ConfigErrors,
    /// Words of the school that a lock of the department makes void: a mistake for `check`, and
    /// without effect where the config is served.
    pub void: ConfigErrors,
    /// Calendars that cannot be used; their schedules run in the stricter meaning.
    pub unusable: Vec<UnusableCalendar>,
    /// Words that stand for many names: bundles and services.
    pub words: NameWords,
    /// Other files that it refers to, to be watched.
    pub files: Vec<PathBuf>,
    /// Texts of those files, to see whether one has changed.
    pub texts: Vec<String>,
}

impl Config {
    /// The group of clients outside every prefix.
    pub fn default_group(&self) -> &GroupRules {
        &self.groups[self.default_group]
    }
}
