//! What each step of the order finds, for whoever wants to know.
//!
//! The one function that decides tells a [`Witness`] of every step that it looks at. For a
//! query that is nobody, and costs nothing; for `lachan why` it is a list. So an explanation
//! is made by the decision itself.

use crate::category::CategorySet;
use crate::policy::Layer;

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
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
    fn saw(&mut self, step: Layer, found: Finding);
}

impl Witness for () {
    #[inline]
    fn saw(&mut self, _: Layer, _: Finding) {}
}

impl Witness for Vec<(Layer, Finding)> {
    fn saw(&mut self, step: Layer, found: Finding) {
        self.push((step, found));
    }
}
