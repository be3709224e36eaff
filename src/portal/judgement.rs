//! What a visitor may be told of a name: the verdict for its group now, and as much of the reason as
//! gives nothing away.
//!
//! Policy judges, by the code that answers queries ([`Snapshot::explain`]); here its words are only
//! chosen.
//!
//! Laws: a name of a protected category, a name on a sealed list and a name that the school or the
//! department denies are told alike, as blocked and no more. Where everything but a few names is
//! closed, they are told as all others are.
//!
//! [`Snapshot::explain`]: crate::policy::Snapshot::explain

use std::path::Path;

use crate::category::CategoryId;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::lang::{Lang, Message, messages};
use crate::policy::explain::Explanation;
use crate::policy::{ActiveRules, Block, Layer, Verdict};
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;

/// The verdict about a name, as a visitor is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The gateway answers the name itself.
    Own,
    /// Not blocked.
    Open,
    /// Not blocked: a search engine in its safe mode.
    Safe,
    /// Blocked.
    Blocked(Blocked),
}

/// A block, as a visitor is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    /// The reason.
    pub(super) reason: Reason,
    /// Whether the name is of those that somebody in need may look for.
    pub(super) needs_care: bool,
    /// The listed name, and the name of its list, where the reason is a category of an open list.
    pub(super) listed: Option<(String, String)>,
}

/// Why a name is blocked, as a visitor is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its category.
    Category(CategoryId),
    /// An exam runs without it.
    Exam,
    /// A lesson denies it.
    Lesson,
    /// Only chosen names open.
    OnlyAllowed,
    /// A category is closed for want of its list.
    Closed,
    /// No more than that it is blocked.
    Bare,
}

impl Reason {
    /// The reason in a sentence.
    pub(super) fn sentence(self, visitor: &Visitor) -> Message {
        match self {
            Self::Category(category) => messages::reason_category(label(visitor, category)),
            Self::Exam => messages::reason_exam(),
            Self::Lesson => messages::reason_lesson(),
            Self::OnlyAllowed => messages::reason_only_allowed(),
            Self::Closed => messages::reason_closed(),
            Self::Bare => messages::reason_bare(),
        }
    }
}

/// The name of a category for people.
pub(super) fn label(visitor: &Visitor, category: CategoryId) -> String {
    let row = visitor.in_force.snapshot.taxonomy().category(category);
    if visitor.lang == Lang::En { row.en.clone() } else { row.vi.clone() }
}

/// Judges a name for a visitor, now.
pub(super) fn judge(portal: &Portal, visitor: &Visitor, name: &Name) -> Judgement {
    let snapshot = &visitor.in_force.snapshot;
    let active = snapshot.rules_at(visitor.group, (portal.now)());
    let folded = Folded::from_name(name);
    let explanation = snapshot.explain(active, &snapshot.hashed(&folded), rtype::A);
    match explanation.verdict {
        Verdict::Special(_) | Verdict::Canary(_) => Judgement::Own,
        Verdict::Pass(_) => Judgement::Open,
        Verdict::Safe(..) => Judgement::Safe,
        Verdict::Block(block) => {
            Judgement::Blocked(told(visitor, active, &explanation, block, &folded))
        }
    }
}

/// What may be told of a block.
fn told(
    visitor: &Visitor,
    active: ActiveRules<'_>,
    explanation: &Explanation<'_>,
    block: Block,
    name: &Folded,
) -> Blocked {
    let row =
        block.category.map(|category| visitor.in_force.snapshot.taxonomy().category(category));
    let is_protected = row.is_some_and(|row| row.is_protected);
    // One that no law requires to be blocked: there, people look for help.
    let needs_care = row.is_some_and(|row| row.is_protected && row.duty.is_none());
    let secret = || match () {
        () if active.rules.exam.is_some() => Reason::Exam,
        () if active.rules.is_allow_only => Reason::OnlyAllowed,
        () if !visitor.in_force.snapshot.closed_for(active).is_empty() => Reason::Closed,
        () => Reason::Bare,
    };
    let reason = match (block.layer, block.category) {
        (Layer::FailClosed, _) => Reason::Closed,
        (Layer::AllowList, _) => Reason::OnlyAllowed,
        (Layer::Override, _) if active.rules.exam.is_some() => Reason::Exam,
        (Layer::Override, _) => Reason::Lesson,
        (Layer::SchoolDeny | Layer::DepartmentDeny, _) | (_, None) => secret(),
        (_, Some(_)) if is_protected || !explanation.sealed.is_empty() => secret(),
        (_, Some(category)) => Reason::Category(category),
    };
    let listed = match reason {
        Reason::Category(category) => listed(visitor, explanation, category, name),
        _ => None,
    };
    Blocked { reason, needs_care, listed }
}

/// The longest listed name of a category above a name, and the list that has it.
fn listed(
    visitor: &Visitor,
    explanation: &Explanation<'_>,
    category: CategoryId,
    name: &Folded,
) -> Option<(String, String)> {
    let mut rules = explanation
        .nodes
        .iter()
        .filter(|node| node.labels > 0)
        .flat_map(|node| node.rules.iter().map(move |rule| (node.labels, rule)));
    let (labels, rule) = rules.find(|(_, rule)| rule.category == category)?;
    let index = name.label_count().checked_sub(labels)?;
    let (listed, _) = Name::from_wire(name.suffix(index)).ok()?;
    let source = visitor.in_force.sources().lists.sources.get(usize::from(rule.source))?;
    // A path or a URL: where the file lies is nobody's business here.
    let file = Path::new(&source.name).file_name().unwrap_or_default();
    Some((shown(&listed), file.to_string_lossy().into_owned()))
}

/// A name as people write it, in ASCII.
pub(super) fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}
