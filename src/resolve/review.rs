//! Review: policy's judgement of the names and addresses in an answer.
//!
//! Both are read from the stored entry, before anything is written. Law: an answer leaves in
//! full, truncated or not, only if policy lets all of its targets and addresses through.

use crate::cache::Entry;
use crate::dns::message::Malformed;
use crate::dns::name::Name;
use crate::dns::rtype;
use crate::policy::{Block, Layer, Pass, Spared};
use crate::resolve::context::{BlockedAt, QueryContext};
use crate::resolve::rewrite::Rewrite;
use crate::rule::Action;

impl QueryContext<'_> {
    /// The first name or address of the answer that policy blocks.
    #[inline]
    pub(super) fn review(
        &self,
        entry: &Entry,
        pass: Pass,
    ) -> Result<Option<(Block, BlockedAt)>, Malformed> {
        let answer = &entry.answer;
        let are_known = match answer.target_count() {
            0 => Some(true),
            _ => entry.targets_are(self.snapshot.facts_tag(), |facts| {
                self.snapshot.is_silent(self.active, facts)
            }),
        };
        if are_known != Some(true)
            && let Some(block) = self.review_targets(entry, are_known.is_none(), pass)?
        {
            return Ok(Some((block, BlockedAt::Target)));
        }
        if answer.has_addresses() && self.snapshot.reviews_addresses(answer.has_internal()) {
            return self.review_addresses(entry, pass);
        }
        Ok(None)
    }

    /// Judges each target; stores the lists' facts about them if they are new.
    fn review_targets(
        &self,
        entry: &Entry,
        is_news: bool,
        pass: Pass,
    ) -> Result<Option<Block>, Malformed> {
        let mut known = Vec::new();
        let mut block = None;
        for (number, target) in entry.answer.targets(self.query.head()).enumerate() {
            let target = target?;
            let name = self.snapshot.hashed(&target);
            let facts = self.snapshot.facts(&name);
            let spared = || self.spared(entry, number);
            let found =
                || self.snapshot.review(self.active, &name, &facts, pass.is_shield(), spared);
            block = block.or_else(|| found().filter(|block| !self.is_free_by_tcp(*block)));
            if is_news {
                known.push(facts);
            }
        }
        if is_news {
            entry.note(self.snapshot.facts_tag(), known.into());
        }
        Ok(block)
    }

    fn review_addresses(
        &self,
        entry: &Entry,
        pass: Pass,
    ) -> Result<Option<(Block, BlockedAt)>, Malformed> {
        let mut by_upstream = None;
        for address in entry.answer.addresses() {
            let address = address?;
            let spared = || self.spared(entry, usize::MAX);
            let block = self.snapshot.review_address(
                self.active,
                self.name,
                address,
                pass.is_shield(),
                spared,
            );
            let block = block.filter(|block| !self.is_free_by_tcp(*block));
            let block = match self.snapshot.review_zero(address) {
                Some(zero) if block.is_none() && self.leads_out(entry)? => Some(zero),
                _ => block,
            };
            match block {
                // An attack beside it counts as one.
                Some(block) if block.layer == Layer::UpstreamBlock => by_upstream = Some(block),
                Some(block) => return Ok(Some((block, BlockedAt::Address))),
                None => {}
            }
        }
        Ok(by_upstream.map(|block| (block, BlockedAt::Address)))
    }

    /// The name that an answer leads to by the word of a list that blocks a part of it, and the block:
    /// the alias that has data in a zone, or the name that is in the place of an alias or address.
    #[inline]
    pub(super) fn garden_of(&self, entry: &Entry, pass: Pass) -> Option<(Block, Name)> {
        let is_judged_by_lists = self.snapshot.has_list_answers()
            && self.query.qtype != rtype::CNAME
            && !matches!(self.rewrite, Some(Rewrite::List(_)));
        if is_judged_by_lists { self.alias_of_block(entry, pass) } else { None }
    }

    #[cold]
    fn alias_of_block(&self, entry: &Entry, pass: Pass) -> Option<(Block, Name)> {
        let (block, found) = self.review(entry, pass).ok()??;
        if found == BlockedAt::Target && matches!(block.action, Action::Local(_)) {
            let targets = entry.answer.targets(self.query.head()).flatten();
            for target in targets {
                // What the zone says again, once it is asked about this name alone.
                let name = self.snapshot.hashed(&target);
                let of_zone = self.snapshot.review_garden(self.active, self.name, &name);
                if of_zone.is_some_and(|of_zone| of_zone.is_as(&block)) {
                    return Some((block, target.to_name()));
                }
            }
        }
        let target = self.snapshot.rewrite_of(&block, self.name.name)?;
        Some((block, target.into_owned()))
    }

    /// What the question's name and the first `aliases` aliases of an answer spare what comes after
    /// them.
    #[cold]
    fn spared(&self, entry: &Entry, aliases: usize) -> Spared {
        let mut spared = self.snapshot.spared(self.name);
        for target in entry.answer.targets(self.query.head()).take(aliases).flatten() {
            spared.pass(self.snapshot.spared(&self.snapshot.hashed(&target)));
        }
        spared
    }

    /// Whether the answer is by way of a name outside, whose upstream it is from.
    fn leads_out(&self, entry: &Entry) -> Result<bool, Malformed> {
        for target in entry.answer.targets(self.query.head()) {
            let target = target?;
            let is_own = target.label_count() == 0;
            if !is_own && !self.snapshot.is_inside(&self.snapshot.hashed(&target)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
