//! Explanation of a verdict: what every step of the order found, and the evidence.
//!
//! The verdict is made by the code of [`Snapshot::decide`] with a recording
//! [`Witness`](crate::policy::verdict::Witness): an explanation never disagrees with an answer.

use std::net::IpAddr;

use crate::dns::name::Folded;
use crate::matcher::HashedName;
use crate::matcher::keyword::KeywordTrace;
use crate::matcher::spared::Spared;
use crate::matcher::suffix::Node;
use crate::matcher::targeted::TargetRule;
use crate::policy::group::rules::ActiveRules;
use crate::policy::snapshot::Snapshot;
use crate::policy::tables::categories::SealedList;
use crate::policy::tables::names::Own;
use crate::policy::tables::urgent::UrgentRule;
use crate::policy::verdict::{Block, Layer, StepFinding, Verdict};

/// A verdict with its evidence.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The verdict of [`Snapshot::decide`].
    pub verdict: Verdict,
    /// The steps that were evaluated, in the order of policy, with their findings.
    pub steps: Vec<(Layer, StepFinding)>,
    /// The listed ancestors of the name, longest first.
    pub nodes: Vec<Node<'a>>,
    /// The rules about more than a name that hold for it.
    pub targets: Vec<&'a TargetRule>,
    /// The keyword rules that match it.
    pub keywords: Vec<KeywordTrace<'a>>,
    /// The school's allow or deny, with the label count of its name.
    pub own: Option<(usize, Own)>,
    /// The department's allow or deny, in the same form.
    pub department: Option<(usize, Own)>,
    /// The longest urgent entry in force for it, in the same form.
    pub urgent: Option<(usize, UrgentRule)>,
    /// The sealed lists that contain it; they hold digests and cannot show which name.
    pub sealed: Vec<&'a SealedList>,
    /// Whether it resolves in every mode.
    pub is_essential: bool,
}

impl Snapshot {
    /// Decides about a question, and collects the evidence.
    pub fn explain<'a>(
        &'a self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        qtype: u16,
    ) -> Explanation<'a> {
        let own = active.rules.own.longest(hashed.name, &hashed.hashes);
        let department = self.department.longest(hashed.name, &hashed.hashes);
        let urgent = self.urgent.as_ref();
        let urgent = urgent.and_then(|table| table.longest(hashed, active.rules.urgent_at));
        let labels = hashed.hashes.label_count();
        let mut steps = Vec::new();
        let verdict = self.decide_before(active, hashed, qtype, &mut steps);
        Explanation {
            verdict,
            steps,
            nodes: self.lists.trace(hashed.name, &hashed.hashes),
            targets: self.lists.trace_targets(hashed.name, &hashed.hashes, Some(qtype)),
            keywords: self.keywords.trace(hashed.name),
            own: own.map(|(labels, &own)| (labels, own)),
            department: department.map(|(labels, &own)| (labels, own)),
            urgent: urgent.map(|(index, rule)| (labels - index, rule)),
            sealed: self.sealed.iter().filter(|list| list.table.lists(hashed.name)).collect(),
            is_essential: self.essential.longest(hashed.name, &hashed.hashes).is_some(),
        }
    }

    /// What blocks the answer to a question that passes: the first alias or address, in the order of
    /// review.
    pub fn explain_answer(
        &self,
        active: ActiveRules<'_>,
        question: &HashedName<'_>,
        is_shielded: bool,
        aliases: &[Folded],
        addresses: &[IpAddr],
    ) -> Option<(Block, AnswerCause)> {
        let spared = |count: usize| {
            let mut spared: Spared = self.spared(question);
            for alias in aliases.iter().take(count) {
                spared.pass(self.spared(&self.hashed(alias)));
            }
            spared
        };
        for (number, alias) in aliases.iter().enumerate() {
            let hashed = self.hashed(alias);
            let facts = self.facts(&hashed);
            let block = self.review(active, &hashed, &facts, is_shielded, || spared(number));
            if let Some(block) = block {
                return Some((block, AnswerCause::Alias(number)));
            }
        }
        let all = || spared(usize::MAX);
        addresses.iter().enumerate().find_map(|(number, &address)| {
            let listed = self.listed_address(active, address, is_shielded, all);
            let source = listed.map(|(_, source)| source);
            let block = self.review_address(active, question, address, is_shielded, all)?;
            Some((block, AnswerCause::Address(number, source)))
        })
    }
}

/// The part of an answer that is blocked, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerCause {
    /// An alias.
    Alias(usize),
    /// An address, and the number of the list that has it.
    Address(usize, Option<u16>),
}
