//! How long a client may keep what it is told, where policy changes with the time.
//!
//! An answer is good until the first edge behind which policy would answer otherwise. To
//! know that, the same question is judged as it will be judged behind each edge that comes
//! before the answer would have gone from the client's memory: none, for nearly all
//! queries; and a group that no schedule binds has no edges.

use crate::cache::Entry;
use crate::dns::message::answer::Form;
use crate::policy::{ActiveRules, Block, Pass, Rules, Verdict};
use crate::resolve::context::{BlockedAt, QueryContext};
use crate::resolve::rewrite::Rewrite;
use crate::resolve::{AnswerSource, Step, Transport};
use crate::rule::Action;

/// Edges that are looked behind; with more than these ahead, the last one is the limit.
const MAX_EDGES: usize = 8;

impl QueryContext<'_> {
    /// Seconds that a blocked answer may be kept.
    #[inline]
    pub(super) fn block_ttl(&self, found: BlockedAt) -> u32 {
        let ttl = self.snapshot.block_ttl();
        if self.bound.group.rules.is_constant() {
            return ttl;
        }
        // What the answer pointed to is not looked at again: any edge is a limit.
        let is_same = |bound: ActiveRules<'_>| {
            found == BlockedAt::Question
                && matches!((self.decided(bound), self.decided(self.bound)),
                    (Verdict::Block(then), Verdict::Block(now)) if then == now)
        };
        ttl.min(self.until(ttl, is_same))
    }

    /// Seconds that an answer of our own to a name that passes may be kept.
    #[inline]
    pub(super) fn passing_ttl(&self, ttl: u32) -> u32 {
        if self.bound.group.rules.is_constant() {
            return ttl;
        }
        let is_passing = |bound: ActiveRules<'_>| {
            matches!(self.decided(bound), Verdict::Pass(_) | Verdict::Safe(..))
        };
        ttl.min(self.until(ttl, is_passing))
    }

    /// Seconds that nothing in the answer to a name that passes may be kept beyond.
    #[inline]
    pub(super) fn answer_ttl(&self, entry: &Entry, form: Form, pass: Pass, out: &mut [u8]) -> u32 {
        if self.bound.group.rules.is_constant() {
            return u32::MAX;
        }
        let longest = entry.answer.longest_ttl(form);
        self.until(longest, |bound| self.is_same_behind(bound, entry, form, pass, out))
    }

    /// Whether an answer that goes out now would go out as well when the group is bound so.
    fn is_same_behind(
        &self,
        bound: ActiveRules<'_>,
        entry: &Entry,
        form: Form,
        pass: Pass,
        out: &mut [u8],
    ) -> bool {
        let is_passing = match (self.decided(bound), self.rewrite) {
            (Verdict::Pass(then), None) => Some(then),
            (Verdict::Safe(then, engine), Some(Rewrite::Safe(now))) if engine == now => Some(then),
            (Verdict::Block(then), Some(Rewrite::List(now))) if then == now => Some(pass),
            _ => None,
        };
        let then = QueryContext { bound, ..*self };
        is_passing.is_some_and(|pass| matches!(then.review(entry, form, pass, out), Ok(None)))
    }

    /// The instant, in civil seconds, from which on an answer would not go out as it does now.
    #[inline]
    pub(super) fn horizon(&self, entry: &Entry, pass: Pass, out: &mut [u8]) -> u64 {
        if self.bound.group.rules.is_constant() {
            return u64::MAX;
        }
        let form = Form::aged(entry.age(self.now.mono));
        let seconds =
            self.until(u32::MAX, |bound| self.is_same_behind(bound, entry, form, pass, out));
        if seconds == u32::MAX { u64::MAX } else { self.now.civil + u64::from(seconds) }
    }

    /// Sends an answer that had to be waited for: an edge may have come meanwhile, and then the
    /// name is judged by what holds now.
    pub(super) fn answer_late(
        &self,
        entry: &Entry,
        form: Form,
        pass: Pass,
        source: AnswerSource,
        out: &mut [u8],
    ) -> Step {
        if self.bound.group.rules.is_constant() {
            return self.answer(entry, form, pass, source, out);
        }
        match self.decided(self.bound) {
            Verdict::Block(now) if self.rewrite != Some(Rewrite::List(now)) => {
                if self.is_free_by_tcp(now) {
                    return self.answer(entry, form, pass, source, out);
                }
                self.blocked(now, BlockedAt::Question, out)
            }
            Verdict::Pass(pass) | Verdict::Safe(pass, _) => {
                self.answer(entry, form, pass, source, out)
            }
            Verdict::Block(_) | Verdict::Special(_) | Verdict::Canary(_) => {
                self.answer(entry, form, pass, source, out)
            }
        }
    }

    fn is_free_by_tcp(&self, block: Block) -> bool {
        block.action == Action::TcpOnly && self.transport == Transport::Tcp
    }

    fn decided(&self, bound: ActiveRules<'_>) -> Verdict {
        let subject = self.snapshot.hashed(&self.query.name);
        self.snapshot.decide(bound, &subject, self.query.qtype)
    }

    /// Seconds to the first edge within `most` seconds behind which it is not the same.
    fn until(&self, most: u32, mut is_same: impl FnMut(ActiveRules<'_>) -> bool) -> u32 {
        let group = self.bound.group;
        let seconds = |edge: u64| u32::try_from(edge - self.now.civil).unwrap_or(u32::MAX);
        let near = |(edge, _): &(u64, &Rules)| seconds(*edge) < most;
        for (number, (edge, rules)) in group.rules.changes(self.now).take_while(near).enumerate() {
            if number == MAX_EDGES || !is_same(ActiveRules { group, rules }) {
                return seconds(edge);
            }
        }
        u32::MAX
    }
}
