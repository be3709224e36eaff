//! One block, as it is handed to what notes it.

use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;
use crate::policy::{HashedName, Snapshot};
use crate::resolve::Outcome;

/// Names of addresses: each has a client's.
const REVERSE: &[u8] = b"\x04arpa\x00";

/// One block: a name, the type that was asked for, and what came of it.
#[derive(Clone, Copy)]
pub struct BlockedQuery<'a> {
    /// The policy that blocked it.
    pub snapshot: &'a Snapshot,
    /// The name of the question.
    pub name: &'a Folded,
    /// The hashes of its suffixes.
    pub hashes: &'a SuffixHashes,
    /// Its type.
    pub qtype: u16,
    /// Its end, which has a block.
    pub outcome: &'a Outcome,
}

impl BlockedQuery<'_> {
    /// Whether it may be remembered, as far as its category and its name say at once.
    #[inline]
    pub(super) fn may_be_noted(&self) -> bool {
        let delicate = self.snapshot.delicate();
        let reported = self.outcome.blocked.and_then(|(category, _)| category);
        !reported.is_some_and(|category| delicate.contains(category))
            && self.name.label_count() > 1
            && !self.name.as_wire().ends_with(REVERSE)
    }

    /// Whether it may be shown: no list and no keyword has it in a delicate category.
    pub(super) fn may_be_shown(&self) -> bool {
        let hashed = HashedName::prepared(self.name, self.hashes);
        self.may_be_noted() && !is_delicate(self.snapshot, &hashed, self.qtype)
    }
}

/// Whether a list or a keyword has a name in a protected or a sensitive category.
pub(super) fn is_delicate(snapshot: &Snapshot, hashed: &HashedName<'_>, qtype: u16) -> bool {
    let listed = snapshot.listed(hashed, qtype);
    let keywords = snapshot.keywords().lookup(hashed.name);
    let all = listed.set.union(listed.any_zone).union(keywords.block).union(keywords.observe);
    !all.intersection(snapshot.delicate()).is_empty()
}
