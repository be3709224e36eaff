//! What the pages are made of.

use std::sync::Arc;

use crate::load::in_force::Current;
use crate::resolve::Now;

/// What the pages are made of.
pub struct Portal {
    /// The policy in force.
    pub(super) current: Arc<Current>,
    /// The time by which names are judged.
    pub(super) now: Box<dyn Fn() -> Now + Send + Sync>,
}

impl Portal {
    /// A portal that shows the policy in force.
    pub fn new(current: Arc<Current>, now: Box<dyn Fn() -> Now + Send + Sync>) -> Self {
        Self { current, now }
    }
}
