//! Explanation of a verdict: what every step of the order found, and the evidence.
//!
//! The verdict is made by the code of [`Snapshot::decide`] with a recording
//! [`Witness`](crate::policy::verdict::Witness): an explanation never disagrees with an answer.

use crate::matcher::HashedName;
use crate::matcher::keyword::KeywordTrace;
use crate::matcher::suffix::Node;
use crate::policy::group::rules::ActiveRules;
use crate::policy::snapshot::Snapshot;
use crate::policy::tables::categories::SealedList;
use crate::policy::tables::names::Own;
use crate::policy::verdict::{Layer, StepFinding, Verdict};

/// A verdict with its evidence.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The verdict of [`Snapshot::decide`].
    pub verdict: Verdict,
    /// The steps that were evaluated, in the order of policy, with their findings.
    pub steps: Vec<(Layer, StepFinding)>,
    /// The listed ancestors of the name, longest first.
    pub nodes: Vec<Node<'a>>,
    /// The keyword rules that match it.
    pub keywords: Vec<KeywordTrace<'a>>,
    /// The school's allow or deny, with the label count of its name.
    pub own: Option<(usize, Own)>,
    /// The department's allow or deny, in the same form.
    pub department: Option<(usize, Own)>,
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
        let mut steps = Vec::new();
        let verdict = self.decide_before(active, hashed, qtype, &mut steps);
        Explanation {
            verdict,
            steps,
            nodes: self.lists.trace(hashed.name, &hashed.hashes),
            keywords: self.keywords.trace(hashed.name),
            own: own.map(|(labels, &own)| (labels, own)),
            department: department.map(|(labels, &own)| (labels, own)),
            sealed: self.sealed.iter().filter(|list| list.table.lists(hashed.name)).collect(),
            is_essential: self.essential.longest(hashed.name, &hashed.hashes).is_some(),
        }
    }
}
