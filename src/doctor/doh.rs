//! What groups reach of other resolvers over HTTPS, by the policy of a snapshot now.
//!
//! The names are asked of the policy, not of the network. Law: a resolver that no list knows is not
//! seen here, nor one that is reached by its address: `lachan export nftables` is against those.

use crate::category::Level;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::doctor::facts::GroupReach;
use crate::policy::group::time::Now;
use crate::policy::{GroupId, GroupRules, Snapshot, Verdict};

/// Names by which browsers and devices find out that they must leave their own resolver.
const CANARIES: [&str; 2] = ["use-application-dns.net", "mask.icloud.com"];

/// Resolvers over HTTPS that browsers offer in their settings, or use by themselves.
const RESOLVERS: [&str; 7] = [
    "dns.google",
    "mozilla.cloudflare-dns.com",
    "chrome.cloudflare-dns.com",
    "dns.quad9.net",
    "doh.opendns.com",
    "dns.nextdns.io",
    "dns.adguard-dns.com",
];

/// What each group reaches.
pub fn reach(snapshot: &Snapshot, groups: &[GroupRules], now: Now) -> Vec<GroupReach> {
    let numbered = (0..=u8::MAX).zip(groups);
    numbered.map(|(number, group)| of_group(snapshot, GroupId(number), group, now)).collect()
}

fn of_group(snapshot: &Snapshot, id: GroupId, group: &GroupRules, now: Now) -> GroupReach {
    let active = snapshot.rules_at(id, now);
    let is_open = |name: &&str| {
        let Ok(name) = Name::from_text(name) else { return false };
        let folded = Folded::from_name(&name);
        let verdict = snapshot.decide(active, &snapshot.hashed(&folded), rtype::A);
        matches!(verdict, Verdict::Pass(_) | Verdict::Safe(..))
    };
    let open = |names: &[&str]| names.iter().copied().filter(is_open).map(str::to_owned).collect();
    GroupReach {
        name: group.name.clone(),
        is_staff: group.level == Level::Staff,
        canaries: open(&CANARIES),
        hosts: open(&RESOLVERS),
    }
}
