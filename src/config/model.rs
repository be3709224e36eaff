//! Config: every section's value, checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::category::{CategorySet, Taxonomy};
use crate::config::data::safesearch::SafeSearch;
use crate::config::layers::department::Department;
use crate::config::layers::schedule::Schedule;
use crate::config::sections::admin::AdminSettings;
use crate::config::sections::block::BlockSettings;
use crate::config::sections::limits::{CacheLimits, Limits};
use crate::config::sections::listen::Listen;
use crate::config::sections::lists::ListSettings;
use crate::config::sections::local::{ForwardZone, Local};
use crate::config::sections::rebinding::Rebinding;
use crate::config::sections::school::School;
use crate::config::sections::state::StateSettings;
use crate::config::sections::upstream::Upstream;
use crate::dns::name::Name;
use crate::policy::GroupRules;
use crate::rule::Scope;

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

impl Config {
    /// The group of clients outside every prefix.
    pub fn default_group(&self) -> &GroupRules {
        &self.groups[self.default_group]
    }
}
