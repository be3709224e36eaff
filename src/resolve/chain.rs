//! Chains of aliases over several upstreams: each name is asked where it belongs.
//!
//! An upstream has a say about its own names only. An answer that ends in the name of another
//! zone, of a local record, or in a name that its upstream did not follow, is one link; the next
//! is the answer to that name under its own route ([`crate::policy::Snapshot::is_elsewhere`]). Links are cached
//! each by itself, and joined for a reply.
//!
//! Laws: what is joined is reviewed as a whole, as the answer to the client's name, before it is
//! sent and before another link is asked for. There are at most [`MAX_CHAIN`] aliases, and no name
//! is asked for twice.

use std::sync::Arc;

use crate::cache::{AnswerCache, CacheKey, CacheLookup, Entry};
use crate::dns::message::answer::{Answer, Form, MAX_CHAIN};
use crate::dns::message::reply::{Data, EdeText, write};
use crate::dns::message::rewrite::{alias, join};
use crate::dns::message::{Ede, Malformed, Question, Rcode, local};
use crate::dns::name::{Folded, Name};
use crate::policy::tables::special::Special;
use crate::policy::{Block, HashedName, Pass};
use crate::resolve::context::{BlockedAt, QueryContext};
use crate::resolve::records::{AS_WRITTEN, link};
use crate::resolve::rewrite::Rewrite;
use crate::resolve::{AnswerSource, Done};
use crate::rule::Action;

/// TTL of an alias to a safe name, in seconds.
const SAFE_TTL: u32 = 300;
/// TTL of special-use names at the end of a chain, in seconds.
const SPECIAL_TTL: u32 = 3600;

/// One answer of a chain, and the question it answers.
#[derive(Debug, Clone)]
pub(super) struct ChainLink {
    pub(super) question: Question,
    pub(super) entry: Arc<Entry>,
}

/// A chain as far as it can be followed at once.
pub(super) enum Follow {
    /// To the reply.
    Done(Done),
    /// To a question for upstream; the joined answer of before is for use if that gives none.
    Ask(Question, Option<Arc<Entry>>),
}

/// The state of a chain as far as it is known.
enum Reach {
    /// It has an end; the flag is set where a link is past its TTL.
    End(bool),
    /// The next link is to be asked for; the expired entry is what was there.
    Ask(Question, Option<Arc<Entry>>),
    /// Upstream failed to give the next link a moment ago.
    Failed(Rcode),
    /// It is a loop, or too long.
    Endless,
    /// A zone that redirects a name blocks what it redirects to.
    Blocked(Block),
}

impl QueryContext<'_> {
    /// Adds all links that are known, by the config or by `find`.
    fn extend(
        &self,
        links: &mut Vec<ChainLink>,
        find: impl Fn(&CacheKey) -> CacheLookup,
    ) -> Result<Reach, Malformed> {
        let snapshot = self.snapshot;
        let mut is_stale = false;
        loop {
            let Some(last) = links.last() else { return Err(Malformed) };
            let Some(target) = last.entry.answer.next() else { return Ok(Reach::End(is_stale)) };
            let aliases: usize = links.iter().map(|link| link.entry.answer.alias_count()).sum();
            if aliases > MAX_CHAIN || links.iter().any(|link| link.question.name == *target) {
                return Ok(Reach::Endless);
            }
            let folded = Folded::from_name(target);
            let name = snapshot.hashed(&folded);
            let upstream = snapshot.upstream_of(&name);
            let question = Question { name: target.clone(), upstream, ..last.question.clone() };
            let garden = match self.rewrite {
                Some(Rewrite::List(_)) => {
                    self.snapshot.review_garden(self.active, self.name, &name)
                }
                _ => None,
            };
            let garden = garden.filter(|block| !self.is_free_by_tcp(*block));
            let made = if let Some(block) = garden {
                let Some(message) = self.garden_message(block, &folded, &question)? else {
                    return Ok(Reach::Blocked(block));
                };
                Some(message)
            } else if let Some(safe) = self.safe_name(&name) {
                Some(alias(&question, SAFE_TTL, safe)?)
            } else if let Some(local) = snapshot.local_name(&name) {
                Some(link(local, &question)?)
            } else {
                let special = snapshot.special_of(&name, question.qtype);
                special.map(|special| self.special_message(special, &question))
            };
            let entry = if let Some(message) = made {
                let answer = Answer::take_link(&message, &question, &AS_WRITTEN, |_| true)?;
                Arc::new(Entry::new(answer, self.now.mono))
            } else {
                match find(&CacheKey::of_question(&question)) {
                    CacheLookup::Fresh(entry) | CacheLookup::Due(entry) => entry,
                    CacheLookup::Stale(entry) => {
                        is_stale = true;
                        entry
                    }
                    CacheLookup::Failed(failure) => {
                        return Ok(Reach::Failed(failure.answer.rcode()));
                    }
                    CacheLookup::Expired(entry) => return Ok(Reach::Ask(question, Some(entry))),
                    CacheLookup::Nothing => return Ok(Reach::Ask(question, None)),
                }
            };
            links.push(ChainLink { question, entry });
        }
    }

    /// The first link of a chain by which a list answers a name that it blocks.
    pub(super) fn garden_link(
        &self,
        block: Block,
        target: &Name,
        question: &Question,
    ) -> Result<ChainLink, Malformed> {
        let question = Question { name: self.name.name.to_name(), ..question.clone() };
        let message = alias(&question, self.block_ttl(block, BlockedAt::Question), target)?;
        let answer = Answer::take_link(&message, &question, &AS_WRITTEN, |_| true)?;
        let answer = answer.with_ede(Ede::FORGED, self.snapshot.text(block.category));
        Ok(ChainLink { question, entry: Arc::new(Entry::new(answer, self.now.mono)) })
    }

    /// The message by which a list answers a name in its chain; none where it only blocks.
    fn garden_message(
        &self,
        block: Block,
        name: &Folded,
        question: &Question,
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let ttl = self.block_ttl(block, BlockedAt::Question);
        if let Some(target) = self.snapshot.rewrite_of(&block, name) {
            return alias(question, ttl, &target).map(Some);
        }
        let Action::Local(number) = block.action else { return Ok(None) };
        let records = self.snapshot.local(number).map_or(&[][..], |data| &data.records);
        let of_type = records.iter().filter(|(rtype, _)| *rtype == question.qtype);
        let rdata: Vec<&[u8]> = of_type.map(|(_, rdata)| rdata.as_ref()).collect();
        Ok(Some(local::message(question, ttl, &rdata)))
    }

    /// The safe name of a host in the chain, where the group enforces a mode of its search engine.
    fn safe_name(&self, name: &HashedName<'_>) -> Option<&Name> {
        let engine = self.snapshot.engine_of(self.group, name)?;
        self.snapshot.safe_target(self.group, engine)
    }

    /// One answer of all links, to the client's own name.
    fn joined(&self, links: &[ChainLink]) -> Result<Entry, Malformed> {
        let now = self.now.mono;
        let Some(first) = links.first() else { return Err(Malformed) };
        let asked = Question { name: self.name.name.to_name(), ..first.question.clone() };
        let message = |link: &ChainLink| {
            let form = Form::aged(link.entry.age(now));
            link.entry.answer.message(&link.question, form).ok_or(Malformed)
        };
        let messages: Result<Vec<_>, _> = links.iter().map(message).collect();
        let answer = Answer::take(&join(&asked, &messages?)?, &asked, &AS_WRITTEN)?;
        let ede =
            |link: &ChainLink| link.entry.answer.ede().map(|(code, text)| (code, text.to_vec()));
        let answer = match links.iter().find_map(ede) {
            Some((code, text)) => answer.with_ede(code, &text),
            None => answer,
        };
        Ok(Entry::new(answer, now))
    }

    /// The joined answer for use if upstream gives none: all of its links are here, be it past
    /// their TTLs.
    pub(super) fn stale_chain(
        &self,
        cache: &AnswerCache,
        mut links: Vec<ChainLink>,
    ) -> Option<Arc<Entry>> {
        let find = |key: &CacheKey| {
            cache.peek(key, self.now.mono).map_or(CacheLookup::Nothing, CacheLookup::Stale)
        };
        match self.extend(&mut links, find) {
            Ok(Reach::End(_)) => self.joined(&links).ok().map(Arc::new),
            _ => None,
        }
    }

    /// Follows a chain from its last link on; `source` is where that came from.
    pub(super) fn follow(
        &self,
        links: &mut Vec<ChainLink>,
        pass: Pass,
        cache: &AnswerCache,
        source: AnswerSource,
        out: &mut [u8],
    ) -> Follow {
        let reach = self.extend(links, |key| cache.find(key, self.now.mono));
        let (Ok(reach), Ok(entry)) = (reach, self.joined(links)) else {
            return Follow::Done(self.broken(Ede::INVALID_DATA, out));
        };
        match reach {
            Reach::End(is_stale) => {
                Follow::Done(self.with_chain(&entry, is_stale, pass, source, out))
            }
            Reach::Ask(question, expired) => match self.review(&entry, pass) {
                Ok(None) => {
                    let stale = expired.and_then(|entry| {
                        let link = ChainLink { question: question.clone(), entry };
                        self.stale_chain(cache, [links.as_slice(), &[link]].concat())
                    });
                    Follow::Ask(question, stale)
                }
                Ok(Some((block, found))) => {
                    Follow::Done(self.blocked(block, found, out).uncounted_if(pass))
                }
                Err(Malformed) => Follow::Done(self.broken(Ede::INVALID_DATA, out)),
            },
            Reach::Failed(rcode) => {
                let ede = Some(EdeText::bare(Ede::CACHED_ERROR));
                let length = write(&self.query, rcode, Data::None, 0, ede, self.limit, out);
                Follow::Done(Done::reply(length, self.outcome(rcode, AnswerSource::Cache)))
            }
            Reach::Blocked(block) => Follow::Done(self.blocked(block, BlockedAt::Target, out)),
            Reach::Endless => Follow::Done(self.broken(Ede::INVALID_DATA, out)),
        }
    }

    /// The reply with a chain that has an end.
    fn with_chain(
        &self,
        entry: &Entry,
        is_stale: bool,
        pass: Pass,
        source: AnswerSource,
        out: &mut [u8],
    ) -> Done {
        let rcode = entry.answer.rcode();
        if self.rewrite.is_some_and(|rewrite| rewrite.is_broken_by(rcode)) {
            // Never the real host instead.
            return self.broken(Ede::NETWORK_ERROR, out);
        }
        if is_stale {
            return self.answer_late(entry, Form::STALE, pass, AnswerSource::Stale, out);
        }
        self.answer_late(entry, Form::aged(0), pass, source, out)
    }

    /// The failure of a chain.
    fn broken(&self, ede: Ede, out: &mut [u8]) -> Done {
        QueryContext { rewrite: None, ..*self }.servfail(ede, out)
    }

    /// The message that answers `question`, a special-use name.
    fn special_message(&self, special: Special, question: &Question) -> Vec<u8> {
        let with = |rdata: &[&[u8]]| local::message(question, SPECIAL_TTL, rdata);
        let mut message = match special {
            Special::Addresses(each) => with(each),
            Special::Portal => match self.snapshot.portal() {
                Some(portal) => portal.with_records(question.qtype, with),
                None => with(&[]),
            },
            Special::Designated | Special::DesignatedOf | Special::Gateway => {
                match self.snapshot.designated() {
                    Some(table) => {
                        let asked = (question.name.as_wire(), question.qtype);
                        table.with_records(special, asked, self.origin.local.ip(), with)
                    }
                    None => with(&[]),
                }
            }
            Special::NxDomain | Special::NoData => with(&[]),
        };
        if let (Special::NxDomain, Some(low)) = (special, message.get_mut(3)) {
            *low |= Rcode::NXDOMAIN.0 as u8;
        }
        message
    }
}
