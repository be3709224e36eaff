//! A request, from the site that was written to the receipt that is shown.

use crate::config::Config;
use crate::policy::group::time::{Now, Trust};
use crate::policy::{GroupId, Snapshot};
use crate::reviews::ReviewBook;
use crate::reviews::book::ReviewReceipt;
use crate::reviews::day::CivilDay;
use crate::reviews::fate::gets_row;
use crate::reviews::request::{AskedSite, ReviewReason};

/// The day at a time, in the school's zone; none while the clock is untrusted.
pub fn today(config: &Config, now: Now) -> Option<CivilDay> {
    if now.trust == Trust::Untrusted {
        return None;
    }
    CivilDay::of(now.civil, &config.school.zone())
}

impl ReviewBook {
    /// Notes that a group asks for a site; `code` is what its page shows. Config and snapshot are of one generation.
    ///
    /// Law: the receipt does not depend on the site.
    pub fn ask(
        &self,
        (config, snapshot): (&Config, &Snapshot),
        group: GroupId,
        (site, reason, code): (&AskedSite, ReviewReason, Option<&str>),
        now: Now,
    ) -> ReviewReceipt {
        let gets_row = gets_row(snapshot, group, site.name(), now);
        let rules = config.groups.get(usize::from(group.0));
        let level = rules.unwrap_or_else(|| config.default_group()).level;
        self.receive(site, (reason, level, code), gets_row, today(config, now))
    }
}
