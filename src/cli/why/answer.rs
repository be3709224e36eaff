//! An answer of upstream as it would be reviewed: given by hand, for no query leaves the process.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Serialize;

use super::evidence::{Evidence, ancestor, evidence};
use super::trace::TracedQuery;
use super::urgent::UrgentEvidence;
use crate::cache::AnswerCache;
use crate::dns::message::answer::TtlLimits;
use crate::dns::message::rewrite::{alias, join};
use crate::dns::message::{Question, local};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::load::lists::SourceOrigin;
use crate::policy::Verdict;
use crate::policy::explain::AnswerCause;
use crate::resolve::{Answered, Done, Finish, Forward, Now};

/// The TTL of the records.
const TTL: u32 = 60;

/// One alias or address of an answer, as the operator gives it.
#[derive(Debug, Clone)]
pub(super) enum AnswerPart {
    Alias(Name),
    Address(IpAddr),
}

/// Reads `--answer`.
pub(super) fn parse(text: &str) -> Result<AnswerPart, String> {
    if let Ok(address) = text.parse() {
        return Ok(AnswerPart::Address(address));
    }
    let name = Name::from_text(text).map_err(|error| format!("no address and no name: {error}"))?;
    Ok(AnswerPart::Alias(name))
}

/// The alias or address that blocks an answer, and the rule that says so.
#[derive(Debug, Serialize)]
pub(super) struct BlockedPart {
    /// `alias` or `address`.
    kind: &'static str,
    /// The name or the address.
    value: String,
    pub(super) layer: &'static str,
    pub(super) category: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) list: Option<String>,
    pub(super) file: Option<PathBuf>,
    pub(super) line: Option<u32>,
    /// The urgent entry for an alias.
    #[serde(skip)]
    pub(super) urgent: Option<UrgentEvidence>,
}

fn aliases(parts: &[AnswerPart]) -> impl Iterator<Item = &Name> {
    parts.iter().filter_map(|part| match part {
        AnswerPart::Alias(name) => Some(name),
        AnswerPart::Address(_) => None,
    })
}

fn addresses(parts: &[AnswerPart]) -> impl Iterator<Item = IpAddr> {
    parts.iter().filter_map(|part| match part {
        AnswerPart::Alias(_) => None,
        AnswerPart::Address(address) => Some(*address),
    })
}

/// What blocks this answer to a question that passes.
pub(super) fn blocked_part(
    query: &TracedQuery<'_>,
    verdict: &Verdict,
    parts: &[AnswerPart],
    sources: &[SourceOrigin],
) -> Option<BlockedPart> {
    let (Verdict::Pass(pass) | Verdict::Safe(pass, _)) = verdict else { return None };
    let TracedQuery { config, snapshot, bound, .. } = *query;
    let names: Vec<Folded> = aliases(parts).map(Folded::from_name).collect();
    let nets: Vec<IpAddr> = addresses(parts).collect();
    let question = snapshot.hashed(query.name);
    let (block, cause) =
        snapshot.explain_answer(bound, &question, pass.is_shield(), &names, &nets)?;
    let category = block.category.map(|category| config.taxonomy.category(category).id.clone());
    let part = |kind, value| BlockedPart {
        kind,
        value,
        layer: block.layer.id(),
        category: category.clone(),
        rule: None,
        list: None,
        file: None,
        line: None,
        urgent: None,
    };
    match cause {
        AnswerCause::Alias(number) => {
            let name = names.get(number)?.to_name();
            let explanation =
                snapshot.explain(bound, &snapshot.hashed(names.get(number)?), rtype::A);
            let all = evidence(config, sources, snapshot, &name, &explanation);
            let lists = |e: &&Evidence| e.effect == "lists" && e.category == category;
            let found = all.into_iter().find(|e| lists(&e));
            let urgent = UrgentEvidence::of(query.urgent, &name, &explanation, Some(&block));
            let rule = urgent.as_ref().and_then(UrgentEvidence::rule);
            let part = part("alias", ancestor(&name, name.label_count()));
            let part = BlockedPart { rule, urgent, ..part };
            if part.rule.is_some() {
                return Some(part);
            }
            let Some(Evidence { rule, list, file, line, .. }) = found else { return Some(part) };
            Some(BlockedPart { rule: Some(rule), list: Some(list), file, line, ..part })
        }
        AnswerCause::Address(number, source) => {
            let origin = sources.get(usize::from(source.unwrap_or(u16::MAX)));
            let list = origin.map(|origin| origin.name.clone());
            Some(BlockedPart { list, ..part("address", nets.get(number)?.to_string()) })
        }
    }
}

/// The core's reply where upstream answers `forward` with these parts.
pub(super) fn finished(
    forward: Forward,
    parts: &[AnswerPart],
    cache: &AnswerCache,
    now: Now,
    out: &mut [u8],
) -> Option<Done> {
    let asked = forward.question().clone();
    let mut messages = Vec::new();
    let mut question = Question { ..asked.clone() };
    for target in aliases(parts) {
        messages.push(alias(&question, TTL, target).ok()?);
        question = Question { name: target.clone(), ..question };
    }
    let rdata: Vec<Vec<u8>> = addresses(parts)
        .filter_map(|address| match (address, question.qtype) {
            (IpAddr::V4(address), rtype::A) => Some(address.octets().to_vec()),
            (IpAddr::V6(address), rtype::AAAA) => Some(address.octets().to_vec()),
            _ => None,
        })
        .collect();
    let rdata: Vec<&[u8]> = rdata.iter().map(Vec::as_slice).collect();
    messages.push(local::message(&question, TTL, &rdata));
    let message = join(&asked, &messages).ok()?;
    let answered = Answered { message: Ok(&message), asked: now.mono };
    let limits = TtlLimits { min: 0, max: u32::MAX, max_negative: u32::MAX };
    match forward.finish(answered, cache, &limits, now, out) {
        Finish::Done(done) => Some(done),
        Finish::Next(_) => None,
    }
}

impl BlockedPart {
    /// The part for people.
    pub(super) fn text(&self) -> String {
        let mut out = format!("  by        {} {} of the answer", self.kind, self.value);
        if let (None, Some(list)) = (&self.rule, &self.list) {
            let _ = write!(out, ", list {list}");
        }
        out + "\n"
    }
}
