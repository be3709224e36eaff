//! Verdicts: the decision about a name, and the step of the order that decided.
//!
//! The deciding function reports every step to a [`Witness`]. For a query that is `()`, and
//! compiles to nothing; for `lachan why` it is a list.

use crate::category::{CategoryId, CategorySet};
use crate::policy::tables::names::{CanaryKind, Essential};
use crate::policy::tables::rewrite::EngineId;
use crate::policy::tables::special::Special;
use crate::rule::Action;

/// The step of the order that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// A special-use name.
    SpecialUse,
    /// A protocol canary.
    Canary,
    /// csam and legal requests.
    Illegal,
    /// An essential name.
    Essential,
    /// An essential name where children find help.
    Help,
    /// A category that is closed because its list is missing.
    FailClosed,
    /// A name that the department denies.
    DepartmentDeny,
    /// A locked category.
    Locked,
    /// A lesson or an exam that a teacher set for a time.
    Override,
    /// The school's allow list.
    SchoolAllow,
    /// The school's deny list.
    SchoolDeny,
    /// The category of good names.
    DepartmentAllow,
    /// The group's action for a category.
    Category,
    /// Allow-list mode, and no layer allows the name.
    AllowList,
    /// A keyword rule.
    Keyword,
    /// An internal address in an answer from upstream (DNS rebinding).
    Rebinding,
    /// An address of no host in an answer from upstream, which filters by itself.
    UpstreamBlock,
    /// No rule matches the name.
    Default,
}

impl Layer {
    /// The id used in traces.
    pub fn id(self) -> &'static str {
        match self {
            Self::SpecialUse => "special-use",
            Self::Canary => "canary",
            Self::Illegal => "illegal",
            Self::Essential => "essential",
            Self::Help => "help",
            Self::FailClosed => "fail-closed",
            Self::DepartmentDeny => "department-deny",
            Self::Locked => "locked",
            Self::Override => "override",
            Self::SchoolAllow => "school-allow",
            Self::SchoolDeny => "school-deny",
            Self::DepartmentAllow => "department-allow",
            Self::Category => "category",
            Self::AllowList => "allow-list",
            Self::Keyword => "keyword",
            Self::Rebinding => "rebinding",
            Self::UpstreamBlock => "upstream",
            Self::Default => "default",
        }
    }
}

impl From<Essential> for Layer {
    /// The step that a name of this kind passes by.
    fn from(kind: Essential) -> Self {
        match kind {
            Essential::Help => Self::Help,
            Essential::Shipped | Essential::Own => Self::Essential,
        }
    }
}

/// The decision about one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A special-use name: answered here.
    Special(Special),
    /// A canary: answered here, negatively.
    Canary(CanaryKind),
    /// Answered as blocked.
    Block(Block),
    /// Resolved.
    Pass(Pass),
    /// A host of a search engine: answered with the records of its safe name.
    Safe(Pass, EngineId),
}

/// A block, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The step that decided.
    pub layer: Layer,
    /// The category reported; none where an unlisted name was denied or not allowed.
    pub category: Option<CategoryId>,
    /// The answer its list asks for; [`Action::Default`] is the group's.
    pub action: Action,
    /// The sources of lists that name it, in any category; none where no list decided.
    pub named: u32,
}

impl Block {
    /// A block that no list decided.
    #[inline]
    pub(super) fn without_list(layer: Layer, category: Option<CategoryId>, action: Action) -> Self {
        Self { layer, category, action, named: 0 }
    }

    /// Whether both are of one step, category and answer.
    pub fn is_as(&self, other: &Self) -> bool {
        (self.layer, self.category, self.action) == (other.layer, other.category, other.action)
    }
}

/// A name that is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// The step that decided.
    pub layer: Layer,
    /// Categories that are counted.
    pub observed: CategorySet,
}

impl Pass {
    /// Whether the chain of the answer is shielded from school deny and plain categories.
    pub fn is_shield(self) -> bool {
        matches!(
            self.layer,
            Layer::Essential
                | Layer::Help
                | Layer::Override
                | Layer::SchoolAllow
                | Layer::DepartmentAllow
        )
    }
}

/// The finding of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepFinding {
    /// No rule of this step matches the name.
    Nothing,
    /// The step is off for this group.
    Unused,
    /// A rule matches and does not decide; its categories, if any.
    Passed(CategorySet),
    /// It decided.
    Decided,
}

/// Receiver of the finding of each step.
pub trait Witness {
    /// Records the finding of a step.
    fn saw(&mut self, step: Layer, found: StepFinding);
}

impl Witness for () {
    #[inline]
    fn saw(&mut self, _: Layer, _: StepFinding) {}
}

impl Witness for Vec<(Layer, StepFinding)> {
    fn saw(&mut self, step: Layer, found: StepFinding) {
        self.push((step, found));
    }
}
