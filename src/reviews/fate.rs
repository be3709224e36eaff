//! Which names a request about them is written down for.

use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::policy::group::time::Now;
use crate::policy::verdict::Layer;
use crate::policy::{GroupId, Snapshot, Verdict};

/// Whether a request about a name gets a row: the name is blocked for the group, and the school could
/// open it.
///
/// Law: whoever asks must not learn it. Protected names, those of sealed lists among them, locked
/// names and those that the department denies get none, nor do names that pass.
pub fn gets_row(snapshot: &Snapshot, group: GroupId, name: &Name, now: Now) -> bool {
    let folded = Folded::from_name(name);
    let hashed = snapshot.hashed(&folded);
    let active = snapshot.rules_at(group, now);
    // All of it is worked out for each name: none is answered sooner.
    let verdict = snapshot.decide(active, &hashed, rtype::A);
    let is_sealed = snapshot.sealed().iter().any(|list| list.table.lists(&folded));
    let lock = snapshot.lock_of(active.group, name);
    let facts = snapshot.facts(&hashed);
    let all = facts.listed.set.union(facts.listed.any_zone);
    let all = all.union(facts.keywords.block).union(facts.keywords.observe);
    let is_protected = all.iter().any(|id| snapshot.taxonomy().category(id).is_protected);
    let is_open = match verdict {
        Verdict::Block(block) => {
            !matches!(block.layer, Layer::Illegal | Layer::Locked | Layer::DepartmentDeny)
        }
        _ => false,
    };
    is_open && !is_sealed && lock.is_none() && !is_protected
}
