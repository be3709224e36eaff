//! The urgent entry for a name, with its order: number, authority, reason.

use serde::Serialize;

use super::evidence::ancestor;
use crate::dns::name::Name;
use crate::load::release::urgent::UrgentList;
use crate::policy::explain::Explanation;
use crate::policy::{Block, Layer, Verdict};
use crate::release::emergency::{UrgentAction, UrgentEntry};
use crate::status::moment;

/// The longest urgent entry that is in force for a name.
#[derive(Debug, Clone, Serialize)]
pub(super) struct UrgentEvidence {
    /// The name of the entry.
    name: String,
    action: &'static str,
    category: String,
    /// The number of the order.
    document: String,
    authority: String,
    reason: String,
    /// Its end, by RFC 3339.
    until: String,
    /// Whether it decided: it blocks the name, lets it through, or makes it counted.
    pub(super) decided: bool,
}

impl UrgentEvidence {
    /// The entry for a name; `block` where a name of an answer is blocked, else the verdict counts.
    pub(super) fn of(
        list: &UrgentList,
        name: &Name,
        explanation: &Explanation<'_>,
        block: Option<&Block>,
    ) -> Option<Self> {
        let (labels, rule) = explanation.urgent?;
        let shown = ancestor(name, labels);
        let is_it = |entry: &&UrgentEntry| entry.name.eq_ignore_ascii_case(&shown);
        let entry = list.orders.iter().map(|order| &order.entry).find(is_it)?;
        let blocks = |block: &Block| {
            rule.action == UrgentAction::Block
                && block.category == Some(rule.category)
                && matches!(block.layer, Layer::Illegal | Layer::Locked | Layer::Category)
        };
        let decided = match (block, &explanation.verdict) {
            (Some(block), _) | (None, Verdict::Block(block)) => blocks(block),
            (None, Verdict::Pass(pass) | Verdict::Safe(pass, _)) => match rule.action {
                UrgentAction::Block => false,
                UrgentAction::Warn => pass.observed.contains(rule.category),
                UrgentAction::Allow => {
                    pass.layer == Layer::DepartmentAllow && explanation.department.is_none()
                }
            },
            (None, Verdict::Special(_) | Verdict::Canary(_)) => false,
        };
        Some(Self {
            name: shown,
            action: entry.action.id(),
            category: entry.category.clone(),
            document: entry.document.clone(),
            authority: entry.authority.clone(),
            reason: entry.reason.clone(),
            until: moment(entry.until),
            decided,
        })
    }

    /// The rule that it is, where it decided on the answer.
    pub(super) fn rule(&self) -> Option<String> {
        let is_counted = self.action == UrgentAction::Warn.id();
        (self.decided && !is_counted).then(|| format!("urgent {} {}", self.action, self.name))
    }

    /// The entry for people.
    pub(super) fn text(&self) -> String {
        let Self { name, action, category, document, authority, reason, until, decided } = self;
        let decided = if *decided { "it decided" } else { "it did not decide" };
        format!(
            "  urgent    {action} {name} {category}, document {document} of {authority}, until \
             {until}: {reason} ({decided})\n"
        )
    }
}
