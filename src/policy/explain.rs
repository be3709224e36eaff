//! Why a name is answered as it is: the verdict, and what every step had to say.
//!
//! The verdict is [`Snapshot::decide`]'s own; this only adds the evidence, so that
//! an explanation cannot disagree with an answer.

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
    /// What [`Snapshot::decide`] says.
    pub verdict: Verdict,
    /// The steps that were looked at, in the order of policy, and what each found.
    pub steps: Vec<(Layer, StepFinding)>,
    /// The listed ancestors of the name, longest first.
    pub nodes: Vec<Node<'a>>,
    /// The keyword rules that hit it.
    pub keywords: Vec<KeywordTrace<'a>>,
    /// The school's own word: how many labels its name has.
    pub own: Option<(usize, Own)>,
    /// The department's word, in the same form.
    pub department: Option<(usize, Own)>,
    /// The sealed lists that it is on: which name there, they cannot say.
    pub sealed: Vec<&'a SealedList>,
    /// Whether it resolves in every mode.
    pub is_essential: bool,
}

impl Snapshot {
    /// Decides about a question, and says on what.
    pub fn explain<'a>(
        &'a self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        qtype: u16,
    ) -> Explanation<'a> {
        let own = active.group.own.longest(hashed.name, &hashed.hashes);
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
