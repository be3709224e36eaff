//! Self-test of a policy: what a release must never change.
//!
//! Laws: no essential or guarded name is blocked that was not blocked before; each name by which
//! software asks whether it may pass by is answered as before; a release with names has names.

use crate::config::data::guard::Guard;
use crate::config::data::released::ReleasedData;
use crate::dns::name::{Folded, Name};
use crate::policy::group::rules::GroupId;
use crate::policy::group::time::{Now, Trust};
use crate::policy::{Snapshot, Verdict};

/// The most names of a fault.
const SHOWN: usize = 5;
/// The type of an address (RFC 1035 §3.2.2).
const ADDRESS: u16 = 1;

/// Tests a policy against the one before it, at a civil time; `data` are the tables of both: what
/// either calls essential or guarded stays open.
///
/// # Errors
///
/// What is wrong with it.
pub fn test(
    (old, new): (&Snapshot, &Snapshot),
    data: [&ReleasedData; 2],
    civil: u64,
) -> Result<(), String> {
    if !old.lists().is_empty() && new.lists().is_empty() {
        return Err("no name is listed any more".into());
    }
    let now = Now { mono: 1, civil, trust: Trust::Synced };
    let mut blocked = Vec::new();
    for (group, before, after) in pairs(old, new) {
        let verdicts = |name: &Name| {
            let name = Folded::from_name(name);
            let of = |policy: &Snapshot, id: GroupId| {
                policy.decide(policy.rules_at(id, now), &policy.hashed(&name), ADDRESS)
            };
            (of(old, before), of(new, after))
        };
        let is_block = |verdict: &Verdict| matches!(verdict, Verdict::Block(_));
        for data in data {
            for (_, name) in data.canaries().unwrap_or_default() {
                let (was, is) = verdicts(&name);
                if matches!(was, Verdict::Canary(_)) && !matches!(is, Verdict::Canary(_)) {
                    return Err(format!("canary {name} is not answered any more for `{group}`"));
                }
            }
            for name in Guard::of(data, new.taxonomy()).names() {
                let (was, is) = verdicts(name);
                if is_block(&is) && !is_block(&was) && !blocked.contains(name) {
                    blocked.push(name.clone());
                }
            }
        }
    }
    if blocked.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = blocked.iter().take(SHOWN).map(Name::to_string).collect();
    let more = if blocked.len() > SHOWN { ", …" } else { "" };
    Err(format!("essential or guarded names would be blocked: {}{more}", shown.join(", ")))
}

/// The groups that both policies have, by name.
fn pairs<'a>(
    old: &'a Snapshot,
    new: &'a Snapshot,
) -> impl Iterator<Item = (&'a str, GroupId, GroupId)> {
    let place = |place: usize| GroupId(u8::try_from(place).unwrap_or(u8::MAX));
    old.groups().iter().enumerate().filter_map(move |(before, group)| {
        let name = group.name.as_str();
        let after = new.groups().iter().position(|other| other.name == name)?;
        Some((name, place(before), place(after)))
    })
}
