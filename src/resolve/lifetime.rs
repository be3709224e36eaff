//! TTL limits from timetables: no answer outlives the rules that it was given under.
//!
//! Law: an answer's TTL ends at or before the first edge behind which policy would answer
//! otherwise. To find that edge, the same question is judged by the rules behind each edge
//! within the answer's longest TTL, once for an answer: there are none for nearly all queries,
//! and a group without a timetable has no edges.

use crate::cache::Entry;
use crate::dns::message::answer::Form;
use crate::policy::{ActiveRules, Block, Pass, Rules, Verdict};
use crate::resolve::context::{BlockedAt, QueryContext};
use crate::resolve::rewrite::Rewrite;
use crate::resolve::{AnswerSource, Done, Transport};
use crate::rule::Action;

/// Edges that are judged; with more than these ahead, the last one is the limit.
const MAX_EDGES: usize = 8;

impl QueryContext<'_> {
    /// The TTL of the reply to a query that `block` blocks.
    #[inline]
    pub(super) fn block_ttl(&self, block: Block, found: BlockedAt) -> u32 {
        let ttl = self.snapshot.block_ttl();
        if self.is_bound_for_good() {
            return ttl;
        }
        // The answer that a target or an address was in is not reviewed again: any edge is a
        // limit.
        let is_same = |active: ActiveRules<'_>| {
            found == BlockedAt::Question
                && matches!(self.decided(active), Verdict::Block(then) if then == block)
        };
        ttl.min(self.until(ttl, is_same))
    }

    /// The TTL, at most `ttl`, of our own answer to a name that passes.
    #[inline]
    pub(super) fn passing_ttl(&self, ttl: u32) -> u32 {
        if self.is_bound_for_good() {
            return ttl;
        }
        let is_passing = |active: ActiveRules<'_>| {
            matches!(self.decided(active), Verdict::Pass(_) | Verdict::Safe(..))
        };
        ttl.min(self.until(ttl, is_passing))
    }

    /// The instant, in civil seconds, from which policy would not give this answer any more;
    /// `u64::MAX` if none comes within its longest TTL.
    #[inline]
    pub(super) fn horizon(&self, entry: &Entry, form: Form, pass: Pass) -> u64 {
        if self.is_bound_for_good() {
            return u64::MAX;
        }
        let longest = entry.answer.longest_ttl(form);
        match self.until(longest, |active| self.is_same_behind(active, entry, pass)) {
            u32::MAX => u64::MAX,
            seconds => self.now.civil + u64::from(seconds),
        }
    }

    /// Whether an answer that policy gives now would be given under other rules too.
    fn is_same_behind(&self, active: ActiveRules<'_>, entry: &Entry, pass: Pass) -> bool {
        let is_passing = match (self.decided(active), self.rewrite) {
            (Verdict::Pass(then), None) => Some(then),
            (Verdict::Safe(then, engine), Some(Rewrite::Safe(now))) if engine == now => Some(then),
            (Verdict::Block(then), Some(Rewrite::List(now))) if then == now => Some(pass),
            _ => None,
        };
        let then = QueryContext { active, ..*self };
        is_passing.is_some_and(|pass| matches!(then.review(entry, pass), Ok(None)))
    }

    /// As [`QueryContext::answer`], for an answer that arrived later than the query: an edge may
    /// lie between them, so the name is judged again by the rules of now.
    pub(super) fn answer_late(
        &self,
        entry: &Entry,
        form: Form,
        pass: Pass,
        source: AnswerSource,
        out: &mut [u8],
    ) -> Done {
        if self.active.group.rules.is_constant() {
            return self.answer(entry, form, pass, source, out);
        }
        match self.decided(self.active) {
            Verdict::Block(now)
                if self.rewrite != Some(Rewrite::List(now)) && !self.is_free_by_tcp(now) =>
            {
                self.blocked(now, BlockedAt::Question, out)
            }
            Verdict::Pass(now) | Verdict::Safe(now, _) => {
                // What a list redirects an alias or an address to is judged as that.
                let is_garden = matches!(self.rewrite, Some(Rewrite::List(_)));
                self.answer(entry, form, if is_garden { pass } else { now }, source, out)
            }
            Verdict::Block(_) | Verdict::Special(_) | Verdict::Canary(_) => {
                self.answer(entry, form, pass, source, out)
            }
        }
    }

    /// Whether a name that its list answers over TCP only was asked for over TCP.
    #[inline]
    pub(super) fn is_free_by_tcp(&self, block: Block) -> bool {
        block.action == Action::TcpOnly && self.origin.transport != Transport::Udp
    }

    fn decided(&self, active: ActiveRules<'_>) -> Verdict {
        self.snapshot.decide(active, self.name, self.query.qtype)
    }

    /// Whether neither a timetable of the group nor one that its claims depend on changes anything.
    #[inline]
    fn is_bound_for_good(&self) -> bool {
        self.active.group.rules.is_constant() && self.placed_until == u64::MAX
    }

    /// Seconds to the first edge within `most` seconds behind which `is_same` is false, or the
    /// device may be of another group.
    fn until(&self, most: u32, mut is_same: impl FnMut(ActiveRules<'_>) -> bool) -> u32 {
        let group = self.active.group;
        let seconds = |edge: u64| u32::try_from(edge - self.now.civil).unwrap_or(u32::MAX);
        let near = |(edge, _): &(u64, &Rules)| seconds(*edge) < most;
        let placed = match self.placed_until {
            u64::MAX => u32::MAX,
            instant => seconds(instant.max(self.now.civil)),
        };
        for (number, (edge, rules)) in group.rules.changes(self.now).take_while(near).enumerate() {
            if number == MAX_EDGES || !is_same(ActiveRules { group, rules }) {
                return seconds(edge).min(placed);
            }
        }
        placed
    }
}
