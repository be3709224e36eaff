//! What policy says about a name, and which step of the order said it.

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
    /// A category whose list is missing, and that must not be open without it.
    FailClosed,
    /// A name that the department denies.
    DepartmentDeny,
    /// A locked category.
    Locked,
    /// A lesson or an exam that somebody set for a time.
    Override,
    /// The school's allow list.
    SchoolAllow,
    /// The school's deny list.
    SchoolDeny,
    /// The category of good names.
    DepartmentAllow,
    /// The group's action for a category.
    Category,
    /// Nothing allowed the name, and nothing else is let through.
    AllowList,
    /// A keyword rule.
    Keyword,
    /// An answer from outside with an address from inside.
    Rebinding,
    /// Nothing spoke of the name.
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

/// What policy says about one name.
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
    /// A host of a search engine: answered with what its safe name resolves to.
    Safe(Pass, EngineId),
}

/// A block, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The step that decided.
    pub layer: Layer,
    /// The category reported; none where an unlisted name was denied or not allowed.
    pub category: Option<CategoryId>,
    /// How the list wants it answered; as the group is configured by default.
    pub action: Action,
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

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepFinding {
    /// It says nothing of this name.
    Nothing,
    /// It does not act for this group.
    Unused,
    /// Something is there, and does not decide: of these categories, where it is of any.
    Passed(CategorySet),
    /// It decided.
    Decided,
}

/// Who is told of each step.
pub trait Witness {
    /// A step was looked at.
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
